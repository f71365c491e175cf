"""Ctrl-C: the step that runs is finished, the history so far is kept, the model can be used and trained on."""

import asyncio
import signal
import sys
import threading

import numpy as np
import pytest

import scratchnet as sn
from scratchnet.training.data import batches
from scratchnet.training.interrupt import Interrupt

X = np.random.default_rng(0).normal(size=(40, 4)).astype(np.float32)
Y = np.arange(40) % 2


class CtrlC(sn.callbacks.Callback):
    """Presses Ctrl-C in the third epoch, `times` times."""

    def __init__(self, times=1):
        self.times, self.ended = times, False

    def on_train_batch_begin(self, batch, logs=None):
        if len(self.model.history.epoch) == 2 and batch == 1:
            for _ in range(self.times):
                signal.raise_signal(signal.SIGINT)

    def on_train_end(self, logs=None):
        self.ended = True


def model():
    sn.set_random_seed(0)
    m = sn.Sequential([sn.Dense(2, activation="softmax", input_shape=(4,))])
    m.compile("adam", "sparse_categorical_crossentropy")
    return m


@pytest.mark.usefixtures("python_handles_ctrl_c")
def test_ctrl_c_ends_after_the_step(capsys):
    m, press = model(), CtrlC()
    history = m.fit(X, Y, epochs=9, batch_size=10, callbacks=press, verbose=0)
    assert history.epoch == [0, 1]
    assert "Stopped by Ctrl-C after 2 epochs and 2 batches." in capsys.readouterr().out
    assert press.ended
    assert m.optimizer.iterations == 2 * 4 + 2
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    # The same bits as the steps that were done, done alone.
    other = model()
    other.fit(X, Y, epochs=2, batch_size=10, verbose=0)
    for index in list(batches(40, 10, True))[:2]:
        sn.train_step(other, other.loss, other.optimizer, X[index], Y[index])
    for a, b in zip(m.get_weights(), other.get_weights()):
        np.testing.assert_array_equal(a, b)
    assert m.fit(X, Y, verbose=0).epoch == [0]


@pytest.mark.usefixtures("python_handles_ctrl_c")
def test_the_second_ctrl_c_interrupts_at_once():
    m = model()
    with pytest.raises(KeyboardInterrupt):
        m.fit(X, Y, epochs=9, batch_size=10, callbacks=CtrlC(times=2), verbose=0)
    assert m.history.epoch == [0, 1]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_somebody_elses_handler_stays():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with Interrupt():
            assert signal.getsignal(signal.SIGINT) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_in_another_thread_nothing_is_replaced():
    done = []
    thread = threading.Thread(target=lambda: done.append(model().fit(X, Y, verbose=0).epoch))
    thread.start()
    thread.join()
    assert done == [[0]]


async def training(press, awaits):
    m = model()
    try:
        m.fit(X, Y, epochs=9, batch_size=10, callbacks=press, verbose=0)
        if awaits:
            await asyncio.sleep(60)
    finally:
        RUNS.append((m.history.epoch, m.optimizer.iterations))


RUNS = []


@pytest.mark.usefixtures("python_handles_ctrl_c")
@pytest.mark.skipif(sys.version_info < (3, 11), reason="asyncio handles Ctrl-C since Python 3.11")
@pytest.mark.parametrize("awaits", [True, False])
@pytest.mark.parametrize("times", [1, 2])
def test_ctrl_c_in_an_event_loop_ends_the_run_and_then_the_loop(awaits, times):
    RUNS.clear()
    press = CtrlC(times)
    with pytest.raises(KeyboardInterrupt):
        asyncio.run(training(press, awaits))
    ((epochs, steps),) = RUNS
    assert epochs == [0, 1]
    assert steps == 2 * 4 + (2 if times == 1 else 1)  # the second Ctrl-C waits for no step
    assert press.ended == (times == 1)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_event_loop_without_ctrl_c_is_left_as_it_was():
    async def train():
        before = signal.getsignal(signal.SIGINT)
        epochs = model().fit(X, Y, verbose=0).epoch
        return epochs, signal.getsignal(signal.SIGINT) == before

    assert asyncio.run(train()) == ([0], True)
