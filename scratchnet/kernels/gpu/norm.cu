// Batch and group normalization: the mean and the variance of each group, y = gamma * (x - mean) * scale + beta with
// scale = 1 / sqrt(var + epsilon), and the gradients.
//
// x (N, S, C): N examples, S places of each, C channels of each place. D neighbouring channels of an example are a
// group; mean, var and scale have one number for each of the N * C / D groups. Batch normalization is the case of one
// example, N = 1, with the places of all of them, and groups of one channel, D = 1.
//
// What is summed over places comes from each tile (column_sums.cuh) as one number for each channel, [n][c][part]: what
// belongs to a group lies side by side.
#include "common.cuh"
#include "column_sums.cuh"

#define SUM_THREADS 128  // of a block that puts the parts together

#define LARGEST_FLOAT 3.4028234663852886e38

// Whether `real` holds a variance. NaN is not below.
__device__ __forceinline__ bool fits(double var) { return sizeof(real) == 8 || var <= LARGEST_FLOAT; }

// 1 / sqrt(var + epsilon), worked out in double and rounded once. A variance may come in double or as `real` has it:
// rounded to real first, both give the same bits.
__device__ __forceinline__ real scale_of(double var, double epsilon) {
    if (fits(var)) var = (real)var;
    return (real)(1 / sqrt(var + epsilon));
}

__device__ __forceinline__ real normal_of(real x, real mean, real scale) { return (x - mean) * scale; }

// The result before ReLU. Forward and backward round it alike: what was cut off is known again.
__device__ __forceinline__ real result_of(real normal, real gamma, real beta) { return fma(gamma, normal, beta); }

// The group of a tile's channel.
__device__ __forceinline__ long long group_of(const Tile& tile, int C, int D) { return tile.n * (C / D) + tile.c / D; }

// The elements of a group, S rows of D in the distance of C, are dealt out to the threads of a block. This thread's
// part of the sum of their distances from `middle`, or of the squares of these, in double.
template <bool squared>
__device__ double group_sum(const real* x, long long S, int C, int D, double middle) {
    double sum = 0;
    int d = threadIdx.x % D, step = SUM_THREADS % D;
    for (long long r = threadIdx.x / D; r < S; r += SUM_THREADS / D) {
        double away = x[r * C + d] - middle;
        sum += squared ? away * away : away;
        d += step;
        if (d >= D) d -= D, ++r;
    }
    return sum;
}

