// Pictures moved, rotated, recoloured and cut into, in one pass over a batch, and the random numbers for it.
#include "common.cuh"
#include "example.cuh"
#include "philox.cuh"

#define THREADS 256

// The row or column that stands for number i, a whole number, which may lie outside; -1 for the fill value. In float64
// no number is too large for that, and the remainders below are exact.
__device__ __forceinline__ int inside(double i, int size, int mode) {
    if (i >= 0 && i < size) return (int)i;
    if (mode == 0) return -1;                       // constant
    if (mode == 1) return i < 0 ? 0 : size - 1;     // nearest
    double period = mode == 2 ? 2.0 * size : size;  // reflect: there and back; wrap
    i -= floor(i / period) * period;
    if (i >= size) i = period - 1 - i;
    return (int)fmin(fmax(i, 0.0), size - 1.0);  // for matrices in graphs, which nobody has checked
}

// A picture of a data set, with what lies around it.
struct Picture {
    const void* x;
    int type;
    long long first;  // the place of its first number
    int H, W, C, mode;
    const real* fill;

    // The place, in the picture, of the first number of the pixel that stands for (row, column); -1 for the fill value.
    __device__ __forceinline__ int place(double row, double column) const {
        int h = inside(row, H, mode), v = inside(column, W, mode);
        return h < 0 || v < 0 ? -1 : (h * W + v) * C;
    }

    __device__ __forceinline__ real at(int place, int c) const {
        return place < 0 ? fill[c] : number(x, type, first + place + c);
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
// index: an example that there is not among the M is not read, and gives NaN. With two blocks on a multiprocessor,
// which are enough, a thread has all the registers that it asks for.
__global__ void __launch_bounds__(THREADS, 2) augment(
    const void* __restrict__ x, int type, long long M, const long long* __restrict__ index,
    const double* __restrict__ matrix, int recoloured, const double* __restrict__ colour,
    const double* __restrict__ means, int cut, const long long* __restrict__ hole, int mode,
    const real* __restrict__ fill, real low, real high, int normalized, const real* __restrict__ scale,
    const real* __restrict__ offset, real* __restrict__ y, int H, int W, int C) {
    long long n = blockIdx.x, example = index[n];
    bool known = 0 <= example && example < M;
    Picture picture = {x, type, known ? example * H * W * C : 0, H, W, C, mode, fill};
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
    hole += 4 * n;  // top, bottom, left, right
    for (unsigned p = first_of_example(); p < H * W; p += step_of_example()) {
        int i = (int)p / W, j = (int)p % W;
        double row = m[0] * i + m[1] * j + m[2], column = m[3] * i + m[4] * j + m[5];  // the place in the source
        double h = floor(row), v = floor(column);
        real below = (real)(row - h), beyond = (real)(column - v);
        int upper = picture.place(h, v), lower = picture.place(h + 1, v);
        int next = picture.place(h, v + 1), last = picture.place(h + 1, v + 1);
        bool in_hole = cut && hole[0] <= i && i < hole[1] && hole[2] <= j && j < hole[3];
        real* out = y + (n * H * W + p) * C;
        for (int c = 0; c < C; c++) {
            real value = known ? picture.at(upper, c) : (real)nan("");
            if (known && !whole) {  // bilinear: along the upper row, along the lower one, then between the two
                real under = picture.at(lower, c);
                value += (picture.at(next, c) - value) * beyond;
                under += (picture.at(last, c) - under) * beyond;
                value += (under - value) * below;
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
