// Linear units beside ReLU, bent or hard, and their gradients: one thread an element.
#include "common.cuh"

// 1 / (1 + exp(-x)), from the exponential of a number that is not positive: it cannot overflow.
__device__ __forceinline__ real sigmoid_of(real x) {
    real small = exp(-fabs(x));
    return x >= 0 ? 1 / (1 + small) : small / (1 + small);
}

// P(x), the share of a standard normal below x, and its density p(x).
struct Normal {
    real below, density;
};

__device__ __forceinline__ Normal normal_of(real x, int approximate) {
    const real pi = 3.14159265358979323846, cubic = 0.044715;
    if (!approximate) return {erfc(-x * sqrt(real(0.5))) / 2, exp(real(-0.5) * x * x) / sqrt(2 * pi)};
    // (1 + tanh(u)) / 2 is the sigmoid s of 2 * u. From |x| = 100 on s is 0 or 1: no cube that overflows.
    real v = x > 100 ? 100 : x < -100 ? -100 : x;
    real s = sigmoid_of(2 * sqrt(2 / pi) * (v + cubic * v * v * v));
    return {s, s * (1 - s) * 2 * sqrt(2 / pi) * (1 + 3 * cubic * v * v)};
}

// t = tanh(log(1 + exp(x))) = n / (n + 2), n = exp(x) * (exp(x) + 2), and 1 - t. For x > 0, both sides of the fraction
// are divided by exp(2 * x), which would overflow.
struct Bend {
    real t, rest;
};

__device__ __forceinline__ Bend bend_of(real x) {
    real e = exp(-fabs(x));
    real n = x > 0 ? 1 + 2 * e : e * (e + 2), two = x > 0 ? 2 * e * e : 2;
    return {n / (n + two), two / (n + two)};
}

extern "C" {

// y = scale * x where x > 0, else scale * alpha * (exp(x / width) - 1).
__global__ void elu(const real* __restrict__ x, real alpha, real scale, real per_width, real* __restrict__ y,
                    long long n) {
    long long e = element();
    if (e < n) y[e] = scale * (x[e] > 0 ? x[e] : alpha * expm1(x[e] * per_width));
}

// dx = scale * dy where x > 0, else scale * alpha / width * exp(x / width) * dy; at 0 the smaller slope.
__global__ void elu_backward(const real* __restrict__ dy, const real* __restrict__ x, real alpha, real scale,
                             real per_width, real* __restrict__ dx, long long n) {
    long long e = element();
    if (e >= n) return;
    real low = alpha * per_width * exp(x[e] * per_width);
    real left = x[e] == 0 && low > 1 ? 1 : low;
    dx[e] = dy[e] * scale * (x[e] > 0 ? 1 : left);
}

// y = max(x, 0) + log(1 + exp(-|x|)).
__global__ void softplus(const real* __restrict__ x, real* __restrict__ y, long long n) {
    long long e = element();
    if (e < n) y[e] = (x[e] > 0 ? x[e] : 0) + log1p(exp(-fabs(x[e])));
}

__global__ void softplus_backward(const real* __restrict__ dy, const real* __restrict__ x, real* __restrict__ dx,
                                  long long n) {
    long long e = element();
    if (e < n) dx[e] = dy[e] * sigmoid_of(x[e]);
}

// y = x * P(x).
__global__ void gelu(const real* __restrict__ x, int approximate, real* __restrict__ y, long long n) {
    long long e = element();
    if (e < n) y[e] = x[e] * normal_of(x[e], approximate).below;
}

// dx = dy * (P(x) + x * p(x)).
__global__ void gelu_backward(const real* __restrict__ dy, const real* __restrict__ x, int approximate,
                              real* __restrict__ dx, long long n) {
    long long e = element();
    if (e >= n) return;
    Normal normal = normal_of(x[e], approximate);
    dx[e] = dy[e] * (normal.below + x[e] * normal.density);
}

// y = x * t.
__global__ void mish(const real* __restrict__ x, real* __restrict__ y, long long n) {
    long long e = element();
    if (e < n) y[e] = x[e] * bend_of(x[e]).t;
}

// dx = dy * (t + x * (1 - t^2) * sigmoid(x)).
__global__ void mish_backward(const real* __restrict__ dy, const real* __restrict__ x, real* __restrict__ dx,
                              long long n) {
    long long e = element();
    if (e >= n) return;
    Bend bend = bend_of(x[e]);
    dx[e] = dy[e] * (bend.t + x[e] * (bend.rest * (1 + bend.t)) * sigmoid_of(x[e]));
}

// y = x / 6 + 1 / 2, at least 0, at most 1.
__global__ void hard_sigmoid(const real* __restrict__ x, real* __restrict__ y, long long n) {
    long long e = element();
    if (e < n) y[e] = x[e] <= -3 ? 0 : x[e] >= 3 ? 1 : x[e] / 6 + real(0.5);
}

__global__ void hard_sigmoid_backward(const real* __restrict__ dy, const real* __restrict__ x, real* __restrict__ dx,
                                      long long n) {
    long long e = element();
    if (e < n) dx[e] = fabs(x[e]) >= 3 ? 0 : dy[e] / 6;
}

// y = 0 where x <= -3, x where x >= 3, else x * (x / 6 + 1 / 2).
__global__ void hard_silu(const real* __restrict__ x, real* __restrict__ y, long long n) {
    long long e = element();
    if (e < n) y[e] = x[e] <= -3 ? 0 : x[e] >= 3 ? x[e] : x[e] * (x[e] / 6 + real(0.5));
}

__global__ void hard_silu_backward(const real* __restrict__ dy, const real* __restrict__ x, real* __restrict__ dx,
                                   long long n) {
    long long e = element();
    if (e < n) dx[e] = x[e] <= -3 ? 0 : x[e] >= 3 ? dy[e] : dy[e] * (x[e] / 3 + real(0.5));
}

// y = x where x > 0, else alpha[k] * x; x has rows of K.
__global__ void prelu(const real* __restrict__ x, const real* __restrict__ alpha, real* __restrict__ y, int K,
                      long long n) {
    long long e = element();
    if (e >= n) return;
    long long row = e;
    int k = split(row, K);
    y[e] = x[e] > 0 ? x[e] : alpha[k] * x[e];
}

// dx = dy where x > 0, alpha[k] * dy where x < 0, 0 at 0; share = dy * x where x <= 0, else 0.
__global__ void prelu_backward(const real* __restrict__ dy, const real* __restrict__ x, const real* __restrict__ alpha,
                               real* __restrict__ dx, real* __restrict__ share, int K, long long n) {
    long long e = element();
    if (e >= n) return;
    long long row = e;
    int k = split(row, K);
    dx[e] = x[e] == 0 ? 0 : x[e] > 0 ? dy[e] : alpha[k] * dy[e];
    share[e] = x[e] > 0 ? 0 : dy[e] * x[e];
}

}  // extern "C"
