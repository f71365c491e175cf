"""What is measured: the tasks, and the convolutions and dense layers of both models; on the GPU also how large all is.

It imports nothing but Python's own modules, since `with_torch` and `with_torch_on_gpu` read it in a Python without
scratchnet.
"""

from __future__ import annotations

from typing import NamedTuple

TASKS = {
    "cnn": {
        "cnn step": "a training step of the article's CNN, batch 32",
        "cnn step, augmented": "the same with sn.Augment() on bytes, which should cost less than 10%; scratchnet only",
        "cnn step, layer by layer": "the same with fuse=False: no layers run as one; scratchnet only",
        "cnn predict 1": "inference of the article's CNN, batch 1",
        "cnn predict 256": "inference of the article's CNN, batch 256",
        "cnn predict 256, denormal": "the same on pictures of 1e-39, which should take no longer; scratchnet only",
        "adam": "Adam on the weights of the article's CNN; scratchnet only",
        "adam, denormal": "the same with gradients and moments of 1e-40, which should take no longer; scratchnet only",
    },
    "dcgan": {"dcgan step": "a step of the DCGAN, batch 64: discriminator, then generator"},
}
DCGAN_BATCH, LATENT = 64, 100

# The networks of the article's references, by `--networks`: at the size of their paper, and at CIFAR's.
NETWORKS = {
    "alexnet predict": "inference of AlexNet, 8 pictures of 227 x 227",
    "inception_v3 predict": "inference of Inception v3, 8 pictures of 299 x 299",
    "resnet_50 predict": "inference of ResNet-50, 8 pictures of 224 x 224",
    "densenet_121 predict": "inference of DenseNet-121, 8 pictures of 224 x 224",
    "se_resnet_50 predict": "inference of SE-ResNet-50, 8 pictures of 224 x 224; not in Keras",
    "efficientnet_b0 predict": "inference of EfficientNet-B0, 8 pictures of 224 x 224",
    "resnet_20 step": "a training step of ResNet-20, 128 pictures of 32 x 32",
    "densenet_40 step": "a training step of DenseNet-40, 128 pictures of 32 x 32",
}


class Network(NamedTuple):
    """A task of NETWORKS: which network, whether it is trained, on how many pictures, and of how many pixels."""

    name: str
    step: bool
    batch: int
    size: int


def network(task: str) -> Network:
    """What a task of NETWORKS is about."""
    name, what = task.split()
    if what == "step":
        return Network(name, True, 128, 32)
    return Network(name, False, 8, {"alexnet": 227, "inception_v3": 299}.get(name, 224))


class Conv(NamedTuple):
    """A convolution of x (N, H, H, C) with F filters of K x K; its backward is a transposed convolution's forward."""

    name: str
    N: int
    H: int
    C: int
    F: int
    K: int
    stride: int
    padding: str
    pool: int | None = None  # window of the max-pooling that follows
    groups: int = 1  # as many as channels: a depthwise convolution


def depthwise(N: int, H: int, C: int, K: int, stride: int) -> Conv:
    """A convolution of each channel by itself."""
    name = f"depthwise {H}x{H}x{C}, {K}x{K}" + (f", step {stride}" if stride > 1 else "")
    return Conv(name, N, H, C, C, K, stride, "same", None, C)


