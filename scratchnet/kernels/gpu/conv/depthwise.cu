// Depthwise convolution and its gradients: each channel is filtered by itself. One thread a number of the result, and
// neighbouring threads have neighbouring channels: a warp reads and writes whole lines of memory. With so few products
// a number, memory sets the pace, and the cache serves the pixels that neighbouring windows share.
#include "common.cuh"

extern "C" {

// y[n,i,j,c*M+m] = b[c*M+m] + sum over k, l of x~[n, sh*i+k-top, sw*j+l-left, c] * w[k,l,c,m]
__global__ void depthwise_conv2d(
    const real* __restrict__ x, const real* __restrict__ w, const real* __restrict__ b, real* __restrict__ y, int N,
    int H, int W, int C, int KH, int KW, int M, int OH, int OW, int sh, int sw, int top, int left, long long count)
{
    const long long e = element();
    if (e >= count) return;
    const int pixel = e / (C * M), cm = e % (C * M), c = cm / M;
    const int j = pixel % OW, i = pixel / OW % OH, n = pixel / OW / OH;
    real sum = b ? b[cm] : 0;
    for (int k = 0; k < KH; ++k) {
        const int h = sh * i + k - top;
        if (h < 0 || h >= H) continue;
        for (int l = 0; l < KW; ++l) {
            const int v = sw * j + l - left;
            if (v < 0 || v >= W) continue;
            sum += x[(((long long)n * H + h) * W + v) * C + c] * w[(long long)(k * KW + l) * C * M + cm];
        }
    }
    y[e] = sum;
}

// dx[n,h,v,c] = sum over m and all i, j, k, l with sh*i+k-top = h, sw*j+l-left = v of dy[n,i,j,c*M+m] * w[k,l,c,m]
__global__ void depthwise_conv2d_input_grad(
    const real* __restrict__ dy, const real* __restrict__ w, real* __restrict__ dx, int N, int H, int W, int C, int KH,
    int KW, int M, int OH, int OW, int sh, int sw, int top, int left, long long count)
{
    const long long e = element();
    if (e >= count) return;
    const int pixel = e / C, c = e % C;
    const int v = pixel % W, h = pixel / W % H, n = pixel / W / H;
    real sum = 0;
    for (int k = (h + top) % sh; k < KH; k += sh) {  // the rows of the window that a row of dy puts on h
        const int i = (h + top - k) / sh;
        if (h + top < k || i >= OH) continue;
        for (int l = (v + left) % sw; l < KW; l += sw) {
            const int j = (v + left - l) / sw;
            if (v + left < l || j >= OW) continue;
            const real* slopes = dy + ((((long long)n * OH + i) * OW + j) * C + c) * M;
            const real* weights = w + ((long long)(k * KW + l) * C + c) * M;
            for (int m = 0; m < M; ++m) sum += slopes[m] * weights[m];
        }
    }
    dx[e] = sum;
}

// partial[part,k,l,c,m] = sum over the `share` places (n, i, j) of the part, blockIdx.y, of
// x~[n, sh*i+k-top, sw*j+l-left, c] * dy[n,i,j,c*M+m]. The parts are added by parts.cu.
__global__ void depthwise_conv2d_weight_grad(
    const real* __restrict__ x, const real* __restrict__ dy, real* __restrict__ partial, int N, int H, int W, int C,
    int KH, int KW, int M, int OH, int OW, int sh, int sw, int top, int left, int share)
{
    const long long e = element();
    if (e >= (long long)KH * KW * C * M) return;
    const int cell = e / (C * M), cm = e % (C * M), c = cm / M, k = cell / KW, l = cell % KW;
    const int first = blockIdx.y * share, end = min(N * OH * OW, first + share);
    int j = first % OW, i = first / OW % OH, n = first / OW / OH;
    real sum = 0;
    for (int place = first; place < end; ++place) {
        const int h = sh * i + k - top, v = sw * j + l - left;
        if (h >= 0 && h < H && v >= 0 && v < W)
            sum += x[(((long long)n * H + h) * W + v) * C + c] * dy[(long long)place * C * M + cm];
        if (++j == OW) {
            j = 0;
            if (++i == OH) { i = 0; ++n; }
        }
    }
    partial[(long long)blockIdx.y * KH * KW * C * M + e] = sum;
}

}
