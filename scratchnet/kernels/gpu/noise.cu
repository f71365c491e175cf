// Normal random numbers by a counter: worked out again where they are needed, and never stored.
#include "common.cuh"
#include "philox.cuh"

// Two numbers from two words of 32 random bits, by Box and Muller: (r cos a, r sin a) with r = sqrt(-2 log u), u above 0.
__device__ __forceinline__ void box_muller(unsigned first, unsigned second, double* pair) {
    double whole = 4294967296.0, radius = sqrt(-2 * log((first + 1.0) / whole));
    double angle = 2 * 3.141592653589793 * (second / whole);
    pair[0] = radius * cos(angle);
    pair[1] = radius * sin(angle);
}

// A thread has four elements, as many as Philox gives words. The step's number is step + *more, see dropout.cu.
extern "C" __global__ void normal(unsigned long long key, unsigned long long step, const long long* __restrict__ more,
                                  real* __restrict__ y, long long size, long long n) {
    long long group = element();
    if (group >= n) return;
    unsigned long long now = step + (unsigned long long)*more;
    Words words = philox(key, (unsigned long long)group, (unsigned)now, (unsigned)(now >> 32));
    double four[4];
    box_muller(words.at[0], words.at[1], four);
    box_muller(words.at[2], words.at[3], four + 2);
#pragma unroll
    for (int k = 0; k < 4; k++) {
        long long e = 4 * group + k;
        if (e < size) y[e] = four[k];
    }
}
