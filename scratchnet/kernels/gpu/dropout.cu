// Dropout: the mask is worked out again where it is needed, and never stored.
#include "common.cuh"
#include "philox.cuh"

// y = x * scale where the element's random word is below keep_below, else 0. A thread has four elements, as many as
// Philox gives words. The step's number is step + *more: of the two, the one in the GPU's memory is the step's in a
// graph, which is replayed with the arguments it was recorded with, and else 0.
extern "C" __global__ void dropout(const real* __restrict__ x, unsigned long long key, unsigned long long step,
                                   const long long* __restrict__ more, unsigned long long keep_below, real scale,
                                   real* __restrict__ y, long long size, long long n) {
    long long group = element();
    if (group >= n) return;
    unsigned long long now = step + (unsigned long long)*more;
    Words words = philox(key, (unsigned long long)group, (unsigned)now, (unsigned)(now >> 32));
#pragma unroll
    for (int k = 0; k < 4; k++) {  // unrolled, so that the words stay in registers
        long long e = 4 * group + k;
        // keep_below may be 2^32, which keeps everything: it has 64 bits.
        if (e < size) y[e] = words.at[k] < keep_below ? x[e] * scale : 0;
    }
}
