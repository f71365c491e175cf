"""The exercises of chapter 2: their answers lead on."""

import re

from scratchnet import check


def test_lenet_has_the_parameters_of_its_layers():
    lenet = check.count_parameters.cases[-1]
    assert check.count_parameters.right(*lenet) == 156 + 2416 + 48120 + 10164 + 850


def test_two_layers_show_the_relative_error_of_each_gradient():
    def means(x, w, b, w2, b2, dy):
        y, dx, dw, db, dw2, db2 = check.two_layers.right(x, w, b, w2, b2, dy)
        return y, dx, dw / len(x), db, dw2, db2

    answer = repr(check.two_layers(means))
    assert "relative error" in answer
    assert re.search(r"dw +0\.5 +wrong", answer)
    assert re.search(r"dx +< 1e-12 +right", answer)


def test_functions_among_the_arguments_are_named():
    answer = repr(check.shift_error(lambda f, x: 5.0))
    assert "(brighter, [[1., 2., 3.]])" in answer
