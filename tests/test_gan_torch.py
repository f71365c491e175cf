"""Same start, same numbers as the same DCGAN in PyTorch. Optional: skipped where PyTorch is not installed.

PyTorch may be in another Python: its path is then in SCRATCHNET_TORCH_PYTHON.
"""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import scratchnet as sn

PYTHON = os.environ.get("SCRATCHNET_TORCH_PYTHON") or (sys.executable if importlib.util.find_spec("torch") else None)
pytestmark = pytest.mark.skipif(
    PYTHON is None, reason="the comparison needs PyTorch: pip install torch, or SCRATCHNET_TORCH_PYTHON=path/to/python"
)
STEPS, LATENT, WIDTH, BATCH = 10, 20, 16, 16


def test_ten_steps_of_a_dcgan(tmp_path):
    sn.set_random_seed(0)
    generator, discriminator = sn.zoo.dcgan(16, 3, LATENT, WIDTH)
    (x, _), _ = sn.datasets.shapes10.load_data(BATCH * STEPS, 0)
    real = (x[:, ::2, ::2] / np.float32(127.5) - 1).reshape(STEPS, BATCH, 16, 16, 3)
    noise = np.random.default_rng(0).standard_normal((STEPS, BATCH, LATENT), dtype=np.float32)
    arrays = {f"{name}_{i:02d}": a for name, many in (("real", real), ("noise", noise)) for i, a in enumerate(many)}
    for name, network in (("g", generator), ("d", discriminator)):
        arrays |= {f"{name}_{i:02d}": array for i, array in enumerate(network.get_weights())}
    np.savez(tmp_path / "start.npz", **arrays)
    program = Path(__file__).with_name("with_torch.py")
    done = subprocess.run([PYTHON, program, tmp_path / "start.npz"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    theirs = np.load(tmp_path / "start.out.npz")

    gan = sn.GAN(generator, discriminator, LATENT)
    gan.compile()
    latents = iter(noise)
    gan.latents = lambda n, seed=None: next(latents)
    ours = [gan.train_on_batch(batch) for batch in real]
    ours = np.array([(logs["d_loss"], logs["g_loss"]) for logs in ours])
    assert np.abs(ours - theirs["losses"]).max() < 1e-3
    assert np.abs(np.diff(ours, axis=0)).max() > 0.05  # they moved
    # In inference the moving variances show: PyTorch takes in R / (R - 1) of a batch's, Keras and we the batch's own.
    np.testing.assert_allclose(gan.decode(noise[0]), theirs["pictures"], atol=0.01)
