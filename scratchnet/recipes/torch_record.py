"""The record run in PyTorch, to compare with: the same network, first weights, pictures, settings and number of steps.

Its network is that of `scratchnet.zoo.airbench`, layer by layer; tests/test_recipes_record.py compares steps of both.
One thing is PyTorch's own: its SGD multiplies all that the momentum remembers by the rate of the step that is made,
Keras's and ours each gradient by the rate of its own step. While the rate rises, PyTorch is a few steps ahead.

It is run as a program by a Python that has PyTorch, which need not have scratchnet:

    python torch_record.py DATA.npz RESULT.json BACKUP.pt SETTINGS   (as `record_run.torch_data` and `torch_settings`
                                                                      give them; SETTINGS is JSON)

After each pass over the pictures all is kept in BACKUP.pt; started again, it goes on from there.
"""

from __future__ import annotations

import json
import os
import sys
import time

import numpy as np
import torch
from torch import nn
from torch.nn.functional import cross_entropy


class Scale(nn.Module):
    """The scores divided by 9."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """x / 9."""
        return x * (1 / 9)


def network(weights: list[np.ndarray]) -> nn.Sequential:
    """`zoo.airbench` with these weights, in the order of `model.get_weights()`; their shapes say its widths."""
    left = list(weights)

    def convolution(padding: int, bias: bool = False) -> nn.Module:
        kernel = left.pop(0)
        layer = nn.Conv2d(kernel.shape[2], kernel.shape[3], kernel.shape[0], padding=padding, bias=bias)
        layer.weight.data.copy_(torch.from_numpy(kernel.transpose(3, 2, 0, 1).copy()))
        if bias:
            layer.bias.data.copy_(torch.from_numpy(left.pop(0)))
        return layer

    def normalization() -> nn.Module:
        beta, _, _ = (left.pop(0) for _ in range(3))  # mean and variance of 0 and 1, as here
        layer = nn.BatchNorm2d(len(beta), eps=1e-12, momentum=0.4)
        layer.weight.requires_grad_(False)
        return layer

    layers = [convolution(0, bias=True), nn.GELU()]
    layers[0].weight.requires_grad_(False)
    for _ in range(3):
        layers += [convolution(1), nn.MaxPool2d(2), normalization(), nn.GELU()]
        layers += [convolution(1), normalization(), nn.GELU()]
    kernel = left.pop(0)
    dense = nn.Linear(*kernel.shape, bias=False)
    dense.weight.data.copy_(torch.from_numpy(kernel.T.copy()))
    return nn.Sequential(*layers, nn.MaxPool2d(3), nn.Flatten(), dense, Scale()).to(memory_format=torch.channels_last)


def optimizer_of(net: nn.Sequential, s: dict) -> torch.optim.SGD:
    """SGD with two groups, the normalizations' biases and all else that learns; each has its `factor`."""
    biases = [layer.bias for layer in net if isinstance(layer, nn.BatchNorm2d)]
    ids = set(map(id, biases))
    others = [p for p in net.parameters() if p.requires_grad and id(p) not in ids]
    groups = [{"params": biases, "factor": s["bias_factor"]}, {"params": others, "factor": 1.0}]
    return torch.optim.SGD(groups, lr=1.0, momentum=s["momentum"], nesterov=True)


def step(
    net: nn.Sequential, optimizer: torch.optim.SGD, x: torch.Tensor, y: torch.Tensor, rate: float, s: dict
) -> tuple[float, float]:
    """(loss, accuracy) of a batch before the update that it makes; weights decay first, as in `scratchnet.SGD`."""
    scores = net(x)
    loss = cross_entropy(scores, y, label_smoothing=s["label_smoothing"])
    optimizer.zero_grad()
    loss.backward()
    with torch.no_grad():
        for group in optimizer.param_groups:
            group["lr"] = rate * group["factor"]
            for p in group["params"]:
                if p.grad is not None:
                    p.mul_(1 - rate * s["weight_decay"])
    optimizer.step()
    return loss.item(), (scores.argmax(1) == y).float().mean().item()


def go_back(net: nn.Sequential, slow: dict[str, torch.Tensor], share: float) -> None:
    """Lookahead: the slow weights take in a share of the weights, which go on from there."""
    with torch.no_grad():
        for name, array in net.state_dict().items():
            if array.dtype.is_floating_point:
                slow[name].lerp_(array, share)
                array.copy_(slow[name])


def normalized(x: np.ndarray, s: dict) -> torch.Tensor:
    """Bytes (N, H, W, C) as floats (N, C, H, W) with the channels last in memory, of mean 0 and deviation 1."""
    x = ((x - np.array(s["mean"], np.float32)) / np.array(s["deviation"], np.float32)).astype(np.float32)
    return torch.from_numpy(x.transpose(0, 3, 1, 2))


