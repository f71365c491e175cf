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
// Who includes this has included the rung before: its `multiply` computes one tile of TILE_ROWS x TILE_COLUMNS sums by
// THREADS threads.
// blockIdx.x counts the tiles, those of a row of tiles first: blocks that run together read the same rows of A.
// blockIdx.y is a part of the sum over k (split-K), `share` long: each part has its own copy of the result, in order.
#include "conv/pixel_class.cuh"

// Where a bias's gradient is asked for, db[f] = the sum of dy's column f, the blocks behind the last tile compute it.
#define COLUMNS_A_BLOCK 64

struct Tile {
    int m0, n0, k0, k1;

    __device__ Tile(int number, int columns, int K, int share) {
        const int across = (columns + TILE_COLUMNS - 1) / TILE_COLUMNS;
        m0 = number / across * TILE_ROWS;
        n0 = number % across * TILE_COLUMNS;
        k0 = blockIdx.y * share;
        k1 = min(K, k0 + share);
    }
};

__device__ __forceinline__ long long part_of(long long size) { return blockIdx.y * size; }

__device__ __forceinline__ int tiles_of(int rows, int columns) {
    return (rows + TILE_ROWS - 1) / TILE_ROWS * ((columns + TILE_COLUMNS - 1) / TILE_COLUMNS);
}

// y[n] = the sum of b[k,n] over a part's k for the 64 columns from n0 on; with add, plus what was there. 16 threads
// read a row, each four of its columns; what the groups of 16 have summed is then added up, half to half.
__device__ __forceinline__ void sum_columns(const ColumnRun& b, real* y, int n0, int share, bool add) {
    static constexpr int GROUPS = THREADS / 16;
    __shared__ __align__(16) real sums[GROUPS][COLUMNS_A_BLOCK];
    const int group = threadIdx.x / 16, column = threadIdx.x % 16 * 4, k0 = blockIdx.y * share;
    ColumnRun::Cursor cursor = b.at(n0 + column, k0 + group);
    Four sum = {};
    for (int k = k0 + group; k < min(b.K, k0 + share); k += GROUPS, cursor.advance(GROUPS)) {
        const Four row = load(b, cursor);
        for (int i = 0; i < 4; ++i) sum.v[i] += row.v[i];
    }
    *reinterpret_cast<Four*>(&sums[group][column]) = sum;
    for (int half = GROUPS / 2; half > 0; half /= 2) {
        __syncthreads();
        if (group >= half) continue;
        for (int i = 0; i < 4; ++i) sums[group][column + i] += sums[group + half][column + i];
    }
    if (group > 0) return;
    for (int i = 0; i < 4; ++i) {
        const int n = n0 + column + i;
        if (n < b.columns) y[n] = add ? y[n] + sums[0][column + i] : sums[0][column + i];
    }
}

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

// dw[k,l,c,f] = sum over n, i, j of x~[n, sh*i+k-top, sw*j+l-left, c] * dy[n,i,j,f], and unless db is null, db[f] = sum
// over n, i, j of dy[n,i,j,f]; with add, plus what was there
__global__ void __launch_bounds__(THREADS, RESIDENT) conv2d_weight_grad(
    const real* __restrict__ x, const real* __restrict__ dy, real* __restrict__ dw, real* __restrict__ db, int N, int H,
    int W, int C, int KH, int KW, int F, int OH, int OW, int sh, int sw, int top, int left, int add, int share)
{
    const int rows = KH * KW * C, K = N * OH * OW, sums = tiles_of(rows, F);
    const long long part = part_of((long long)(rows + (db ? 1 : 0)) * F);  // a part of db lies behind that of dw
    const ColumnRun slopes(dy, K, F);
    if (blockIdx.x >= sums) return sum_columns(slopes, db + part, (blockIdx.x - sums) * COLUMNS_A_BLOCK, share, add);
    const Tile tile(blockIdx.x, F, K, share);
    const PatchColumns patches(x, N, H, W, C, KH, KW, OH, OW, sh, sw, -top, -left);
    const Result result = {dw + part, nullptr, rows, F, false, add != 0};
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

// dw[d,u] = sum over n of x[n,d] * dy[n,u], and unless db is null, db[u] = sum over n of dy[n,u]; with add, plus what
// was there
__global__ void __launch_bounds__(THREADS, RESIDENT) dense_weight_grad(
    const real* __restrict__ x, const real* __restrict__ dy, real* __restrict__ dw, real* __restrict__ db, int N, int D,
    int U, int add, int share)
{
    const int sums = tiles_of(D, U);
    const long long part = part_of((long long)(D + (db ? 1 : 0)) * U);
    const ColumnRun slopes(dy, N, U);
    if (blockIdx.x >= sums) return sum_columns(slopes, db + part, (blockIdx.x - sums) * COLUMNS_A_BLOCK, share, add);
    const Tile tile(blockIdx.x, U, N, share);
    const Result result = {dw + part, nullptr, D, U, false, add != 0};
    multiply(ColumnRun(x, N, D), slopes, tile.m0, tile.n0, tile.k0, tile.k1, result,
             [](int m) { return (long long)m; });
}

}
