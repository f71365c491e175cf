// Activations and their gradients: one thread an element; softmax has a block for each row.
#include "common.cuh"

#define ROW_THREADS 128

extern "C" {

// y = limit where x > limit, x where threshold <= x, else slope * (x - threshold). NaN is not below, and passes.
__global__ void relu(const real* __restrict__ x, real slope, real threshold, real limit, real* __restrict__ y,
                     long long n) {
    long long e = element();
    if (e >= n) return;
    real low = slope != 0 ? slope * (x[e] - threshold) : slope;  // no 0 * inf
    real middle = x[e] < threshold ? low : x[e];
    y[e] = middle > limit ? limit : middle;
}

// dx = 0 where x > limit, dy where x > threshold, else slope * dy.
__global__ void relu_backward(const real* __restrict__ dy, const real* __restrict__ x, real slope, real threshold,
                              real limit, real* __restrict__ dx, long long n) {
    long long e = element();
    if (e >= n) return;
    real low = slope != 0 ? slope * dy[e] : slope;
    real middle = x[e] <= threshold ? low : dy[e];
    dx[e] = x[e] > limit ? 0 : middle;
}

}  // extern "C"

// 1 / (1 + exp(-x)), from the exponential of a number that is not positive: it cannot overflow.
__device__ __forceinline__ real sigmoid_of(real x) {
    real small = exp(-fabs(x));
    return x >= 0 ? 1 / (1 + small) : small / (1 + small);
}

extern "C" {

__global__ void sigmoid(const real* __restrict__ x, real* __restrict__ y, long long n) {
    long long e = element();
    if (e < n) y[e] = sigmoid_of(x[e]);
}

__global__ void sigmoid_backward(const real* __restrict__ dy, const real* __restrict__ y, real* __restrict__ dx,
                                 long long n) {
    long long e = element();
    if (e < n) dx[e] = dy[e] * y[e] * (1 - y[e]);
}

__global__ void tanh_forward(const real* __restrict__ x, real* __restrict__ y, long long n) {
    long long e = element();
    if (e < n) y[e] = tanh(x[e]);
}

__global__ void tanh_backward(const real* __restrict__ dy, const real* __restrict__ y, real* __restrict__ dx,
                              long long n) {
    long long e = element();
    if (e < n) dx[e] = dy[e] * (1 - y[e] * y[e]);
}

__global__ void silu(const real* __restrict__ x, real* __restrict__ y, long long n) {
    long long e = element();
    if (e < n) y[e] = x[e] * sigmoid_of(x[e]);
}

// dx = dy * (s + x * s * (1 - s)) with s = sigmoid(x).
__global__ void silu_backward(const real* __restrict__ dy, const real* __restrict__ x, real* __restrict__ dx,
                              long long n) {
    long long e = element();
    if (e >= n) return;
    real s = sigmoid_of(x[e]);
    dx[e] = dy[e] * (s + x[e] * s * (1 - s));
}

// Row r of y is the softmax of row r of x, K numbers each. The threads of a block take every 128th number of a row.
__global__ void __launch_bounds__(ROW_THREADS) softmax(const real* __restrict__ x, real* __restrict__ y, int K) {
    __shared__ real shared[ROW_THREADS];
    const real* row = x + (long long)blockIdx.x * K;
    real* out = y + (long long)blockIdx.x * K;
    real most = block_max<real, ROW_THREADS>(row, K, shared);
    real total = 0;
    for (int k = threadIdx.x; k < K; k += ROW_THREADS) total += exp(row[k] - most);
    total = block_sum<real, ROW_THREADS>(total, shared);
    for (int k = threadIdx.x; k < K; k += ROW_THREADS) out[k] = exp(row[k] - most) / total;
}

// dx = y * (dy - the row's sum of dy * y).
__global__ void __launch_bounds__(ROW_THREADS) softmax_backward(const real* __restrict__ dy, const real* __restrict__ y,
                                                                real* __restrict__ dx, int K) {
    __shared__ real shared[ROW_THREADS];
    long long row = (long long)blockIdx.x * K;
    real inner = 0;
    for (int k = threadIdx.x; k < K; k += ROW_THREADS) inner += dy[row + k] * y[row + k];
    inner = block_sum<real, ROW_THREADS>(inner, shared);
    for (int k = threadIdx.x; k < K; k += ROW_THREADS) dx[row + k] = y[row + k] * (dy[row + k] - inner);
}

}  // extern "C"
