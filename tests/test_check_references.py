"""The exercises on the references: their answers are those of the package's layers and networks."""

import numpy as np
import pytest

import scratchnet as sn
from scratchnet import check
from scratchnet.check import references


def as_written(x, w, dy):
    """The listing of the notebook, with its three faults."""
    inputs = []
    for w1, w2 in w:
        inputs.append(x)
        x = np.maximum(x @ w1, 0)
        x = (x + x @ w2) / 2
    y = x
    dw = np.zeros(w.shape)
    for b in reversed(range(len(w))):
        x, (w1, w2) = inputs[b], w[b]
        h = np.maximum(x @ w1, 0)
        dh = dy @ w2.T * (h > 0)
        dw[b] = x.T @ dh, h.T @ dy
        dy = dh @ w1.T
    return y, dy, dw


def test_the_listing_as_it_is_written_does_not_pass_and_no_fault_is_given_away():
    verdict = check.deep_network(as_written)
    assert not verdict
    assert repr(verdict).endswith(references.UNMENDED)
    assert not any(hint in repr(verdict) for hint in references._FAULTS)


def test_a_fault_that_is_left_is_named():
    for hint, fault in references._FAULTS.items():
        verdict = check.deep_network(lambda x, w, dy, fault=fault: references._deep(x, w, dy, (fault,)))
        assert repr(verdict).endswith(f"still in it: {hint}.")


@pytest.mark.parametrize("name", ["residual_block", "squeeze_excitation", "deep_network"])
def test_gradients_of_the_answers_are_those_of_small_changes(name):
    exercise = getattr(check, name)
    *inputs, dy = exercise.cases[-1]
    y, *gradients = exercise.right(*inputs, dy)
    assert y.shape == dy.shape
    for place, gradient in enumerate(gradients):
        measured = np.zeros(inputs[place].shape)
        for index in np.ndindex(*measured.shape):
            ends = []
            for step in (1e-6, -1e-6):
                moved = [array.copy() for array in inputs]
                moved[place][index] += step
                ends.append(np.sum(dy * exercise.right(*moved, dy)[0]))
            measured[index] = (ends[0] - ends[1]) / 2e-6
        np.testing.assert_allclose(gradient, measured, rtol=1e-5, atol=1e-6)


def test_residual_block_is_the_graph_of_layers():
    x, w1, w2, dy = check.residual_block.cases[-1]
    inputs = sn.Input((3,))
    h = sn.Dense(3, "relu", use_bias=False)(inputs)
    model = sn.Model(inputs, sn.ReLU()(sn.Add()([inputs, sn.Dense(3, use_bias=False)(h)])), dtype="float64")
    model.set_weights([w1, w2])
    y, dx, *_ = check.residual_block.right(x, w1, w2, dy)
    np.testing.assert_allclose(model.forward(x), y)
    np.testing.assert_allclose(model.backward(dy), dx)


def test_squeeze_excitation_is_the_graph_of_layers():
    x, w1, w2, dy = check.squeeze_excitation.cases[-1]
    inputs = sn.Input(x.shape[1:])
    s = sn.GlobalAveragePooling2D(keepdims=True)(inputs)
    s = sn.Dense(4, "sigmoid", use_bias=False)(sn.Dense(2, "relu", use_bias=False)(s))
    model = sn.Model(inputs, sn.Multiply()([inputs, s]), dtype="float64")
    model.set_weights([w1, w2])
    y, dx, *_ = check.squeeze_excitation.right(x, w1, w2, dy)
    np.testing.assert_allclose(model.forward(x), y)
    np.testing.assert_allclose(model.backward(dy), dx)


def test_count_of_a_separable_convolution_is_the_layer_s():
    model = sn.Sequential([sn.SeparableConv2D(8, (5, 3), padding="same", use_bias=False, input_shape=(6, 7, 4))])
    assert check.depthwise_count.right(5, 3, 4, 8, 6, 7) == (model.count_params(), model.multiply_adds())
