// Pictures moved, rotated, recoloured and cut into, in one pass over a batch, and the random numbers for it.
#include "common.cuh"
#include "example.cuh"
#include "philox.cuh"

#define THREADS 256
#define COLUMNS 14  // of the table: a row for each picture of the batch

// What a row of the table says: which picture, its matrix, its colour, its hole.
struct Change {
    long long picture;  // its number in the data set
    const double* m;    // (m0, ..., m5)
    double contrast, factor, addend;
    int top, bottom, left, right;  // the hole
};

__device__ __forceinline__ Change change_of(const double* table, unsigned n) {
    const double* row = table + (long long)n * COLUMNS;
    return {(long long)row[0], row + 1,      row[7],       row[8],       row[9],
            (int)row[10],      (int)row[11], (int)row[12], (int)row[13]};
}

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
__global__ void __launch_bounds__(THREADS) picture_means(const void* __restrict__ x, int type,
                                                         const double* __restrict__ table, double* __restrict__ means,
                                                         int size) {
    __shared__ double shared[THREADS];
    Change change = change_of(table, blockIdx.x);
    if (change.contrast == 1) return;  // all threads of the block
    double total = 0;
    for (unsigned e = threadIdx.x; e < size; e += THREADS) total += number(x, type, change.picture * size + e);
    total = block_sum<double, THREADS>(total, shared);
    if (threadIdx.x == 0) means[blockIdx.x] = total / size;
}

// One thread for each pixel of the result, with all of its channels; blockIdx.x is the picture's number in the batch.
__global__ void __launch_bounds__(THREADS) augment(
    const void* __restrict__ x, int type, const double* __restrict__ table, const double* __restrict__ means,
    int mode, const real* __restrict__ fill, real low, real high, int normalized, const real* __restrict__ scale,
    const real* __restrict__ offset, real* __restrict__ y, int H, int W, int C) {
    Change change = change_of(table, blockIdx.x);
    const double* m = change.m;
    Picture picture = {x, type, change.picture * H * W * C, W, C, fill};
    // Moved by whole pixels or mirrored: nothing is computed, the bits are the source's.
    bool whole = fabs(m[0]) == 1 && m[1] == 0 && m[3] == 0 && fabs(m[4]) == 1 && m[2] == floor(m[2]) &&
                 m[5] == floor(m[5]);
    bool recoloured = change.contrast != 1 || change.factor != 1 || change.addend != 0;
    // factor * (mean + contrast * (v - mean)) + addend = gain * v + shift
    real gain = (real)change.factor, shift = (real)change.addend;
    if (change.contrast != 1) {
        shift = (real)(change.addend + change.factor * (1 - change.contrast) * means[blockIdx.x]);
        gain = (real)(change.factor * change.contrast);
    }
    for (unsigned p = first_of_example(); p < H * W; p += step_of_example()) {
        int i = (int)p / W, j = (int)p % W;
        double row = m[0] * i + m[1] * j + m[2], column = m[3] * i + m[4] * j + m[5];  // the place in the source
        double top = floor(row), left = floor(column);
        real down = (real)(row - top), right = (real)(column - left);
        int h0 = inside((long long)top, H, mode), h1 = inside((long long)top + 1, H, mode);
        int v0 = inside((long long)left, W, mode), v1 = inside((long long)left + 1, W, mode);
        bool hole = change.top <= i && i < change.bottom && change.left <= j && j < change.right;
        real* out = y + ((long long)blockIdx.x * H * W + p) * C;
        for (int c = 0; c < C; c++) {
            real v = picture.at(h0, v0, c);
            if (!whole) {  // bilinear: along the upper row, along the lower one, then between the two
                real lower = picture.at(h1, v0, c);
                v += (picture.at(h0, v1, c) - v) * right;
                lower += (picture.at(h1, v1, c) - lower) * right;
                v += (lower - v) * down;
            }
            if (recoloured) {
                v = gain * v + shift;
                v = v < low ? low : v > high ? high : v;  // NaN is neither, and passes
            }
            if (hole) v = fill[c];
            out[c] = normalized ? v * scale[c] + offset[c] : v;
        }
    }
}

}  // extern "C"
