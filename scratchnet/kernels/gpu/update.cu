// The optimizers' updates, all weights of a network in one launch.
//
// Arrays are cut into parts, one for each block of threads. `table` has a row for each part: how many numbers it has,
// then the address of its first number in each of the arrays that belong together (weights, gradients, memories).
//
// The numbers of an update (rate, momentum, ...) come from the GPU's memory, not as arguments: a captured CUDA graph is
// replayed with the arguments it was captured with, and the rate and Adam's count of the steps change from step to step.
// The same for `skip`: where it is 1 (the loss was not finite, as only the GPU knows yet), nothing is changed.
//
// The loops are not unrolled: with fewer registers a thread, more blocks are at work at once, and these updates wait for
// memory, not for arithmetic.
#include "common.cuh"

#define THREADS 256

// The part of array number k in a row of the table.
__device__ __forceinline__ real* part(const long long* row, int k) { return (real*)row[1 + k]; }

extern "C" {

// m = momentum * m - lr * g; p += m, or with Nesterov p += momentum * m - lr * g.
__global__ void __launch_bounds__(THREADS) sgd(const long long* __restrict__ table, const real* __restrict__ numbers,
                                               const int* __restrict__ skip, int nesterov) {
    if (*skip) return;
    const long long* row = table + blockIdx.x * 4ll;
    int count = (int)row[0];
    real *p = part(row, 0), *m = part(row, 2);
    const real* g = part(row, 1);
    real lr = numbers[0], momentum = numbers[1];
#pragma unroll 1
    for (int e = threadIdx.x; e < count; e += THREADS) {
        real move = momentum * m[e] - lr * g[e];
        m[e] = move;
        p[e] += nesterov ? momentum * move - lr * g[e] : move;
    }
}

// v = rho * v + (1-rho) * g^2; m = momentum * m + lr * g / sqrt(v - average^2 + epsilon); p -= m. `average` is the
// running mean of g; it counts as 0, and is not touched, unless centered.
__global__ void __launch_bounds__(THREADS) rmsprop(const long long* __restrict__ table,
                                                   const real* __restrict__ numbers, const int* __restrict__ skip,
                                                   int centered) {
    if (*skip) return;
    const long long* row = table + blockIdx.x * 6ll;
    int count = (int)row[0];
    real *p = part(row, 0), *v = part(row, 2), *average = part(row, 3), *m = part(row, 4);
    const real* g = part(row, 1);
    real lr = numbers[0], rho = numbers[1], fresh = numbers[2], momentum = numbers[3], epsilon = numbers[4];
#pragma unroll 1
    for (int e = threadIdx.x; e < count; e += THREADS) {
        real square = rho * v[e] + fresh * g[e] * g[e], under = square;
        v[e] = square;
        if (centered) {
            real mean = rho * average[e] + fresh * g[e];
            average[e] = mean;
            under -= mean * mean;
        }
        real move = momentum * m[e] + lr * g[e] / sqrt(under + epsilon);
        m[e] = move;
        p[e] -= move;
    }
}

// p -= decay * p; m += (1-beta_1) * (g - m); v += (1-beta_2) * (g^2 - v); p -= rate * m / (sqrt(v) + epsilon).
__global__ void __launch_bounds__(THREADS) adam(const long long* __restrict__ table, const real* __restrict__ numbers,
                                                const int* __restrict__ skip) {
    if (*skip) return;
    const long long* row = table + blockIdx.x * 5ll;
    int count = (int)row[0];
    real *p = part(row, 0), *m = part(row, 2), *v = part(row, 3);
    const real* g = part(row, 1);
    real rate = numbers[0], fresh_1 = numbers[1], fresh_2 = numbers[2], epsilon = numbers[3], decay = numbers[4];
#pragma unroll 1
    for (int e = threadIdx.x; e < count; e += THREADS) {
        real mean = m[e] + (g[e] - m[e]) * fresh_1;
        real square = v[e] + (g[e] * g[e] - v[e]) * fresh_2;
        m[e] = mean;
        v[e] = square;
        p[e] = p[e] - decay * p[e] - rate * mean / (sqrt(square) + epsilon);
    }
}

// average += (1 - momentum) * (p - average).
__global__ void __launch_bounds__(THREADS) moving_average(const long long* __restrict__ table,
                                                          const real* __restrict__ numbers,
                                                          const int* __restrict__ skip) {
    if (*skip) return;
    const long long* row = table + blockIdx.x * 3ll;
    int count = (int)row[0];
    real* average = part(row, 0);
    const real* p = part(row, 1);
    real fresh = numbers[0];
#pragma unroll 1
    for (int e = threadIdx.x; e < count; e += THREADS) average[e] += (p[e] - average[e]) * fresh;
}

}  // extern "C"
