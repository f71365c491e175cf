// The second rung: 16 x 16 tiles in shared memory, one sum a thread.
#include "common.cuh"
#include "gemm/shared_tile.cuh"
#include "conv/products.cuh"
