"""The same bits for any number of threads, and no harm from several Python threads at once."""

import hashlib
import subprocess
import sys

import pytest
from processes import python

# A training run through every kind of layer, kernel and optimizer; it prints a hash of all its weights and outputs.
RUN = """
import hashlib, numpy as np, scratchnet as sn
sn.set_random_seed(3)
(x, y), _ = sn.datasets.shapes10.load_data(96, 0)
x = (x / 255).astype(np.float32)
digest = hashlib.sha256()
for optimizer in (sn.Adam(1e-2), sn.RMSprop(1e-3, centered=True, momentum=0.5), sn.SGD(1e-2, 0.9, nesterov=True)):
    squeeze = [sn.GlobalAveragePooling2D(keepdims=True), sn.Dense(16, activation="sigmoid")]
    model = sn.Sequential([
        sn.Conv2D(16, 3, strides=2, padding="same", activation="leaky_relu", input_shape=(32, 32, 3)),
        sn.DepthwiseConv2D(3, padding="same", activation="silu"), sn.BatchNormalization(),
        sn.Parallel([[], squeeze], merge="multiply"), sn.MaxPooling2D(3, strides=2, padding="same"),
        sn.Conv2DTranspose(9, 4, strides=2, padding="same", activation="tanh"), sn.AveragePooling2D(2),
        sn.UpSampling2D(), sn.Conv2D(64, 1), sn.Conv2D(64, 3, padding="same", activation="relu"),
        sn.AveragePooling2D(4), sn.Dropout(0.3), sn.Flatten(), sn.Dense(33, activation="relu"),
        sn.Dense(10, activation="softmax"),
    ])
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    record = model.fit(x, y, epochs=2, batch_size=25, verbose=0)
    for array in (*model.get_weights(), model.predict(x), np.array(record.history["loss"])):
        digest.update(array.tobytes())
print(digest.hexdigest())
"""

# Eight Python threads compute at once; Numba's workqueue layer would end the process if two kernels ran at a time.
TOGETHER = """
import threading, numpy as np
from scratchnet.kernels import cpu
x = np.random.default_rng(0).normal(size=(64, 300)).astype(np.float32)
expected, results = cpu.softmax(cpu.relu(x)), []
def work():
    for _ in range(50):
        results.append(np.array_equal(cpu.softmax(cpu.relu(x)), expected))
threads = [threading.Thread(target=work) for _ in range(8)]
[t.start() for t in threads]
[t.join() for t in threads]
import numba
print(numba.threading_layer(), len(results), all(results))
"""


# By a kernel that is not ours, so that a fault of ours is none of the layer's.
IS_THERE = """
import numba
@numba.njit(parallel=True)
def count(n):
    total = 0
    for i in numba.prange(n):
        total += 1
    return total
try:
    count(10)
    print(numba.threading_layer())
except ValueError as error:
    assert "No threading layer could be loaded" in str(error), error
"""


def test_a_training_run_gives_the_same_bits_on_1_2_and_4_threads():
    results = {python("-c", RUN, NUMBA_NUM_THREADS=str(threads)) for threads in (1, 2, 4)}
    assert len(results) == 1
    assert len(results.pop()) == hashlib.sha256().digest_size * 2


def test_a_training_run_gives_the_same_bits_beside_other_work():
    neighbours = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(2)]
    try:
        busy = python("-c", RUN, NUMBA_NUM_THREADS="2")
    finally:
        for neighbour in neighbours:
            neighbour.kill()
            neighbour.wait()
    assert busy == python("-c", RUN, NUMBA_NUM_THREADS="2")


@pytest.mark.parametrize("layer", ["workqueue", "omp", "tbb"])
def test_several_python_threads_at_once(layer):
    environment = {"NUMBA_THREADING_LAYER": layer, "NUMBA_NUM_THREADS": "2"}
    if python("-c", IS_THERE, **environment) != layer:
        pytest.skip(f"Numba's threading layer {layer} is not on this machine")
    assert python("-c", TOGETHER, **environment) == f"{layer} 400 True"


# Counting references in memory that all threads share would make many threads wait for each other.
COUNTS = """
import numpy as np
from scratchnet.kernels import cpu
from scratchnet.kernels.cpu.conv import direct
from scratchnet.kernels.cpu.compiling.cache import variant
from scratchnet.kernels.cpu.runtime.jit import parallel, serial
x, w = np.ones((2, 6, 6, 3), np.float32), np.ones((3, 3, 3, 32), np.float32)
expected = cpu.conv2d(x, w, None, (1, 1), ((0, 0), (0, 0)))
kernel = direct._direct_conv2d
direct._direct_conv2d = counting = parallel(variant("counting")(kernel.compiled.py_func), makes_arrays=True)
print((cpu.conv2d(x, w, None, (1, 1), ((0, 0), (0, 0))) == expected).all())
for found in (kernel.compiled, counting.compiled):
    print("NRT_incref" in found.inspect_asm(found.signatures[0]))
def half(a):
    return a[: len(a) // 2]
print(serial(half, makes_arrays=True)(np.ones(4)).tolist())
try:
    serial(half)(np.ones(4))
except Exception as error:
    print("returning of array" in str(error))
"""


def test_kernels_count_no_references_unless_they_make_arrays(tmp_path):
    printed = python("-c", COUNTS, NUMBA_CACHE_DIR=str(tmp_path))
    assert printed.splitlines() == ["True", "False", "True", "[1.0, 1.0]", "True"]
