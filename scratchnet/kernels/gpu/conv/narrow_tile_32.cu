// The third rung for results of few columns: tiles of 128 x 32.
#define TILE_WIDTH 32
#include "common.cuh"
#include "gemm/register_tile.cuh"
#include "conv/products.cuh"