def augmented(padded: np.ndarray, mirrored: np.ndarray, index: np.ndarray, shifts: np.ndarray, size: int) -> np.ndarray:
    """The pictures of these numbers, each cut out at its own place, or mirrored as well."""
    cut = np.empty((len(index), size, size, padded.shape[3]), padded.dtype)
    for i, (picture, (row, column)) in enumerate(zip(index, shifts)):
        part = padded[picture, row : row + size, column : column + size]
        cut[i] = part[:, ::-1] if mirrored[picture] else part
    return cut


def accuracies(net: nn.Module, x: np.ndarray, y: np.ndarray, s: dict) -> tuple[float, float]:
    """The test accuracies by the mean of the scores of all views, and by the pictures as they are."""
    net.eval()
    h, w = x.shape[1:3]
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="symmetric")
    scores = []
    with torch.no_grad():
        for weight, moved in ((1 / 4, x), (1 / 8, padded[:, :h, :w]), (1 / 8, padded[:, 2:, 2:])):
            for view in (moved, moved[:, :, ::-1]):
                parts = [net(normalized(view[start : start + 500], s)) for start in range(0, len(x), 500)]
                scores.append((weight, torch.cat(parts)))
    both = sum(weight * one for weight, one in scores), scores[0][1]
    with_views, plain = (float((one.argmax(1).numpy() == y.ravel()).mean()) for one in both)
    return with_views, plain


def train(data: dict[str, np.ndarray], backup: str, s: dict) -> dict:
    """Train to the end, from the backup if there is one; what the JSON file holds."""
    torch.set_num_threads(s["threads"])
    x, y = data["x"], torch.from_numpy(data["y"].ravel().astype(np.int64))
    weights = [data[f"weight_{i}"] for i in range(sum(name.startswith("weight_") for name in data))]
    net = network(weights)
    optimizer = optimizer_of(net, s)
    slow = {name: array.clone() for name, array in net.state_dict().items()}
    history, seconds, first = [], 0.0, 0
    if os.path.exists(backup):
        kept = torch.load(backup, weights_only=True)
        net.load_state_dict(kept["net"])
        optimizer.load_state_dict(kept["optimizer"])
        slow, history, seconds, first = kept["slow"], kept["history"], kept["seconds"], len(kept["history"])
    size, pad, n = x.shape[1], s["translation"], s["batch_size"]
    padded = np.pad(x, ((0, 0), (pad, pad), (pad, pad), (0, 0)), mode="symmetric")
    flipped = np.random.default_rng([s["seed"], 0]).random(len(x)) < 0.5
    t = first * -(-len(x) // n)
    for epoch in range(first, s["epochs"]):
        start, sums = time.perf_counter(), np.zeros(2)
        rng = np.random.default_rng([s["seed"], 1, epoch])
        order, mirrored = rng.permutation(len(x)), flipped ^ (epoch % 2 == 1)
        net.train()
        if epoch == s["bias_epochs"]:
            net[0].bias.grad = None
        net[0].bias.requires_grad_(epoch < s["bias_epochs"])
        for place in range(0, len(x), n):
            index = order[place : place + n]
            pictures = augmented(padded, mirrored, index, rng.integers(0, 2 * pad + 1, (len(index), 2)), size)
            found = step(net, optimizer, normalized(pictures, s), y[index], float(data["rates"][t]), s)
            t += 1
            sums += np.multiply(found, len(index))
            if t % s["sync_period"] == 0:
                go_back(net, slow, float(data["shares"][t - 1]))
        seconds += time.perf_counter() - start
        loss, accuracy = (sums / len(x)).tolist()
        history.append({"epoch": epoch + 1, "loss": loss, "accuracy": accuracy})
        print(f"PyTorch, epoch {epoch + 1}: loss {loss:.4f}, accuracy {accuracy:.4f}, {seconds:.0f} s", flush=True)
        kept = {"net": net.state_dict(), "optimizer": optimizer.state_dict(), "slow": slow}
        torch.save({**kept, "history": history, "seconds": seconds}, f"{backup}.part")
        os.replace(f"{backup}.part", backup)
    go_back(net, slow, 0.0)
    with_views, plain = accuracies(net, data["x_test"], data["y_test"], s)
    return {
        "with": f"PyTorch {torch.__version__}, {torch.get_num_threads()} threads",
        "seconds": round(seconds, 1),
        "steps": t,
        "test_accuracy": with_views,
        "test_accuracy_plain": plain,
        "history": history,
    }


if __name__ == "__main__":
    data_path, result_path, backup_path, settings = sys.argv[1:]
    found = train(dict(np.load(data_path)), backup_path, json.loads(settings))
    with open(result_path, "w") as file:
        json.dump(found, file)
