// Pictures in another size, and the gradient: one axis after the other. x (A, size, B) becomes y (A, count, B); the
// middle of the new cell i lies at (i + 1/2) * size / count in units of old cells. Which old cells that is between is
// worked out in whole numbers: it is the same on every device.
#include "common.cuh"

// What new cell i is blended from: (1 - weight) of cell `low` and weight of cell `high`.
struct Blend {
    int low, high;
    real weight;
};

__device__ __forceinline__ Blend blend_of(int i, int size, int count, int bilinear) {
    long long middle = (2LL * i + 1) * size, whole = 2LL * count;  // of the axis: middle / whole
    if (!bilinear) {
        int nearest = middle / whole;
        return {nearest, nearest, 0};
    }
    middle -= count;  // from the middle of the first old cell
    if (middle < 0) return {0, 0, 0};
    int low = middle / whole;
    return {low, min(low + 1, size - 1), (real)((double)(middle % whole) / whole)};
}

// The first new cell whose `low` is at least h, or would be, could it be below 0.
__device__ __forceinline__ int first_from(int h, int size, int count, int bilinear) {
    long long least = bilinear ? (2LL * h + 1) * count - size : 2LL * h * count - size, step = 2LL * size;
    if (least <= 0) return 0;
    return min((least + step - 1) / step, (long long)count);
}

extern "C" {

__global__ void blend(const real* __restrict__ x, int size, int count, int B, int bilinear, real* __restrict__ y,
                      long long n) {
    long long e = element(), a = e;
    if (e >= n) return;
    int b = split(a, B), i = split(a, count);
    Blend of = blend_of(i, size, count, bilinear);
    real one = x[(a * size + of.low) * B + b];
    y[e] = bilinear ? one + (x[(a * size + of.high) * B + b] - one) * of.weight : one;
}

// dx = the sum of dy over the new cells that this old one has a part in, each times that part.
__global__ void collect(const real* __restrict__ dy, int size, int count, int B, int bilinear, real* __restrict__ dx,
                        long long n) {
    long long e = element(), a = e;
    if (e >= n) return;
    int b = split(a, B), h = split(a, size);
    int begin = first_from(bilinear ? h - 1 : h, size, count, bilinear);
    int end = first_from(h + 1, size, count, bilinear);
    double sum = 0;
    for (int i = begin; i < end; ++i) {
        Blend of = blend_of(i, size, count, bilinear);
        real part = of.low == of.high ? 1 : of.low == h ? 1 - of.weight : of.weight;
        sum += dy[(a * count + i) * B + b] * part;
    }
    dx[e] = sum;
}

}  // extern "C"
