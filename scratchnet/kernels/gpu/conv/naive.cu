// The first rung: one thread for each number of the result, and the formula as a loop. Every product reads two numbers
// from memory. In float32 one running sum may be too long: the rungs above cut it.
#include "common.cuh"

// A sum as it is stored: plus a bias, if there is one, and through ReLU. NaN stays.
__device__ __forceinline__ real finished(real sum, const real* b, int n, int relu) {
    if (b) sum += b[n];
    return relu && sum <= 0 ? 0 : sum;
}

extern "C" {

// y[n,i,j,f] = b[f] + sum over k, l, c of x~[n, sh*i+k-top, sw*j+l-left, c] * w[k,l,c,f]
__global__ void conv2d(
    const real* __restrict__ x, const real* __restrict__ w, const real* __restrict__ b, real* __restrict__ y, int N,
    int H, int W, int C, int KH, int KW, int F, int OH, int OW, int sh, int sw, int top, int left, int relu,
    long long count)
{
    const long long e = element();
    if (e >= count) return;
    const int f = e % F, j = e / F % OW, i = e / F / OW % OH;
    const long long n = e / F / OW / OH;
    real sum = 0;
    for (int k = 0; k < KH; ++k) {
        const int h = sh * i + k - top;
        if (h < 0 || h >= H) continue;
        for (int l = 0; l < KW; ++l) {
            const int v = sw * j + l - left;
            if (v < 0 || v >= W) continue;
            const real* pixel = x + ((n * H + h) * W + v) * C;
            for (int c = 0; c < C; ++c) sum += pixel[c] * w[((long long)(k * KW + l) * C + c) * F + f];
        }
    }
    y[e] = finished(sum, b, f, relu);
}

// dx[n,h,v,c] = b[c] + sum over f and all i, j, k, l with sh*i+k-top = h, sw*j+l-left = v of dy[n,i,j,f] * w[k,l,c,f]
__global__ void conv2d_input_grad(
    const real* __restrict__ dy, const real* __restrict__ w, const real* __restrict__ b, real* __restrict__ dx, int N,
    int H, int W, int C, int KH, int KW, int F, int OH, int OW, int sh, int sw, int top, int left, int relu,
    long long count)
{
    const long long e = element();
    if (e >= count) return;
    const int c = e % C, v = e / C % W, h = e / C / W % H;
    const long long n = e / C / W / H;
    real sum = 0;
    for (int k = (h + top) % sh; k < KH; k += sh) {  // the rows of the window that a row of dy puts on h
        const int i = (h + top - k) / sh;
        if (h + top < k || i >= OH) continue;
        for (int l = (v + left) % sw; l < KW; l += sw) {
            const int j = (v + left - l) / sw;
            if (v + left < l || j >= OW) continue;
            const real* slopes = dy + ((n * OH + i) * OW + j) * F;
            const real* weights = w + ((long long)(k * KW + l) * C + c) * F;
            for (int f = 0; f < F; ++f) sum += slopes[f] * weights[f];
        }
    }
    dx[e] = finished(sum, b, c, relu);
}

// dw[k,l,c,f] = sum over n, i, j of x~[n, sh*i+k-top, sw*j+l-left, c] * dy[n,i,j,f]; with add, plus what was there
__global__ void conv2d_weight_grad(
    const real* __restrict__ x, const real* __restrict__ dy, real* __restrict__ dw, int N, int H, int W, int C, int KH,
    int KW, int F, int OH, int OW, int sh, int sw, int top, int left, int add, long long count)
{
    const long long e = element();
    if (e >= count) return;
    const int f = e % F, c = e / F % C, l = e / F / C % KW, k = e / F / C / KW;
    real sum = 0;
    for (long long n = 0; n < N; ++n)
        for (int i = 0; i < OH; ++i) {
            const int h = sh * i + k - top;
            if (h < 0 || h >= H) continue;
            for (int j = 0; j < OW; ++j) {
                const int v = sw * j + l - left;
                if (v >= 0 && v < W) sum += x[((n * H + h) * W + v) * C + c] * dy[((n * OH + i) * OW + j) * F + f];
            }
        }
    dw[e] = add ? dw[e] + sum : sum;
}

// y[n,u] = b[u] + sum over d of x[n,d] * w[d,u]
__global__ void dense(
    const real* __restrict__ x, const real* __restrict__ w, const real* __restrict__ b, real* __restrict__ y, int N,
    int D, int U, int relu, long long count)
{
    const long long e = element();
    if (e >= count) return;
    const long long n = e / U;
    const int u = e % U;
    real sum = 0;
    for (int d = 0; d < D; ++d) sum += x[n * D + d] * w[(long long)d * U + u];
    y[e] = finished(sum, b, u, relu);
}

// dx[n,d] = sum over u of dy[n,u] * w[d,u]
__global__ void dense_input_grad(
    const real* __restrict__ dy, const real* __restrict__ w, real* __restrict__ dx, int N, int D, int U,
    long long count)
{
    const long long e = element();
    if (e >= count) return;
    const long long n = e / D, d = e % D;
    real sum = 0;
    for (int u = 0; u < U; ++u) sum += dy[n * U + u] * w[d * U + u];
    dx[e] = sum;
}

// dw[d,u] = sum over n of x[n,d] * dy[n,u]; with add, plus what was there
__global__ void dense_weight_grad(
    const real* __restrict__ x, const real* __restrict__ dy, real* __restrict__ dw, int N, int D, int U, int add,
    long long count)
{
    const long long e = element();
    if (e >= count) return;
    const long long d = e / U, u = e % U;
    real sum = 0;
    for (long long n = 0; n < N; ++n) sum += x[n * D + d] * dy[n * U + u];
    dw[e] = add ? dw[e] + sum : sum;
}

}
