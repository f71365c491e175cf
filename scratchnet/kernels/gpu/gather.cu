// Examples taken by index, cast and normalized in one pass: how a batch leaves a data set of bytes.
#include "common.cuh"
#include "example.cuh"

// y[n] = x[index[n]], for examples of `size` numbers. Where `normalized`, y[n] = x[index[n]] * scale + offset, both by
// channel, which is an element's place along the last axis. In a graph nobody has checked the index: an example that
// there is not among the M is not read, and gives NaN.
extern "C" __global__ void gather(const void* __restrict__ x, int type, const long long* __restrict__ index,
                                  long long M, int normalized, const real* __restrict__ scale,
                                  const real* __restrict__ offset, int channels, real* __restrict__ y, int size) {
    long long example = index[blockIdx.x];
    bool known = 0 <= example && example < M;
    real* out = y + (long long)blockIdx.x * size;
    for (unsigned e = first_of_example(); e < size; e += step_of_example()) {
        real value = known ? number(x, type, example * size + e) : (real)nan("");
        out[e] = normalized ? value * scale[e % channels] + offset[e % channels] : value;
    }
}
