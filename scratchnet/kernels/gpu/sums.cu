// Sums of all numbers of an array, in two stages: each block adds up a part, then one block adds up the parts. Which
// number is added to which follows from the size alone: the same bits in every run.
#include "common.cuh"

#define THREADS 256
#define PART 8192  // numbers of a block

extern "C" {

// partial[b] is the sum of the squares of part b, in float64.
__global__ void __launch_bounds__(THREADS) square_sums(const real* __restrict__ x, double* __restrict__ partial,
                                                       long long size) {
    __shared__ double shared[THREADS];
    long long first = (long long)blockIdx.x * PART, end = first + PART < size ? first + PART : size;
    double total = 0;
    for (long long e = first + threadIdx.x; e < end; e += THREADS) total += (double)x[e] * x[e];
    total = block_sum<double, THREADS>(total, shared);
    if (threadIdx.x == 0) partial[blockIdx.x] = total;
}

// The sum of the parts, by one block.
__global__ void __launch_bounds__(THREADS) sum_parts(const double* __restrict__ partial, double* __restrict__ total,
                                                     int parts) {
    __shared__ double shared[THREADS];
    double mine = 0;
    for (int p = threadIdx.x; p < parts; p += THREADS) mine += partial[p];
    mine = block_sum<double, THREADS>(mine, shared);
    if (threadIdx.x == 0) *total = mine;
}

}  // extern "C"
