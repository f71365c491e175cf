"""Processes that are forked after kernels ran: they compute, with the same bits, and none hangs or dies."""

import os

import pytest
from processes import python

if not hasattr(os, "fork"):
    pytest.skip("this system has no fork", allow_module_level=True)

LAYERS = ["omp", "workqueue"]

POOL = """
import multiprocessing, numba, numpy as np
from scratchnet.kernels import cpu

x = np.random.default_rng(0).normal(size=(64, 300)).astype(np.float32)

def work(factor):
    return cpu.softmax(cpu.relu(x * factor))

right = [work(factor) for factor in range(4)]
with multiprocessing.get_context("fork").Pool(2) as pool:
    found = pool.map_async(work, range(4)).get(timeout=120)
print(numba.threading_layer(), all(map(np.array_equal, right, found)), np.array_equal(work(2), right[2]))
"""

# Every child computes, though other threads compute, train and allocate at the moment of the fork.
BUSY = """
import os, signal, threading
import numpy as np, scratchnet as sn
from scratchnet.kernels import cpu

x = np.random.default_rng(0).normal(size=(64, 300)).astype(np.float32)
model = sn.Sequential([sn.Dense(300, input_shape=(300,))])
model.compile("sgd", "mse")
right, done = cpu.softmax(x), threading.Event()

def compute():
    while not done.is_set():
        cpu.softmax(x)

def train():
    while not done.is_set():
        model.train_on_batch(x, x)

threads = [threading.Thread(target=one, daemon=True) for one in (compute, train)]
[thread.start() for thread in threads]
ends = []
for _ in range(20):
    child = os.fork()
    if child == 0:
        signal.alarm(60)  # a child that hangs is ended, and is no success
        same = np.array_equal(cpu.softmax(x), right)
        model.train_on_batch(x, x)
        os._exit(0 if same and len(model.predict(x)) == 64 else 1)
    ends.append(os.waitpid(child, 0)[1])
done.set()
[thread.join() for thread in threads]
print(ends == [0] * 20)
"""

# Other code has started the layer; the first kernel of ours runs in the child.
BEFORE_THE_FIRST_KERNEL = """
import os, numba, numpy as np
from scratchnet.kernels import cpu

numba.set_num_threads(1)
child = os.fork()
y = cpu.relu(np.array([-1, 2], np.float32))
if child == 0:
    os._exit(0 if y.tolist() == [0, 2] else 1)
print(os.waitpid(child, 0)[1], y.tolist() == [0, 2])
"""

ON_NUMBA_S_THREADS = """
import os, numpy as np
from scratchnet.kernels import cpu

x = np.array([-1, 2], np.float32)
cpu.relu(x)
child = os.fork()
if child == 0:
    for _ in range(2):
        try:
            cpu.relu(x)
            os._exit(1)
        except RuntimeError as error:
            if 'get_context("spawn")' not in str(error):
                os._exit(2)
    os._exit(0)
print(os.waitpid(child, 0)[1], cpu.relu(x).tolist() == [0, 2])
"""


@pytest.mark.parametrize("layer", LAYERS)
def test_a_pool_of_forked_processes_computes(layer):
    printed = python("-c", POOL, NUMBA_THREADING_LAYER=layer, NUMBA_NUM_THREADS="2")
    assert printed == f"{layer} True True"


@pytest.mark.parametrize("layer", LAYERS)
def test_a_fork_while_other_threads_compute(layer):
    assert python("-c", BUSY, NUMBA_THREADING_LAYER=layer, NUMBA_NUM_THREADS="2") == "True"


@pytest.mark.parametrize("layer", LAYERS)
def test_a_child_whose_parent_ran_no_kernel_of_ours(layer):
    printed = python("-c", BEFORE_THE_FIRST_KERNEL, NUMBA_THREADING_LAYER=layer, NUMBA_NUM_THREADS="2")
    assert printed == "0 True"


def test_on_numba_s_threads_a_child_says_what_to_do():
    assert python("-c", ON_NUMBA_S_THREADS, SCRATCHNET_THREADS="numba") == "0 True"
