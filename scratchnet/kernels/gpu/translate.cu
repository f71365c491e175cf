// Pictures moved by whole pixels, each by its own distance.
#include "common.cuh"
#include "example.cuh"

// y[n,h,v,c] = x[n, h - a, v - b, c] with a, b = offsets[n], 0 where that is outside. `row` are the W * C numbers of a
// picture's row, `size` all of its numbers; offsets are at most H and W.
extern "C" __global__ void translate(const real* __restrict__ x, const int* __restrict__ offsets, real* __restrict__ y,
                                     int C, int row, int size) {
    long long picture = (long long)blockIdx.x * size;
    int down = offsets[2 * blockIdx.x], right = offsets[2 * blockIdx.x + 1] * C;
    for (unsigned e = first_of_example(); e < size; e += step_of_example()) {
        int h = (int)e / row - down, place = (int)e % row - right;
        bool inside = h >= 0 && h < size / row && place >= 0 && place < row;
        y[picture + e] = inside ? x[picture + (long long)h * row + place] : 0;
    }
}
