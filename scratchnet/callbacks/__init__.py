"""Callbacks: what happens beside training. Names and arguments are Keras's, where Keras has them."""

from scratchnet.callbacks.averaging import ExponentialMovingAverage, Lookahead
from scratchnet.callbacks.backup import BackupAndRestore
from scratchnet.callbacks.base import Callback, CallbackList, History, Logs, log_text
from scratchnet.callbacks.checkpoint import ModelCheckpoint
from scratchnet.callbacks.csv_logger import CSVLogger
from scratchnet.callbacks.freezing import FreezeLayers
from scratchnet.callbacks.functions import LambdaCallback, TensorBoard, TerminateOnNaN
from scratchnet.callbacks.progress import ProgressLine, progress_bar, timing_text
from scratchnet.callbacks.rates import LearningRateScheduler, ReduceLROnPlateau
from scratchnet.callbacks.stopping import EarlyStopping

__all__ = [
    "BackupAndRestore",
    "CSVLogger",
    "Callback",
    "CallbackList",
    "EarlyStopping",
    "ExponentialMovingAverage",
    "FreezeLayers",
    "History",
    "LambdaCallback",
    "LearningRateScheduler",
    "Logs",
    "Lookahead",
    "ModelCheckpoint",
    "ProgressLine",
    "ReduceLROnPlateau",
    "TensorBoard",
    "TerminateOnNaN",
    "log_text",
    "progress_bar",
    "timing_text",
]