REFERENCES = "references"  # of the article: shapes of AlexNet, ResNet-50 and EfficientNet-B0, kernels only
CONVS = {
    "cnn": [
        Conv("32x32x3 to 32", 32, 32, 3, 32, 3, 1, "valid", 2),
        Conv("15x15x32 to 64", 32, 15, 32, 64, 3, 1, "valid", 2),
    ],
    "dcgan": [
        Conv("32x32x3 to 64, step 2", 64, 32, 3, 64, 3, 2, "same"),
        Conv("16x16x64 to 128, step 2", 64, 16, 64, 128, 3, 2, "same"),
        Conv("8x8x128 to 256, step 2", 64, 8, 128, 256, 3, 2, "same"),
        Conv("8x8x128 to 256, 4x4, step 2", 64, 8, 128, 256, 4, 2, "same"),
        Conv("16x16x128 to 128, 4x4, step 2", 64, 16, 128, 128, 4, 2, "same"),
        Conv("32x32x64 to 128, 4x4, step 2", 64, 32, 64, 128, 4, 2, "same"),
        Conv("32x32x64 to 3", 64, 32, 64, 3, 3, 1, "same"),
    ],
    REFERENCES: [
        depthwise(8, 112, 32, 3, 1),
        depthwise(8, 112, 96, 3, 2),
        depthwise(8, 56, 144, 3, 1),
        depthwise(8, 56, 144, 5, 2),
        depthwise(8, 28, 240, 5, 1),
        depthwise(8, 28, 240, 3, 2),
        depthwise(8, 14, 480, 3, 1),
        depthwise(8, 14, 672, 5, 1),
        depthwise(8, 14, 672, 5, 2),
        depthwise(8, 7, 1152, 5, 1),
        depthwise(32, 32, 96, 3, 1),
        depthwise(32, 32, 144, 3, 2),
        depthwise(32, 16, 240, 5, 1),
        depthwise(32, 16, 240, 5, 2),
        depthwise(32, 8, 480, 3, 1),
        Conv("27x27x96 to 256, 5x5, 2 groups", 8, 27, 96, 256, 5, 1, "same", None, 2),
        Conv("13x13x384 to 384, 2 groups", 8, 13, 384, 384, 3, 1, "same", None, 2),
        Conv("56x56x128 to 128, 32 groups", 8, 56, 128, 128, 3, 1, "same", None, 32),
        Conv("56x56x64 to 256, 1x1", 8, 56, 64, 256, 1, 1, "same"),
        Conv("28x28x512 to 128, 1x1", 8, 28, 512, 128, 1, 1, "same"),
        Conv("14x14x1024 to 256, 1x1", 8, 14, 1024, 256, 1, 1, "same"),
        Conv("7x7x2048 to 512, 1x1", 8, 7, 2048, 512, 1, 1, "same"),
        Conv("56x56x256 to 512, 1x1, step 2", 8, 56, 256, 512, 1, 2, "same"),
        Conv("14x14x1024 to 2048, 1x1, step 2", 8, 14, 1024, 2048, 1, 2, "same"),
    ],
}
DENSES = {"cnn": [(32, 2304, 128), (32, 128, 10)], "dcgan": [(64, 100, 4096)], REFERENCES: []}


class Sizes(NamedTuple):
    """How large the tasks are on the GPU; tests, whose GPU is played by the CPU, take smaller ones."""

    cnn_batch: int = 32
    dcgan_batch: int = 128
    steps: int = 16  # in one call, between two waits for the GPU: as many as `fit` records at once
    pictures: int = 50_000  # as in CIFAR-10's training set
    epochs: int = 10  # of "cnn fit"
    side: int = 8192  # of the large product's matrices
    copied: int = 1 << 28  # numbers of "copy"; no cache holds them
    most_calls: int = 100

    def calls(self, work: float) -> int:
        """How often a kernel runs in one call of its task: about a millisecond, beside which a launch is short."""
        return max(1, min(int(2e10 / work), self.most_calls))

    def batch(self, model: str) -> int:
        """Examples of a step."""
        return self.cnn_batch if model == "cnn" else self.dcgan_batch


GPU = Sizes()
PRODUCT, COPY = "product", "copy"  # of large arrays: what the processor and the memory can do at most
GPU_STEPS = {
    "cnn": {"cnn step": "a training step of the article's CNN, batch 32"},
    "dcgan": {"dcgan step": "a step of the DCGAN, batch 128: discriminator, then generator"},
}
GPU_FIT = "cnn fit", "ten epochs of the article's CNN by fit, on 50,000 pictures of 32 x 32 x 3 bytes, batch 32"
# A contestant is called by its framework, how its steps are launched, and the precision of its products.
GPU_CONTESTANTS = {
    "scratchnet": [f"scratchnet {way} {p}" for way in ("eager", "recorded") for p in ("float32", "tf32", "3xtf32")],
    "torch": [f"torch {way} {p}" for way in ("eager", "compiled", "captured") for p in ("float32", "tf32")],
}
