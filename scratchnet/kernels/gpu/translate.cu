// Pictures moved by whole pixels, each by its own distance.
#include "common.cuh"
#include "example.cuh"

// A distance, cut down to the picture's size: by more than that it is moved away as a whole.
__device__ __forceinline__ int within(long long distance, int size) {
    return (int)(distance < -size ? -size : distance > size ? size : distance);
}

// y[n,h,v,c] = x[n, h - a, v - b, c] with a, b = offsets[n], 0 where that is outside. `row` are the W * C numbers of a
// picture's row, `size` all of its numbers.
extern "C" __global__ void translate(const real* __restrict__ x, const long long* __restrict__ offsets,
                                     real* __restrict__ y, int C, int row, int size) {
    long long picture = (long long)blockIdx.x * size;
    int H = size / row, W = row / C;
    int down = within(offsets[2ll * blockIdx.x], H), right = within(offsets[2ll * blockIdx.x + 1], W) * C;
    for (unsigned e = first_of_example(); e < size; e += step_of_example()) {
        int h = (int)e / row - down, place = (int)e % row - right;
        bool inside = h >= 0 && h < H && place >= 0 && place < row;
        y[picture + e] = inside ? x[picture + (long long)h * row + place] : 0;
    }
}
