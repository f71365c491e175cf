"""The gradient checker accepts right backwards and rejects every kind of wrong one."""

import numpy as np
import pytest

import scratchnet as sn

RNG = np.random.default_rng(0)
PICTURES = RNG.normal(size=(2, 6, 6, 3))
ROWS = RNG.normal(size=(4, 5))


def broken(layer, change):
    """The layer with `change(layer, dx)` after its backward; the change may spoil grads, and returns dx."""

    class Broken(type(layer)):
        def backward(self, dy, *args, **kwargs):
            return change(self, super().backward(dy, *args, **kwargs))

    layer.__class__ = Broken
    return layer


def zero(name):
    def change(layer, dx):
        layer.grads[name][...] = 0
        return dx

    return change


def scale(name, factor):
    def change(layer, dx):
        layer.grads[name] *= factor
        return dx

    return change


def without_a_row(layer, dx):
    layer.grads["kernel"][0] = 0
    return dx


def square_transposed(layer, dx):
    layer.grads["kernel"][...] = layer.grads["kernel"].T.copy()
    return dx


WRONG = {
    "dx zeroed": (lambda: sn.Dense(3), ROWS, lambda layer, dx: dx * 0, "x"),
    "dx flipped in sign": (lambda: sn.Conv2D(4, 3), PICTURES, lambda layer, dx: -dx, "x"),
    "dx mirrored": (lambda: sn.Conv2D(4, 3), PICTURES, lambda layer, dx: dx[:, ::-1].copy(), "x"),
    "dx transposed": (lambda: sn.MaxPooling2D(), PICTURES, lambda layer, dx: dx.transpose(0, 2, 1, 3).copy(), "x"),
    "dx off by 1%": (lambda: sn.AveragePooling2D(), PICTURES, lambda layer, dx: dx * 1.01, "x"),
    "dx of another shape": (lambda: sn.Dense(3), ROWS, lambda layer, dx: dx[:, :4], "x"),
    "dw zeroed": (lambda: sn.Conv2D(4, 3), PICTURES, zero("kernel"), "kernel"),
    "dw flipped in sign": (lambda: sn.Conv2DTranspose(2, 3), PICTURES, scale("kernel", -1), "kernel"),
    "dw transposed": (lambda: sn.Dense(5), ROWS, square_transposed, "kernel"),
    "dw off by a millionth": (lambda: sn.DepthwiseConv2D(3), PICTURES, scale("kernel", 1 + 1e-6), "kernel"),
    "dw without a row": (lambda: sn.Dense(5), ROWS, without_a_row, "kernel"),
    "db dropped": (lambda: sn.Conv2D(4, 3), PICTURES, zero("bias"), "bias"),
    "dgamma doubled": (lambda: sn.BatchNormalization(), PICTURES, scale("gamma", 2), "gamma"),
    "softmax of zeros": (lambda: sn.Activation("softmax"), ROWS, lambda layer, dx: dx * 0, "x"),
    "relu passes all": (lambda: sn.ReLU(), ROWS, lambda layer, dx: np.where(dx == 0, 1.0, dx), "x"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_wrong_backwards_are_rejected_and_the_right_array_is_named(wrong):
    make, x, change, name = WRONG[wrong]
    assert sn.gradcheck(make(), x), "the layer itself is right"
    report = sn.gradcheck(broken(make(), change), x)
    assert not report
    assert [row.name for row in report.rows if not row.passed] == [name]
    assert "WRONG" in str(report)


def test_a_term_missing_from_batch_normalization():
    """dx without its way through the variance: nearly right, and wrong."""

    class WithoutVariance(sn.BatchNormalization):
        def call_backward(self, dy, param_grads, input_grad):
            dx = super().call_backward(dy, param_grads, input_grad)
            s = np.sqrt(self.var + self.epsilon)
            normal = (self.x - self.mean) / s
            return dx + self.gamma / s * normal * (dy * normal).mean(axis=0)

    assert sn.gradcheck(sn.BatchNormalization(), ROWS)
    report = sn.gradcheck(WithoutVariance(), ROWS)
    assert [row.name for row in report.rows if not row.passed] == ["x"]


def test_kinks_are_left_out_and_counted():
    x = np.array([[0.0, 1.0, -1.0, 2e-5, 3e-5, -7e-5, 1e-4 / 3, 0.0]])
    report = sn.gradcheck(sn.ReLU(), x)
    assert report.passed
    assert (report.rows[0].kinks, report.rows[0].checked) == (6, 2)


def test_ties_in_pooling_are_kinks():
    report = sn.gradcheck(sn.MaxPooling2D(), np.ones((1, 4, 4, 1)))
    assert not report.passed  # nothing could be checked, so nothing has passed
    assert report.rows[0].kinks == 16
    assert "NOTHING CHECKED" in str(report)


def test_wrong_backwards_cannot_hide_among_kinks():
    x = np.where(RNG.random((4, 5)) < 0.5, 0.0, ROWS)
    assert not sn.gradcheck(broken(sn.ReLU(), lambda layer, dx: dx * 1.001), x)


def test_the_layer_itself_is_left_alone():
    layer = sn.Sequential([sn.Dense(3, input_shape=(5,)), sn.BatchNormalization(), sn.Dropout(0.5)])
    before, x = layer.get_weights(), ROWS.copy()
    assert sn.gradcheck(layer, x)
    assert all(np.array_equal(a, b) and a.dtype == np.float32 for a, b in zip(before, layer.get_weights()))
    assert not any(g.any() for g in layer.grads.values())
    assert np.array_equal(x, ROWS)
    unbuilt = sn.Dense(3)
    sn.gradcheck(unbuilt, ROWS)
    assert not unbuilt.built


def test_samples_are_drawn_and_counted():
    report = sn.gradcheck(sn.Dense(30), RNG.normal(size=(4, 50)), samples=17)
    assert {row.name: row.checked for row in report.rows} == {"x": 17, "kernel": 17, "bias": 17}
    assert {row.checked for row in sn.gradcheck(sn.Dense(30), ROWS, samples=None).rows} == {20, 150, 30}


def test_losses_are_checked_too():
    assert sn.gradcheck(sn.SparseCategoricalCrossentropy(from_logits=True), ROWS, y_true=np.array([0, 1, 2, 3]))
    with pytest.raises(TypeError, match="needs its labels"):
        sn.gradcheck(sn.MeanSquaredError(), ROWS)

    class Flipped(sn.MeanSquaredError):
        def compute(self, y_true, y_pred):
            value, dy = super().compute(y_true, y_pred)
            return value, -dy

    assert not sn.gradcheck(Flipped(), ROWS, y_true=np.zeros((4, 5)))


def test_the_report_is_a_table():
    text = str(sn.gradcheck(sn.Dense(3), ROWS))
    assert [line.split()[0] for line in text.splitlines()] == ["array", "x", "kernel", "bias"]
    assert "ok" in text
