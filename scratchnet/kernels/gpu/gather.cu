// Examples taken by index, cast and normalized in one pass: how a batch leaves a data set of bytes.
#include "common.cuh"
#include "example.cuh"

// y[n] = x[index[n]], for examples of `size` numbers. Where `normalized`, y[n] = x[index[n]] * scale + offset, both by
// channel, which is an element's place along the last axis. In a graph nobody has checked the index: an example that
// there is not among the M is not read, and gives NaN.
extern "C" {

__global__ void gather(const void* __restrict__ x, int type, const long long* __restrict__ index,
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

// For each n the next number with the same index, -1 for none; and whether none before it has that index.
__global__ void next_equal(const long long* __restrict__ index, int N, int* __restrict__ next,
                           unsigned char* __restrict__ first, long long n) {
    long long e = element();
    if (e >= n) return;
    long long wanted = index[e];
    int before = (int)e - 1, behind = (int)e + 1;
    while (before >= 0 && index[before] != wanted) --before;
    while (behind < N && index[behind] != wanted) ++behind;
    first[e] = before < 0;
    next[e] = behind < N ? behind : -1;
}

// dx[index[n]] += dy[n]: the first n of each index adds up what comes to that row, in the order of n. No row outside of
// dx is written to.
__global__ void add_rows(const real* __restrict__ dy, const long long* __restrict__ index, const int* __restrict__ next,
                         const unsigned char* __restrict__ first, long long M, int D, real* __restrict__ dx,
                         long long n) {
    long long e = element(), place = e;
    if (e >= n) return;
    int d = split(place, D);
    long long row = index[place];
    if (!first[place] || row < 0 || row >= M) return;
    double sum = 0;
    for (long long at = place; at >= 0; at = next[at]) sum += dy[at * D + d];
    dx[row * D + d] += sum;
}

}  // extern "C"
