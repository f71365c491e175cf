// Softmax with cross-entropy and sigmoid with binary cross-entropy: the loss and its gradient dz in one pass. Taken
// together they are stable: no logarithm of a probability that was rounded to zero, no overflow for large scores.
//
// The loss has two stages: each row's own, or that of some elements, in double, and another kernel adds them up.
#include "common.cuh"

#define THREADS 256
#define EACH 4  // elements that a thread takes of a binary cross-entropy

struct Sum {
    __device__ double operator()(double a, double b) const { return a + b; }
};

struct Larger {
    __device__ double operator()(double a, double b) const { return larger(a, b); }
};

// A block takes blockDim.y rows, and a row's numbers lie along its blockDim.x threads, a power of two. This puts one
// number of each of a row's threads together; all of them get the result. `shared` has room for THREADS numbers.
template <class Operation>
__device__ __forceinline__ double along_row(double value, Operation both, double* shared) {
    double* row = shared + threadIdx.y * blockDim.x;
    __syncthreads();  // of the numbers that lay there before, all have been read
    row[threadIdx.x] = value;
    __syncthreads();
    for (unsigned half = blockDim.x / 2; half > 0; half /= 2) {
        if (threadIdx.x < half) row[threadIdx.x] = both(row[threadIdx.x], row[threadIdx.x + half]);
        __syncthreads();
    }
    return row[0];
}

// softmax(z) = exp(z - most - log_total) of one row of scores: their maximum, and the logarithm of the sum of
// exp(z - most). The sum, and what is made of it, is double: where softmax(z) is nearly 1, float would leave no digit
// of 1 - softmax(z). A row of nothing but -inf has no softmax: NaN.
struct Row {
    real most;
    double log_total;
};

__device__ __forceinline__ Row row_of(const real* z, int K, double* shared) {
    Row row;
    row.most = z[0];
    for (int k = threadIdx.x; k < K; k += blockDim.x) row.most = larger(row.most, z[k]);
    row.most = along_row(row.most, Larger(), shared);
    double total = 0;
    for (int k = threadIdx.x; k < K; k += blockDim.x) total += exp(z[k] - row.most);
    row.log_total = log(along_row(total, Sum(), shared));
    return row;
}

// The number of this thread's row.
__device__ __forceinline__ long long row_number() { return (long long)blockIdx.x * blockDim.y + threadIdx.y; }

extern "C" {

// With each = 1 / R, dz = (softmax(z) - onehot(labels)) * each, and of each row -log softmax(z)[label]; NaN where the
// label is no class.
__global__ void __launch_bounds__(THREADS)
sparse_cross_entropy(const real* __restrict__ z, const long long* __restrict__ labels, long long R, int K,
                     double each, double* __restrict__ losses, real* __restrict__ dz) {
    __shared__ double shared[THREADS];
    long long r = row_number(), first = min(r, R - 1) * K;  // a row that is left over reads the last one
    Row row = row_of(z + first, K, shared);
    if (r >= R) return;
    double factor = each * exp(-row.log_total);
    long long label = labels[r];
    for (int k = threadIdx.x; k < K; k += blockDim.x) {
        dz[first + k] = exp(z[first + k] - row.most) * factor - (k == label ? each : 0);
    }
    if (threadIdx.x > 0) return;
    bool known = 0 <= label && label < K;
    losses[r] = known ? row.log_total - (z[first + label] - row.most) : log(-1.0);
}

// With each = 1 / R, dz = (softmax(z) * sum of t - t) * each, and of each row -sum of t * log softmax(z).
__global__ void __launch_bounds__(THREADS)
cross_entropy(const real* __restrict__ z, const real* __restrict__ t, long long R, int K, double each,
              double* __restrict__ losses, real* __restrict__ dz) {
    __shared__ double shared[THREADS];
    long long r = row_number(), first = min(r, R - 1) * K;
    Row row = row_of(z + first, K, shared);
    double weight = 0, dot = 0;
    for (int k = threadIdx.x; k < K; k += blockDim.x) {
        real target = t[first + k];
        weight += target;
        if (target != 0) dot += target * (z[first + k] - row.most);  // no 0 * inf: a target of 0 takes no part
    }
    weight = along_row(weight, Sum(), shared);
    dot = along_row(dot, Sum(), shared);
    if (r >= R) return;
    double factor = weight * each * exp(-row.log_total);
    for (int k = threadIdx.x; k < K; k += blockDim.x) {
        dz[first + k] = exp(z[first + k] - row.most) * factor - t[first + k] * each;
    }
    if (threadIdx.x == 0) losses[r] = weight * row.log_total - dot;
}

// dz = (sigmoid(z) - t) / n, and of each block the sum of max(z, 0) - z * t + log(1 + exp(-|z|)).
__global__ void __launch_bounds__(THREADS)
binary_cross_entropy(const real* __restrict__ z, const real* __restrict__ t, long long n, double* __restrict__ losses,
                     real* __restrict__ dz) {
    __shared__ double shared[THREADS];
    double loss = 0;
    long long begin = (long long)blockIdx.x * (THREADS * EACH), end = min(begin + THREADS * EACH, n);
    for (long long e = begin + threadIdx.x; e < end; e += THREADS) {
        real a = z[e], b = t[e], small = exp(-fabs(a));
        real rest = small / (1 + small);  // sigmoid(-|z|); where z is large, 1 - rest would round it off
        loss += larger(a, (real)0) - a * b + log1p(small);
        dz[e] = (a >= 0 ? 1 - b - rest : rest - b) / n;
    }
    loss = block_sum<double, THREADS>(loss, shared);
    if (threadIdx.x == 0) losses[blockIdx.x] = loss;
}

}  // extern "C"

// One block adds up the losses.
__device__ __forceinline__ double sum_of(const double* losses, long long count, double* shared) {
    double sum = 0;
    for (long long i = threadIdx.x; i < count; i += THREADS) sum += losses[i];
    return block_sum<double, THREADS>(sum, shared);
}

extern "C" {

// result = (the sum of the losses / n, 0).
__global__ void __launch_bounds__(THREADS)
mean_loss(const double* __restrict__ losses, long long count, long long n, double* __restrict__ result) {
    __shared__ double shared[THREADS];
    double sum = sum_of(losses, count, shared);
    if (threadIdx.x > 0) return;
    result[1] = 0;
    result[0] = sum / n;
}

// result = (the mean of the R rows' losses, how many of their labels are none of the K classes).
__global__ void __launch_bounds__(THREADS)
mean_loss_of_labels(const double* __restrict__ losses, const long long* __restrict__ labels, long long R, int K,
                    double* __restrict__ result) {
    __shared__ double shared[THREADS];
    double wrong = 0;
    for (long long r = threadIdx.x; r < R; r += THREADS) wrong += labels[r] < 0 || labels[r] >= K;
    wrong = block_sum<double, THREADS>(wrong, shared);
    if (threadIdx.x == 0) result[1] = wrong;
    double sum = sum_of(losses, R, shared);
    if (threadIdx.x == 0) result[0] = sum / R;
}

}  // extern "C"
