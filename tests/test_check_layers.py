"""The exercises of 3.1b: typical answers get the hint they need."""

import re

import numpy as np
import pytest

from scratchnet import check


@pytest.mark.parametrize(
    ("name", "answer", "hint"),
    [
        ("softmax", lambda z: np.exp(z) / np.exp(z).sum(axis=1)[:, None], "take the row's maximum off"),
        ("softmax", lambda z: np.exp(z - np.max(z)) / np.exp(z - np.max(z)).sum(1, keepdims=True), "own maximum"),
        ("dead_relus", lambda x, w, b: np.where(np.maximum(x @ w + b, 0).max(axis=0) == 0), "gives? a tuple"),
        ("dead_relus", lambda x, w, b: [k for k in range(w.shape[1]) if b[k] < 0], "the bias alone"),
        ("receptive_field", lambda layers: 1 + sum(k - 1 for k, s in layers), "neighbours lie 2 pixels apart"),
        ("batch_norm", lambda x, g, b, e, dy: x, "Expected 4 values"),
    ],
)
def test_typical_answers_get_a_hint(name, answer, hint):
    verdict = getattr(check, name)(answer)
    assert not verdict
    assert re.search(hint, repr(verdict)), verdict


def test_other_right_answers_pass():
    def softmax(z):
        shifted = z - z.max(axis=-1)[..., None]
        return np.exp(shifted - np.log(np.exp(shifted).sum(axis=-1))[..., None])

    def receptive_field(layers):
        size = 1
        for kernel, stride in reversed(layers):
            size = (size - 1) * stride + kernel
        return size

    assert check.softmax(softmax)
    assert check.receptive_field(receptive_field)
    assert check.dead_relus(lambda x, w, b: [k for k in range(w.shape[1]) if not (x @ w[:, k] + b[k] > 0).any()])


def test_the_wrong_gradient_shows_its_relative_error():
    def batch_norm(x, gamma, beta, epsilon, dy):
        y, dx, dgamma, dbeta = check.batch_norm.right(x, gamma, beta, epsilon, dy)
        return y, 1.5 * dx, dgamma, dbeta

    text = repr(check.batch_norm(batch_norm))
    assert re.search(r"dx +0\.5 +wrong", text)
    assert re.search(r"dbeta .*right", text)
