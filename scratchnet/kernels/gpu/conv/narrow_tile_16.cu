// The third rung for results of few columns: tiles of 128 x 16.
#define TILE_WIDTH 16
#include "common.cuh"
#include "gemm/register_tile.cuh"
#include "conv/products.cuh"
