"""Layers of several inputs: against loops, gradients, and what does not fit."""

import numpy as np
import pytest

import scratchnet as sn
from scratchnet import layers

RNG = np.random.default_rng(0)
KINDS = ["Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum"]
LOOPS = {
    "Add": sum,
    "Subtract": lambda values: values[0] - values[1],
    "Multiply": np.prod,
    "Average": np.mean,
    "Maximum": max,
    "Minimum": min,
}
SHAPES = [((2, 3), (2, 3)), ((3, 2, 4, 1), (3, 1, 1, 5)), ((1, 1), (1, 1)), ((2, 1, 3), (2, 4, 1))]


def arrays(shapes, dtype=np.float64):
    return [RNG.normal(size=shape).astype(dtype) for shape in shapes]


@pytest.mark.parametrize("shapes", SHAPES)
@pytest.mark.parametrize("kind", KINDS)
def test_element_by_element_and_its_gradients(kind, shapes):
    x = arrays(shapes)
    y = getattr(layers, kind)().forward(x)
    wide = np.broadcast_arrays(*x)
    for place in np.ndindex(y.shape):
        assert y[place] == pytest.approx(LOOPS[kind]([one[place] for one in wide]), rel=1e-12)
    report = sn.gradcheck(getattr(layers, kind)(), x)
    assert report, report


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "Subtract"])
def test_one_three_and_five_inputs(kind):
    for count in (1, 3, 5):
        report = sn.gradcheck(getattr(layers, kind)(), arrays([(2, 3)] * count))
        assert report, report


def test_of_equals_the_first_gets_the_gradient():
    x = [np.array([[1.0, 2.0, np.nan]]), np.array([[1.0, 3.0, 0.0]]), np.array([[1.0, 3.0, 0.0]])]
    layer = layers.Maximum()
    np.testing.assert_array_equal(layer.forward(x), [[1, 3, np.nan]])
    np.testing.assert_array_equal(np.stack(layer.backward(np.ones((1, 3))))[:, 0], [[1, 0, 1], [0, 1, 0], [0, 0, 0]])
    assert np.isnan(layers.Minimum().forward(x)[0, 2])


@pytest.mark.parametrize("axis", [-1, 1, 2, -2])
def test_concatenate(axis):
    shapes = [[2, 3, 4, 5] for _ in range(3)]
    for size, shape in zip((1, 2, 4), shapes):
        shape[axis] = size
    x = arrays(shapes)
    np.testing.assert_array_equal(layers.Concatenate(axis).forward(x), np.concatenate(x, axis))
    report = sn.gradcheck(layers.Concatenate(axis), x)
    assert report, report


@pytest.mark.parametrize("normalize", [False, True])
@pytest.mark.parametrize(
    ("axes", "shapes", "rule"),
    [
        (1, ((3, 4), (3, 4)), "nk,nk->n"),
        ((2, 1), ((2, 3, 4), (2, 4, 5)), "nik,nkj->nij"),
        (-1, ((2, 3, 4), (2, 4)), "nik,nk->ni"),
        ((1, 2), ((2, 4, 3), (2, 5, 4)), "nki,njk->nij"),
    ],
)
def test_dot(axes, shapes, rule, normalize):
    x = arrays(shapes)
    y = layers.Dot(axes, normalize=normalize).forward(x)
    pair = axes if isinstance(axes, tuple) else (axes, axes)
    if normalize:
        x = [one / np.linalg.norm(one, axis=axis, keepdims=True) for one, axis in zip(x, pair)]
    expected = np.einsum(rule, *x)
    np.testing.assert_allclose(y, expected.reshape(y.shape), rtol=1e-12)
    assert y.ndim >= 2
    report = sn.gradcheck(layers.Dot(axes, normalize=normalize), arrays(shapes))
    assert report, report


def test_functions_are_the_layers():
    a, b = sn.Input((3,)), sn.Input((3,))
    for name in ("add", "subtract", "multiply", "average", "maximum", "minimum", "concatenate", "dot"):
        tensor = getattr(layers, name)([a, b])
        assert type(tensor.node.layer).__name__.lower() == name
    assert layers.concatenate([a, b], axis=1).shape == (None, 6)


def test_float32_stays_and_memory_is_the_caller_s():
    x = arrays([(2, 3), (2, 3)], np.float32)
    for kind in [*KINDS, "Concatenate"]:
        layer = getattr(layers, kind)()
        kept = [one.copy() for one in x]
        y = layer.forward(x)
        assert y.dtype == np.float32
        expected = layer.backward(np.ones_like(y))
        y = layer.forward(x)
        y[...] = 7
        gradients = layer.backward(np.ones_like(y))
        assert [g.dtype for g in gradients] == [np.float32] * 2
        for one, other in zip(gradients, expected):
            np.testing.assert_array_equal(one, other)
        gradients[0][...] = 9
        np.testing.assert_array_equal(gradients[1], expected[1])
        for one, other in zip(x, kept):
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    ("make", "x", "message"),
    [
        (
            layers.Add,
            np.ones((2, 3)),
            r"Add 'add\w*': expected inputs as a list of arrays, got .*layer\(",
        ),
        (layers.Subtract, [np.ones((2, 3))], "expected a list of 2 inputs, got 1"),
        (layers.Subtract, [np.ones((2, 3))] * 3, "expected a list of 2 inputs, got 3"),
        (layers.Add, [], "expected a list of at least 1 inputs, got 0"),
        (layers.Add, [np.ones((2, 3)), np.ones((2, 4))], r"the same shape, or sizes of 1, got \(N, 3\), \(N, 4\)"),
        (layers.Add, [np.ones((2, 3)), np.ones((2, 3, 1))], "the same shape"),
        (layers.Add, [np.ones((2, 3)), np.ones((3, 3))], "as many examples each"),
        (layers.Add, [np.ones((0, 3)), np.ones((0, 3))], "at least one"),
        (layers.Add, [np.ones((2, 3)), "text"], "inputs\\[1\\]"),
        (layers.Concatenate, [np.ones((2, 3, 1)), np.ones((2, 4, 1))], "the same sizes, but for axis 2"),
        (lambda: layers.Concatenate(0), [np.ones((2, 3))] * 2, "expected an axis from 1 to 1, got 0"),
        (lambda: layers.Concatenate(2), [np.ones((2, 3))] * 2, "expected an axis from 1 to 1, got 2"),
        (lambda: layers.Dot(1), [np.ones((2, 3)), np.ones((2, 4))], "one size on axes"),
        (lambda: layers.Dot(0), [np.ones((2, 3))] * 2, "from 1 on"),
        (lambda: layers.Dot((1, 2, 3)), [np.ones((2, 3))] * 2, "expected axes as a whole number or a pair"),
    ],
)
def test_what_does_not_fit(make, x, message):
    with pytest.raises(ValueError, match=message):
        make().forward(x)
