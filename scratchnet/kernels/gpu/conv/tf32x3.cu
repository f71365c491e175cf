// The fourth rung in float32's digits: each factor is split in two TF32 numbers, and three products make one.
// Tensor cores do not take float64 so: `real` is float whatever is asked for.
#undef REAL
#define REAL float
#define PRODUCTS 3
#include "common.cuh"
#include "gemm/tensor_tile.cuh"
#include "conv/products.cuh"
