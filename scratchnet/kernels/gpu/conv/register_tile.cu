// The third rung: 64 x 64 tiles whose sums stay in registers, 8 x 4 of each thread. The default in float32 and float64.
#include "common.cuh"
#include "gemm/register_tile.cuh"
#include "conv/products.cuh"
