// The fourth rung: 64 x 64 tiles on the tensor cores. Factors are rounded to 11 bits (TF32), sums are float32.
// Tensor cores do not take float64 so: `real` is float whatever is asked for.
#undef REAL
#define REAL float
#define PRODUCTS 1
#include "common.cuh"
#include "gemm/tensor_tile.cuh"
#include "conv/products.cuh"
