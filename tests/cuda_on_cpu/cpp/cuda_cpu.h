// What a kernel sees when g++ compiles it: the part of CUDA C++ that the package's kernels use, in C++17.
// compiler.py puts this file in front of the text of a .cu file. The other side, which plays the threads, is compiled
// once for all kernels: fibers.cpp (stacks), block.cpp (who runs when, barriers), warp.cpp, tensor_core.cpp,
// copies.cpp, shared_memory.cpp. Its functions are in the namespace shim.
#pragma once

#define __CUDA_CPU_SHIM__ 1  // for the few lines of a kernel that are PTX on the GPU and a call to shim:: here

#include "types.h"
#include "barrier.h"
#include "copies.h"
#include "functions.h"
#include "launch.h"
#include "shared_memory.h"
#include "tensor_core.h"
#include "warp.h"