extern "C" {

// Of each part and channel the mean, and the sum of squares about it: mean(x^2) - mean^2 loses its digits where the
// mean is far larger than the deviation. The second loop finds x in the cache.
__global__ void __launch_bounds__(TILE_THREADS)
moments(const real* __restrict__ x, long long S, int C, int D, int length, int parts, real* __restrict__ means,
        real* __restrict__ squares) {
    __shared__ real shared[TILE_THREADS];
    Tile tile = tile_of(S, C, length, parts);
    const real* column = x + tile.n * S * C + tile.c;
    real sum = 0, square = 0;
    for (long long r = tile.begin; r < tile.end; r += blockDim.y) sum += column[r * C];
    real mean = column_sum(sum, shared) / tile.rows;
    for (long long r = tile.begin; r < tile.end; r += blockDim.y) {
        real away = column[r * C] - mean;
        square += away * away;
    }
    square = column_sum(square, shared);
    if (threadIdx.y > 0 || !tile.inside) return;
    long long at = (tile.n * C + tile.c) * parts + tile.part;
    means[at] = mean;
    squares[at] = square;
}

// A block for each group: its mean and variance from those of its channels' parts (Chan et al., 1983), in double. The
// variance comes as `real` has it, at most the largest float, and in double: `wide`.
__global__ void __launch_bounds__(SUM_THREADS)
statistics(const real* __restrict__ x, long long S, int C, int D, int length, int parts, const real* __restrict__ means,
           const real* __restrict__ squares, double epsilon, real* __restrict__ mean, real* __restrict__ var,
           double* __restrict__ wide, real* __restrict__ scale) {
    __shared__ double shared[SUM_THREADS];
    int g = blockIdx.x, count = D * parts;
    means += (long long)g * count;
    squares += (long long)g * count;
    double middle = 0, square = 0, size = (double)S * D;
    for (int i = threadIdx.x; i < count; i += SUM_THREADS) middle += (double)rows_of(i % parts, S, length) * means[i];
    middle = block_sum<double, SUM_THREADS>(middle, shared) / size;
    for (int i = threadIdx.x; i < count; i += SUM_THREADS) {
        double away = means[i] - middle;
        square += squares[i] + rows_of(i % parts, S, length) * away * away;
    }
    double variance = block_sum<double, SUM_THREADS>(square, shared) / size;
    if (!fits(variance)) {  // a sum or a square was beyond float: once more from x, in double
        x += g / (C / D) * S * C + (long long)(g % (C / D)) * D;
        middle = block_sum<double, SUM_THREADS>(group_sum<false>(x, S, C, D, 0), shared) / size;
        variance = block_sum<double, SUM_THREADS>(group_sum<true>(x, S, C, D, middle), shared) / size;
    }
    if (threadIdx.x > 0) return;
    mean[g] = middle;
    wide[g] = variance;
    var[g] = fits(variance) || variance != variance ? variance : LARGEST_FLOAT;
    scale[g] = scale_of(variance, epsilon);
}

// scale from variances that `real` holds, and from those in double.
__global__ void scales(const real* __restrict__ var, double epsilon, real* __restrict__ scale, long long n) {
    long long g = element();
    if (g < n) scale[g] = scale_of(var[g], epsilon);
}

__global__ void scales_of_wide(const double* __restrict__ var, double epsilon, real* __restrict__ scale, long long n) {
    long long g = element();
    if (g < n) scale[g] = scale_of(var[g], epsilon);
}

// y = gamma * (x - mean) * scale + beta, or `low` where that is less: 0, or minus infinity without ReLU.
__global__ void __launch_bounds__(TILE_THREADS)
normalize(const real* __restrict__ x, long long S, int C, int D, int length, int parts, const real* __restrict__ mean,
          const real* __restrict__ scale, const real* __restrict__ gamma, const real* __restrict__ beta, real low,
          real* __restrict__ y) {
    Tile tile = tile_of(S, C, length, parts);
    long long g = group_of(tile, C, D), first = tile.n * S * C + tile.c;
    real m = mean[g], s = scale[g], a = gamma[tile.c], b = beta[tile.c];
    for (long long r = tile.begin; r < tile.end; r += blockDim.y) {
        real value = result_of(normal_of(x[first + r * C], m, s), a, b);
        y[first + r * C] = value < low ? low : value;  // NaN is not below and stays
    }
}

// Of each part and channel the sum of dy, and that of dy * normal. With relu, dy counts as 0 where the result, before
// ReLU, is not above 0; beta is read only then.
__global__ void __launch_bounds__(TILE_THREADS)
gradient_sums(const real* __restrict__ dy, const real* __restrict__ x, long long S, int C, int D, int length, int parts,
              const real* __restrict__ mean, const real* __restrict__ scale, const real* __restrict__ gamma,
              const real* __restrict__ beta, int relu, real* __restrict__ sums, real* __restrict__ products) {
    __shared__ real shared[TILE_THREADS];
    Tile tile = tile_of(S, C, length, parts);
    long long g = group_of(tile, C, D), first = tile.n * S * C + tile.c;
    real m = mean[g], s = scale[g], a = gamma[tile.c], b = relu ? beta[tile.c] : 0;
    real sum = 0, product = 0;
    for (long long r = tile.begin; r < tile.end; r += blockDim.y) {
        real normal = normal_of(x[first + r * C], m, s);
        real d = relu && result_of(normal, a, b) <= 0 ? 0 : dy[first + r * C];
        sum += d;
        product += d * normal;
    }
    sum = column_sum(sum, shared);
    product = column_sum(product, shared);
    if (threadIdx.y > 0 || !tile.inside) return;
    long long at = (tile.n * C + tile.c) * parts + tile.part;
    sums[at] = sum;
    products[at] = product;
}

// A block for each channel: dbeta and dgamma, the sums of all examples' parts.
__global__ void __launch_bounds__(SUM_THREADS)
channel_gradients(const real* __restrict__ sums, const real* __restrict__ products, int N, int C, int parts,
                  real* __restrict__ dgamma, real* __restrict__ dbeta) {
    __shared__ double shared[SUM_THREADS];
    int c = blockIdx.x;
    double sum = 0, product = 0;
    for (int i = threadIdx.x; i < N * parts; i += SUM_THREADS) {
        long long at = ((long long)(i / parts) * C + c) * parts + i % parts;
        sum += sums[at];
        product += products[at];
    }
    sum = block_sum<double, SUM_THREADS>(sum, shared);
    product = block_sum<double, SUM_THREADS>(product, shared);
    if (threadIdx.x > 0) return;
    dbeta[c] = sum;
    dgamma[c] = product;
}

// A block for each group: the means of gamma * dy and of gamma * dy * normal over its elements.
__global__ void __launch_bounds__(SUM_THREADS)
group_means(const real* __restrict__ sums, const real* __restrict__ products, long long S, int C, int D, int parts,
            const real* __restrict__ gamma, real* __restrict__ dy_mean, real* __restrict__ product_mean) {
    __shared__ double shared[SUM_THREADS];
    int g = blockIdx.x, count = D * parts;
    sums += (long long)g * count;
    products += (long long)g * count;
    gamma += (long long)(g % (C / D)) * D;
    double sum = 0, product = 0, size = (double)S * D;
    for (int i = threadIdx.x; i < count; i += SUM_THREADS) {
        double weight = gamma[i / parts];
        sum += weight * sums[i];
        product += weight * products[i];
    }
    sum = block_sum<double, SUM_THREADS>(sum, shared);
    product = block_sum<double, SUM_THREADS>(product, shared);
    if (threadIdx.x > 0) return;
    dy_mean[g] = sum / size;
    product_mean[g] = product / size;
}

// dx = scale * (gamma * dy - mean(gamma * dy) - normal * mean(gamma * dy * normal)), means over the group; dy as above.
__global__ void __launch_bounds__(TILE_THREADS)
input_grad(const real* __restrict__ dy, const real* __restrict__ x, long long S, int C, int D, int length, int parts,
           const real* __restrict__ mean, const real* __restrict__ scale, const real* __restrict__ gamma,
           const real* __restrict__ beta, int relu, const real* __restrict__ dy_mean,
           const real* __restrict__ product_mean, real* __restrict__ dx) {
    Tile tile = tile_of(S, C, length, parts);
    long long g = group_of(tile, C, D), first = tile.n * S * C + tile.c;
    real m = mean[g], s = scale[g], a = gamma[tile.c], b = relu ? beta[tile.c] : 0, u = dy_mean[g], v = product_mean[g];
    for (long long r = tile.begin; r < tile.end; r += blockDim.y) {
        real normal = normal_of(x[first + r * C], m, s);
        real d = relu && result_of(normal, a, b) <= 0 ? 0 : dy[first + r * C];
        dx[first + r * C] = s * (a * d - u - normal * v);
    }
}

// dx = scale * gamma * dy, where mean and variance are constants.
__global__ void __launch_bounds__(TILE_THREADS)
scaled_grad(const real* __restrict__ dy, const real* __restrict__ x, long long S, int C, int D, int length, int parts,
            const real* __restrict__ mean, const real* __restrict__ scale, const real* __restrict__ gamma,
            const real* __restrict__ beta, int relu, real* __restrict__ dx) {
    Tile tile = tile_of(S, C, length, parts);
    long long g = group_of(tile, C, D), first = tile.n * S * C + tile.c;
    real m = mean[g], s = scale[g], a = gamma[tile.c], b = relu ? beta[tile.c] : 0;
    for (long long r = tile.begin; r < tile.end; r += blockDim.y) {
        real d = relu && result_of(normal_of(x[first + r * C], m, s), a, b) <= 0 ? 0 : dy[first + r * C];
        dx[first + r * C] = a * s * d;
    }
}

}  // extern "C"
