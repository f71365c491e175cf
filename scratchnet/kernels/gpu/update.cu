// The optimizers' updates, all weights of a network in one launch.
//
// Arrays are cut into parts, one for each block of threads. `table` has a row for each part: how many numbers it has,
// then the address of its first number in each of the arrays that belong together (weights, gradients, memories).
//
// What changes from step to step (the rate, Adam's count of the steps) comes from the GPU's memory, not as an argument:
// a graph of steps is replayed with the arguments that it was recorded with. `skip` as well: from 1 on (a loss was not
// finite, as only the GPU knows yet) nothing is changed.
//
// The loops are not unrolled: with fewer registers a thread, more blocks are at work at once, and these updates wait
// for memory, not for arithmetic.
#include "common.cuh"

#define THREADS 256

// The part of array number k in a row of the table.
__device__ __forceinline__ real* part(const long long* row, int k) { return (real*)row[1 + k]; }

// The larger of two numbers; NaN if one of them is.
__device__ __forceinline__ real larger(real a, real b) { return a > b || a != a ? a : b; }

extern "C" {

// m = momentum * m - lr * g; p += m, or with Nesterov p += momentum * m - lr * g.
__global__ void __launch_bounds__(THREADS) sgd(const long long* __restrict__ table, const int* __restrict__ skip,
                                               const double* __restrict__ lr, real momentum, int nesterov) {
    if (*skip) return;
    const long long* row = table + blockIdx.x * 4ll;
    int count = (int)row[0];
    real *p = part(row, 0), *m = part(row, 2);
    const real* g = part(row, 1);
    real rate = (real)*lr;
#pragma unroll 1
    for (int e = threadIdx.x; e < count; e += THREADS) {
        real move = momentum * m[e] - rate * g[e];
        m[e] = move;
        p[e] += nesterov ? momentum * move - rate * g[e] : move;
    }
}

// v = rho * v + (1-rho) * g^2; m = momentum * m + lr * g / sqrt(v - average^2 + epsilon); p -= m. `average` is the
// running mean of g; it counts as 0, and is not touched, unless centered. `fresh` is 1 - rho.
__global__ void __launch_bounds__(THREADS) rmsprop(const long long* __restrict__ table, const int* __restrict__ skip,
                                                   const double* __restrict__ lr, real rho, real fresh, real momentum,
                                                   real epsilon, int centered) {
    if (*skip) return;
    const long long* row = table + blockIdx.x * 6ll;
    int count = (int)row[0];
    real *p = part(row, 0), *v = part(row, 2), *average = part(row, 3), *m = part(row, 4);
    const real* g = part(row, 1);
    real rate = (real)*lr;
#pragma unroll 1
    for (int e = threadIdx.x; e < count; e += THREADS) {
        real square = rho * v[e] + fresh * g[e] * g[e], under = square;
        v[e] = square;
        if (centered) {
            real mean = rho * average[e] + fresh * g[e];
            average[e] = mean;
            under -= mean * mean;
        }
        real move = momentum * m[e] + rate * g[e] / sqrt(under + epsilon);
        m[e] = move;
        p[e] -= move;
    }
}

// Adam's rates from lr and the step's number t, where these are on the GPU: one thread, once for all weights.
// rates[0] = lr * sqrt(1 - beta_2^t) / (1 - beta_1^t), rates[1] = lr * weight_decay.
__global__ void adam_rates(const double* __restrict__ lr, const long long* __restrict__ t, double beta_1, double beta_2,
                           double weight_decay, double* __restrict__ rates) {
    double steps = (double)*t;
    rates[0] = *lr * sqrt(1 - pow(beta_2, steps)) / (1 - pow(beta_1, steps));
    rates[1] = *lr * weight_decay;
}

// p -= rates[1] * p; m += fresh_1 * (g - m); v += fresh_2 * (g^2 - v); p -= rates[0] * m / (sqrt(v) + epsilon).
// fresh_1 is 1 - beta_1, fresh_2 is 1 - beta_2.
__global__ void __launch_bounds__(THREADS) adam(const long long* __restrict__ table, const int* __restrict__ skip,
                                                const double* __restrict__ rates, real fresh_1, real fresh_2,
                                                real epsilon) {
    if (*skip) return;
    const long long* row = table + blockIdx.x * 5ll;
    int count = (int)row[0];
    real *p = part(row, 0), *m = part(row, 2), *v = part(row, 3);
    const real* g = part(row, 1);
    real rate = (real)rates[0], decay = (real)rates[1];
#pragma unroll 1
    for (int e = threadIdx.x; e < count; e += THREADS) {
        real mean = m[e] + (g[e] - m[e]) * fresh_1;
        real square = v[e] + (g[e] * g[e] - v[e]) * fresh_2;
        m[e] = mean;
        v[e] = square;
        p[e] = p[e] - decay * p[e] - rate * mean / (sqrt(square) + epsilon);
    }
}

// As adam, with the largest square so far under the root.
__global__ void __launch_bounds__(THREADS) amsgrad(const long long* __restrict__ table, const int* __restrict__ skip,
                                                   const double* __restrict__ rates, real fresh_1, real fresh_2, real epsilon) {
    if (*skip) return;
    const long long* row = table + blockIdx.x * 6ll;
    int count = (int)row[0];
    real *p = part(row, 0), *m = part(row, 2), *v = part(row, 3), *top = part(row, 4);
    const real* g = part(row, 1);
    real rate = (real)rates[0], decay = (real)rates[1];
#pragma unroll 1
    for (int e = threadIdx.x; e < count; e += THREADS) {
        real mean = m[e] + (g[e] - m[e]) * fresh_1;
        real square = v[e] + (g[e] * g[e] - v[e]) * fresh_2;
        real largest = larger(top[e], square);
        m[e] = mean;
        v[e] = square;
        top[e] = largest;
        p[e] = p[e] - decay * p[e] - rate * mean / (sqrt(largest) + epsilon);
    }
}

// a += g^2; p -= lr * g / sqrt(a + epsilon).
__global__ void __launch_bounds__(THREADS) adagrad(const long long* __restrict__ table, const int* __restrict__ skip,
                                                   const double* __restrict__ lr, real epsilon) {
    if (*skip) return;
    const long long* row = table + blockIdx.x * 4ll;
    int count = (int)row[0];
    real *p = part(row, 0), *a = part(row, 2);
    const real* g = part(row, 1);
    real rate = (real)*lr;
#pragma unroll 1
    for (int e = threadIdx.x; e < count; e += THREADS) {
        real total = a[e] + g[e] * g[e];
        a[e] = total;
        p[e] -= rate * g[e] / sqrt(total + epsilon);
    }
}

// a = rho * a + fresh * g^2; u = g * sqrt(d + epsilon) / sqrt(a + epsilon); d = rho * d + fresh * u^2; p -= lr * u.
// `fresh` is 1 - rho.
__global__ void __launch_bounds__(THREADS) adadelta(const long long* __restrict__ table, const int* __restrict__ skip,
                                                    const double* __restrict__ lr, real rho, real fresh, real epsilon) {
    if (*skip) return;
    const long long* row = table + blockIdx.x * 5ll;
    int count = (int)row[0];
    real *p = part(row, 0), *a = part(row, 2), *d = part(row, 3);
    const real* g = part(row, 1);
    real rate = (real)*lr;
#pragma unroll 1
    for (int e = threadIdx.x; e < count; e += THREADS) {
        real square = rho * a[e] + fresh * g[e] * g[e];
        real move = g[e] * sqrt(d[e] + epsilon) / sqrt(square + epsilon);
        a[e] = square;
        d[e] = rho * d[e] + fresh * move * move;
        p[e] -= rate * move;
    }
}

// m += fresh_1 * (g - m); u = max(beta_2 * u, |g|); p -= rate * m / (u + epsilon). fresh_1 is 1 - beta_1.
__global__ void __launch_bounds__(THREADS) adamax(const long long* __restrict__ table, const int* __restrict__ skip,
                                                  const double* __restrict__ lr, real fresh_1, real beta_2, real epsilon) {
    if (*skip) return;
    const long long* row = table + blockIdx.x * 5ll;
    int count = (int)row[0];
    real *p = part(row, 0), *m = part(row, 2), *u = part(row, 3);
    const real* g = part(row, 1);
    real rate = (real)*lr;
#pragma unroll 1
    for (int e = threadIdx.x; e < count; e += THREADS) {
        real mean = m[e] + (g[e] - m[e]) * fresh_1;
        real norm = larger(beta_2 * u[e], fabs(g[e]));
        m[e] = mean;
        u[e] = norm;
        p[e] -= rate * mean / (norm + epsilon);
    }
}

// m += fresh_1 * (g - m); v += fresh_2 * (g^2 - v);
// p -= (rates[0] * m + rates[1] * g) / (rates[2] * sqrt(v) + epsilon). fresh_1 is 1 - beta_1, fresh_2 is 1 - beta_2.
__global__ void __launch_bounds__(THREADS) nadam(const long long* __restrict__ table, const int* __restrict__ skip,
                                                 const double* __restrict__ rates, real fresh_1, real fresh_2, real epsilon) {
    if (*skip) return;
    const long long* row = table + blockIdx.x * 5ll;
    int count = (int)row[0];
    real *p = part(row, 0), *m = part(row, 2), *v = part(row, 3);
    const real* g = part(row, 1);
    real ahead = (real)rates[0], now = (real)rates[1], grow = (real)rates[2];
#pragma unroll 1
    for (int e = threadIdx.x; e < count; e += THREADS) {
        real mean = m[e] + (g[e] - m[e]) * fresh_1;
        real square = v[e] + (g[e] * g[e] - v[e]) * fresh_2;
        m[e] = mean;
        v[e] = square;
        p[e] -= (ahead * mean + now * g[e]) / (grow * sqrt(square) + epsilon);
    }
}

// p -= lr * sign(beta_1 * m + fresh_1 * g); m = beta_2 * m + fresh_2 * g. fresh_1 is 1 - beta_1, fresh_2 is 1 - beta_2.
__global__ void __launch_bounds__(THREADS) lion(const long long* __restrict__ table, const int* __restrict__ skip,
                                                const double* __restrict__ lr, real beta_1, real fresh_1, real beta_2, real fresh_2) {
    if (*skip) return;
    const long long* row = table + blockIdx.x * 4ll;
    int count = (int)row[0];
    real *p = part(row, 0), *m = part(row, 2);
    const real* g = part(row, 1);
    real rate = (real)*lr;
#pragma unroll 1
    for (int e = threadIdx.x; e < count; e += THREADS) {
        real way = beta_1 * m[e] + fresh_1 * g[e];
        real sign = way > 0 ? 1 : way < 0 ? -1 : way;  // of 0 it is 0, of NaN NaN
        m[e] = beta_2 * m[e] + fresh_2 * g[e];
        p[e] -= rate * sign;
    }
}

// average += (1 - momentum) * (p - average).
__global__ void __launch_bounds__(THREADS) moving_average(const long long* __restrict__ table,
                                                          const int* __restrict__ skip,
                                                          const double* __restrict__ momentum) {
    if (*skip) return;
    const long long* row = table + blockIdx.x * 3ll;
    int count = (int)row[0];
    real* average = part(row, 0);
    const real* p = part(row, 1);
    real fresh = (real)(1 - *momentum);
#pragma unroll 1
    for (int e = threadIdx.x; e < count; e += THREADS) average[e] += (p[e] - average[e]) * fresh;
}

}  // extern "C"
