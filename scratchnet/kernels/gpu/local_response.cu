// Local response normalization: each number divided by a power of its neighbours' squares, along the channels.
//     s[c] = bias + alpha * sum over j of x[j]^2,  |j - c| <= radius;      y[c] = x[c] * s[c]^-beta
#include "common.cuh"

#define THREADS 256  // of a block of the backward; as in local_response.py

// s^-beta; the two usual powers by roots, which take a tenth of the time.
__device__ __forceinline__ real power_of(real s, real beta) {
    if (beta == real(0.75)) {
        real root = sqrt(s);
        return 1 / (root * sqrt(root));
    }
    return beta == real(0.5) ? 1 / sqrt(s) : pow(s, -beta);
}

// s of channel c in a row of x.
__device__ __forceinline__ real base_of(const real* __restrict__ row, int c, int C, int radius, real bias, real alpha) {
    real sum = 0;
    for (int j = max(c - radius, 0); j <= min(c + radius, C - 1); j++) sum += row[j] * row[j];
    return bias + alpha * sum;
}

extern "C" {

// A thread has an element; its neighbours' numbers come from the cache, where its neighbours have them, too.
__global__ void local_response_norm(const real* __restrict__ x, int C, int radius, real bias, real alpha, real beta,
                                    real* __restrict__ y, long long n) {
    long long e = element();
    if (e >= n) return;
    long long row = e;
    int c = split(row, C);
    y[e] = x[e] * power_of(base_of(x + row * C, c, C, radius, bias, alpha), beta);
}

// dx[c] = dy[c] * s[c]^-beta - 2 * alpha * beta * x[c] * sum over j of dy[j] * x[j] * s[j]^(-beta-1).
// A block has blockDim.y rows, and of each a chunk of blockDim.x channels. The terms of the sum are worked out once for
// all that need them, chunk by chunk: of the whole row, if it has no more channels than a chunk.
__global__ void __launch_bounds__(THREADS)
local_response_norm_backward(const real* __restrict__ dy, const real* __restrict__ x, long long R, int C, int radius,
                             real bias, real alpha, real beta, real* __restrict__ dx) {
    __shared__ real terms[THREADS];
    int width = blockDim.x, chunks = (C + width - 1) / width;
    long long r = (long long)(blockIdx.x / chunks) * blockDim.y + threadIdx.y;
    int begin = blockIdx.x % chunks * width, c = begin + threadIdx.x;
    int first = max(begin - radius, 0), last = min(begin + width - 1 + radius, C - 1);
    dy += r * C, x += r * C;
    real* mine = terms + threadIdx.y * width;
    real sum = 0, own = 0;  // own: s[c]^-beta
    for (int chunk = first / width * width; chunk <= last; chunk += width) {
        int j = chunk + threadIdx.x;
        if (r < R && j >= first && j <= last) {
            real s = base_of(x, j, C, radius, bias, alpha), power = power_of(s, beta);
            mine[threadIdx.x] = dy[j] * x[j] * power / s;
            if (j == c) own = power;
        }
        __syncthreads();
        if (r < R && c < C)
            for (int k = max(c - radius, chunk); k <= min(min(c + radius, last), chunk + width - 1); k++)
                sum += mine[k - chunk];
        __syncthreads();
    }
    if (r < R && c < C) dx[r * C + c] = dy[c] * own - 2 * alpha * beta * x[c] * sum;
}

}  // extern "C"
