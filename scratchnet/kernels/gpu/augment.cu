// Pictures moved, rotated, recoloured and cut into, in one pass over a batch, and the random numbers for it.
#include "common.cuh"
#include "example.cuh"
#include "philox.cuh"

#define THREADS 256

// The row or column that stands for number i, which may lie outside; -1 for the fill value.
__device__ __forceinline__ int inside(long long i, int size, int mode) {
    if (i >= 0 && i < size) return (int)i;
    if (mode == 0) return -1;                      // constant
    if (mode == 1) return i < 0 ? 0 : size - 1;    // nearest
    long long period = mode == 2 ? 2ll * size : size;  // reflect: there and back; wrap
    i %= period;
    if (i < 0) i += period;  // C's remainder has the sign of i
    return (int)(i < size ? i : period - 1 - i);
}

// A picture of a data set, with what lies around it.
struct Picture {
    const void* x;
    int type;
    long long first;  // the place of its first number
    int W, C;
    const real* fill;

    __device__ __forceinline__ real at(int h, int v, int c) const {
        if (h < 0 || v < 0) return fill[c];
        return number(x, type, first + ((long long)h * W + v) * C + c);
    }
};

extern "C" {

// u[k, n] = word k % 4 of Philox / 2^32. A thread has four numbers, as many as Philox gives words.
__global__ void uniform(unsigned long long key, unsigned step, const long long* __restrict__ index,
                        double* __restrict__ u, long long N, int count, long long n) {
    long long e = element();
    if (e >= n) return;
    int group = (int)(e / N);
    long long example = e % N;
    Words words = philox(key, (unsigned long long)index[example], step, (unsigned)group);
#pragma unroll
    for (int k = 0; k < 4; k++)
        if (4 * group + k < count) u[(4ll * group + k) * N + example] = words.at[k] * (1 / 4294967296.0);
}

// The mean over all numbers of each picture whose contrast is changed, in float64: a block adds up a picture.
__global__ void __launch_bounds__(THREADS) picture_means(const void* __restrict__ x, int type, long long M,
                                                         const long long* __restrict__ index,
                                                         const double* __restrict__ colour,
                                                         double* __restrict__ means, int size) {
    __shared__ double shared[THREADS];
    long long example = index[blockIdx.x];
    if (colour[3 * blockIdx.x] == 1 || example < 0 || example >= M) return;  // all threads of the block
    double total = 0;
    for (unsigned e = threadIdx.x; e < size; e += THREADS) total += number(x, type, example * size + e);
    total = block_sum<double, THREADS>(total, shared);
    if (threadIdx.x == 0) means[blockIdx.x] = total / size;
}

// One thread for each pixel of the result, with all of its channels; blockIdx.x is the picture's number in the batch.
// Without `recoloured`, colour and means are not read, without `cut` hole is not. In a graph nobody has checked the
// index: an example that there is not among the M is not read, and gives NaN.
__global__ void __launch_bounds__(THREADS) augment(
    const void* __restrict__ x, int type, long long M, const long long* __restrict__ index,
    const double* __restrict__ matrix, int recoloured, const double* __restrict__ colour,
    const double* __restrict__ means, int cut, const long long* __restrict__ hole, int mode,
    const real* __restrict__ fill, real low, real high, int normalized, const real* __restrict__ scale,
    const real* __restrict__ offset, real* __restrict__ y, int H, int W, int C) {
    long long n = blockIdx.x, example = index[n];
    bool known = 0 <= example && example < M;
    Picture picture = {x, type, known ? example * H * W * C : 0, W, C, fill};
    const double* m = matrix + 6 * n;
    // Moved by whole pixels or mirrored: nothing is computed, the bits are the source's.
    bool whole = fabs(m[0]) == 1 && m[1] == 0 && m[3] == 0 && fabs(m[4]) == 1 && m[2] == floor(m[2]) &&
                 m[5] == floor(m[5]);
    // factor * (mean + contrast * (v - mean)) + addend = gain * v + shift
    real gain = 1, shift = 0;
    if (recoloured) {
        double contrast = colour[3 * n], factor = colour[3 * n + 1], addend = colour[3 * n + 2];
        recoloured = contrast != 1 || factor != 1 || addend != 0;
        if (contrast != 1) addend += factor * (1 - contrast) * means[n];
        gain = (real)(factor * contrast);
        shift = (real)addend;
    }
    long long top = 0, bottom = 0, left = 0, right = 0;  // the hole
    if (cut) top = hole[4 * n], bottom = hole[4 * n + 1], left = hole[4 * n + 2], right = hole[4 * n + 3];
    for (unsigned p = first_of_example(); p < H * W; p += step_of_example()) {
        int i = (int)p / W, j = (int)p % W;
        double row = m[0] * i + m[1] * j + m[2], column = m[3] * i + m[4] * j + m[5];  // the place in the source
        double h = floor(row), v = floor(column);
        real below = (real)(row - h), beyond = (real)(column - v);
        int h0 = inside((long long)h, H, mode), h1 = inside((long long)h + 1, H, mode);
        int v0 = inside((long long)v, W, mode), v1 = inside((long long)v + 1, W, mode);
        bool in_hole = top <= i && i < bottom && left <= j && j < right;
        real* out = y + (n * H * W + p) * C;
        for (int c = 0; c < C; c++) {
            real value = known ? picture.at(h0, v0, c) : (real)nan("");
            if (known && !whole) {  // bilinear: along the upper row, along the lower one, then between the two
                real lower = picture.at(h1, v0, c);
                value += (picture.at(h0, v1, c) - value) * beyond;
                lower += (picture.at(h1, v1, c) - lower) * beyond;
                value += (lower - value) * below;
            }
            if (recoloured) {
                value = gain * value + shift;
                value = value < low ? low : value > high ? high : value;  // NaN is neither, and passes
            }
            if (in_hole) value = fill[c];
            out[c] = normalized ? value * scale[c] + offset[c] : value;
        }
    }
}

}  // extern "C"
