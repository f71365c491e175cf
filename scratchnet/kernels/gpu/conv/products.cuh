// The products of convolution and dense layers as tiles of matrix products C[m,n] = sum over k of A[m,k] * B[k,n]:
//
//                            m                k                n    A                B
//   conv2d                   pixels of y      (k, l, c)        f    patches of x     w
//   conv2d_input_grad        pixels of dx     (k, l, f)        c    patches of dy    w, its f along k
//   conv2d_weight_grad       (k, l, c)        pixels of dy     f    patches of x     dy
//   dense                    n                d                u    x                w
//   dense_input_grad         n                u                d    dy               w, its u along k
//   dense_weight_grad        d                n                u    x                dy
//
// Who includes this has included the rung before: `multiply` computes one tile of TILE x TILE sums by THREADS threads.
// blockIdx.x counts the tiles, those of a row of tiles first, so that blocks which run together read the same rows of A.
// blockIdx.y is a part of the sum over k (split-K), `share` long: each part has its own copy of the result, in order.
#include "conv/pixel_class.cuh"

struct Tile {
    int m0, n0, k0, k1;

    __device__ Tile(int number, int columns, int K, int share) {
        const int across = (columns + TILE - 1) / TILE;
        m0 = number / across * TILE;
        n0 = number % across * TILE;
        k0 = blockIdx.y * share;
        k1 = min(K, k0 + share);
    }
};

__device__ __forceinline__ long long part_of(long long size) { return blockIdx.y * size; }

extern "C" {

// y[n,i,j,f] = b[f] + sum over k, l, c of x~[n, sh*i+k-top, sw*j+l-left, c] * w[k,l,c,f]
__global__ void __launch_bounds__(THREADS, RESIDENT) conv2d(
    const real* __restrict__ x, const real* __restrict__ w, const real* __restrict__ b, real* __restrict__ y, int N,
    int H, int W, int C, int KH, int KW, int F, int OH, int OW, int sh, int sw, int top, int left, int relu, int share)
{
    const int rows = N * OH * OW, K = KH * KW * C;
    const Tile tile(blockIdx.x, F, K, share);
    const Patches<1> patches(x, N, H, W, C, KH, KW, OH, OW, sh, sw, -top, -left);
    const ColumnRun weights(w, K, F);
    const Result result = {y + part_of((long long)rows * F), b, rows, F, relu != 0, false};
    multiply(patches, weights, tile.m0, tile.n0, tile.k0, tile.k1, result, [](int m) { return (long long)m; });
}

// dx[n,h,v,c] = b[c] + sum over f and all i, j, k, l with sh*i+k-top = h, sw*j+l-left = v of dy[n,i,j,f] * w[k,l,c,f]
__global__ void __launch_bounds__(THREADS, RESIDENT) conv2d_input_grad(
    const real* __restrict__ dy, const real* __restrict__ w, const real* __restrict__ b, real* __restrict__ dx, int N,
    int H, int W, int C, int KH, int KW, int F, int OH, int OW, int sh, int sw, int top, int left, int relu, int share)
{
    const int classes = min(sh, H) * min(sw, W), tiles = gridDim.x / classes;  // the first class is the largest
    const PixelClass some(blockIdx.x / tiles, H, W, KH, KW, sh, sw, top, left);
    const int rows = N * some.height * some.width, K = some.rows * some.columns * F;
    const Tile tile(blockIdx.x % tiles, C, K, share);
    if (tile.m0 >= rows) return;  // the whole block
    const Patches<-1> patches(dy, N, OH, OW, F, some.rows, some.columns, some.height, some.width, 1, 1, some.i0,
                              some.j0);
    const ClassWeights weights(w, KW, C, F, some.k0, some.l0, sh, sw, some.rows, some.columns);
    const Result result = {dx + part_of((long long)N * H * W * C), b, rows, C, relu != 0, false};
    multiply(patches, weights, tile.m0, tile.n0, tile.k0, tile.k1, result, [=](int m) { return some.place(m); });
}

// dw[k,l,c,f] = sum over n, i, j of x~[n, sh*i+k-top, sw*j+l-left, c] * dy[n,i,j,f]; with add, plus what was there
__global__ void __launch_bounds__(THREADS, RESIDENT) conv2d_weight_grad(
    const real* __restrict__ x, const real* __restrict__ dy, real* __restrict__ dw, int N, int H, int W, int C, int KH,
    int KW, int F, int OH, int OW, int sh, int sw, int top, int left, int add, int share)
{
    const int rows = KH * KW * C, K = N * OH * OW;
    const Tile tile(blockIdx.x, F, K, share);
    const PatchColumns patches(x, N, H, W, C, KH, KW, OH, OW, sh, sw, -top, -left);
    const ColumnRun slopes(dy, K, F);
    const Result result = {dw + part_of((long long)rows * F), nullptr, rows, F, false, add != 0};
    multiply(patches, slopes, tile.m0, tile.n0, tile.k0, tile.k1, result, [](int m) { return (long long)m; });
}

// y[n,u] = b[u] + sum over d of x[n,d] * w[d,u]
__global__ void __launch_bounds__(THREADS, RESIDENT) dense(
    const real* __restrict__ x, const real* __restrict__ w, const real* __restrict__ b, real* __restrict__ y, int N,
    int D, int U, int relu, int share)
{
    const Tile tile(blockIdx.x, U, D, share);
    const Result result = {y + part_of((long long)N * U), b, N, U, relu != 0, false};
    multiply(RowMajor(x, N, D), ColumnRun(w, D, U), tile.m0, tile.n0, tile.k0, tile.k1, result,
             [](int m) { return (long long)m; });
}

// dx[n,d] = sum over u of dy[n,u] * w[d,u]
__global__ void __launch_bounds__(THREADS, RESIDENT) dense_input_grad(
    const real* __restrict__ dy, const real* __restrict__ w, real* __restrict__ dx, int N, int D, int U, int share)
{
    const Tile tile(blockIdx.x, D, U, share);
    const Result result = {dx + part_of((long long)N * D), nullptr, N, D, false, false};
    multiply(RowMajor(dy, N, U), RowMajor(w, D, U), tile.m0, tile.n0, tile.k0, tile.k1, result,
             [](int m) { return (long long)m; });
}

// dw[d,u] = sum over n of x[n,d] * dy[n,u]; with add, plus what was there
__global__ void __launch_bounds__(THREADS, RESIDENT) dense_weight_grad(
    const real* __restrict__ x, const real* __restrict__ dy, real* __restrict__ dw, int N, int D, int U, int add,
    int share)
{
    const Tile tile(blockIdx.x, U, N, share);
    const Result result = {dw + part_of((long long)D * U), nullptr, D, U, false, add != 0};
    multiply(ColumnRun(x, N, D), ColumnRun(dy, N, U), tile.m0, tile.n0, tile.k0, tile.k1, result,
             [](int m) { return (long long)m; });
}

}
