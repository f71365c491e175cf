// The third rung for results of few columns: tiles of 128 x 16, 4 x 4 sums in the registers of each thread.
#define NARROW
#include "common.cuh"
#include "gemm/register_tile.cuh"
#include "conv/products.cuh"
