// The second half of a sum that was cut into parts: the parts are added, always in the same order. And the sums of a
// matrix's columns, a bias's gradient, whose parts are bands of rows.
//
// A block has 32 x 8 threads: 32 numbers of the result, and 8 threads for each, which share its parts or rows out among
// them and then add up what they have, half to half.
#include "common.cuh"

#define NUMBERS 32
#define SHARES 8

__device__ __forceinline__ real sum_of_shares(real sum) {
    __shared__ real shares[SHARES][NUMBERS];
    shares[threadIdx.y][threadIdx.x] = sum;
    for (int half = SHARES / 2; half > 0; half /= 2) {
        __syncthreads();
        if (threadIdx.y < half) shares[threadIdx.y][threadIdx.x] += shares[threadIdx.y + half][threadIdx.x];
    }
    return shares[threadIdx.y][threadIdx.x];  // of the first of them: the whole
}

extern "C" {

// y[e] = the sum of partial[part,e] over the parts, plus b[e % columns] if there is a bias, through ReLU if relu; with
// add, plus what was there. Of the `all` numbers of a part, those from `count` on belong to another array, `rest`.
__global__ void __launch_bounds__(NUMBERS * SHARES) add_parts(
    const real* __restrict__ partial, const real* __restrict__ b, real* __restrict__ y, real* __restrict__ rest,
    long long count, long long all, int parts, int columns, int relu, int add)
{
    const long long e = (long long)blockIdx.x * NUMBERS + threadIdx.x;
    real sum = 0;
    if (e < all)
        for (int part = threadIdx.y; part < parts; part += SHARES) sum += partial[part * all + e];
    sum = sum_of_shares(sum);
    if (e >= all || threadIdx.y > 0) return;
    real* out = e < count ? y + e : rest + (e - count);
    if (b) sum += b[e % columns];
    if (add) sum += *out;
    *out = relu && sum <= 0 ? 0 : sum;  // NaN stays
}

// partial[part,c] = the sum of x[r,c] over the `share` rows r of the part; with add, plus what was there.
__global__ void __launch_bounds__(NUMBERS * SHARES) column_sums(
    const real* __restrict__ x, real* __restrict__ partial, long long rows, int columns, int share, int add)
{
    const int c = blockIdx.x * NUMBERS + threadIdx.x;
    const long long first = (long long)blockIdx.y * share, end = min(rows, first + share);
    real sum = 0;
    if (c < columns)
        for (long long r = first + threadIdx.y; r < end; r += SHARES) sum += x[r * columns + c];
    sum = sum_of_shares(sum);
    if (c >= columns || threadIdx.y > 0) return;
    real* y = partial + (long long)blockIdx.y * columns + c;
    *y = add ? *y + sum : sum;
}

}
