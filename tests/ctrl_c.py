"""Pressing Ctrl-C in tests; `python_handles_ctrl_c` in conftest.py makes it what it is at a prompt."""

import signal

import scratchnet as sn


class CtrlC(sn.Callback):
    """Presses Ctrl-C after so many batches in all."""

    def __init__(self, after):
        self.after = after

    def on_train_batch_end(self, batch, logs=None):
        self.after -= 1
        if self.after == 0:
            signal.raise_signal(signal.SIGINT)
