// Max and average pooling and their gradients, and enlarging by repetition. x (N, H, W, C), y (N, OH, OW, C), windows
// of (KH, KW) at steps of (sh, sw): window (i, j) begins at row i * sh - top and column j * sw - left of x.
//
// One thread for each number of the result, along the channels, which lie side by side. Backward as well: a cell of x
// looks up the windows that hold it, and no two threads write to one place. A picture with its pads has fewer than 2^31
// cells along an axis.
#include "common.cuh"
#include "column_sums.cuh"

#define LONGEST_SUM 1024  // numbers that are added one after the other in float

// From begin to below end: rows or columns of x, or windows. Empty where end <= begin.
struct Span {
    int begin, end;
};

// Along one axis, the cells of window i that lie inside of x.
__device__ __forceinline__ Span cells_of(int i, int K, int stride, int pad, int size) {
    int begin = i * stride - pad;
    return {max(begin, 0), min(begin + K, size)};
}

// Along one axis, the windows i that hold cell h: i * stride <= h + pad < i * stride + K.
__device__ __forceinline__ Span windows_of(int h, int K, int stride, int pad, int count) {
    int place = h + pad;
    return {place < K ? 0 : (place - K) / stride + 1, min(place / stride + 1, count)};
}

// How many cells of x a window has.
__device__ __forceinline__ long long cell_count(Span rows, Span columns) {
    return (long long)max(rows.end - rows.begin, 0) * max(columns.end - columns.begin, 0);
}

extern "C" {

// y = the maximum over the window; argmax = h * W + v of the first cell that has it, -1 if the window is all padding.
// NaN is larger than any number, and `least`, minus infinity, not larger than any. With relu, argmax is -1 also where y
// is 0.
__global__ void max_pool2d(const real* __restrict__ x, int H, int W, int C, int OH, int OW, int KH, int KW, int sh,
                           int sw, int top, int left, int relu, real least, real* __restrict__ y,
                           int* __restrict__ argmax, long long n) {
    long long e = element(), example = e;
    if (e >= n) return;
    int c = split(example, C), j = split(example, OW), i = split(example, OH);
    Span rows = cells_of(i, KH, sh, top, H), columns = cells_of(j, KW, sw, left, W);
    const real* picture = x + example * H * W * C + c;
    real most = least;
    int where = cell_count(rows, columns) > 0 ? rows.begin * W + columns.begin : -1;
    for (int h = rows.begin; h < rows.end; ++h) {
        for (int v = columns.begin; v < columns.end; ++v) {
            int place = h * W + v;
            real value = picture[(long long)place * C];
            // Only a larger one takes the place: the first of equals keeps it, and the first NaN.
            if (value > most || (value != value && most == most)) {
                most = value;
                where = place;
            }
        }
    }
    y[e] = most;
    argmax[e] = relu && most <= 0 ? -1 : where;
}

// dx = the sum of dy over the windows whose argmax is this cell. A place that is no cell of the picture is no thread's.
__global__ void max_pool2d_backward(const real* __restrict__ dy, const int* __restrict__ argmax, int H, int W, int C,
                                    int OH, int OW, int KH, int KW, int sh, int sw, int top, int left,
                                    real* __restrict__ dx, long long n) {
    long long e = element(), example = e;
    if (e >= n) return;
    int c = split(example, C), v = split(example, W), h = split(example, H), place = h * W + v;
    Span rows = windows_of(h, KH, sh, top, OH), columns = windows_of(v, KW, sw, left, OW);
    double sum = 0;  // of as many numbers as windows hold the cell
    for (int i = rows.begin; i < rows.end; ++i) {
        for (int j = columns.begin; j < columns.end; ++j) {
            long long window = ((example * OH + i) * OW + j) * C + c;
            if (argmax[window] == place) sum += dy[window];
        }
    }
    dx[e] = sum;
}

// y = the sum over those cells of the window that lie inside of x, with `mean` divided by their number.
__global__ void window_sums(const real* __restrict__ x, int H, int W, int C, int OH, int OW, int KH, int KW, int sh,
                            int sw, int top, int left, int mean, real* __restrict__ y, long long n) {
    long long e = element(), example = e;
    if (e >= n) return;
    int c = split(example, C), j = split(example, OW), i = split(example, OH);
    Span rows = cells_of(i, KH, sh, top, H), columns = cells_of(j, KW, sw, left, W);
    const real* picture = x + example * H * W * C + c;
    double total = 0;
    for (int h = rows.begin; h < rows.end; ++h) {
        for (int v = columns.begin; v < columns.end;) {
            real sum = 0;
            for (int left_over = min(columns.end - v, LONGEST_SUM); left_over > 0; --left_over, ++v) {
                sum += picture[((long long)h * W + v) * C];
            }
            total += sum;
        }
    }
    y[e] = mean ? total / max(cell_count(rows, columns), 1LL) : total;
}

// dx = the sum of dy / (cells inside of x) over the windows that hold this cell.
__global__ void average_pool2d_backward(const real* __restrict__ dy, int H, int W, int C, int OH, int OW, int KH,
                                        int KW, int sh, int sw, int top, int left, real* __restrict__ dx, long long n) {
    long long e = element(), example = e;
    if (e >= n) return;
    int c = split(example, C), v = split(example, W), h = split(example, H);
    Span rows = windows_of(h, KH, sh, top, OH), columns = windows_of(v, KW, sw, left, OW);
    double sum = 0;
    for (int i = rows.begin; i < rows.end; ++i) {
        for (int j = columns.begin; j < columns.end; ++j) {
            long long cells = cell_count(cells_of(i, KH, sh, top, H), cells_of(j, KW, sw, left, W));
            sum += dy[((example * OH + i) * OW + j) * C + c] / (real)cells;
        }
    }
    dx[e] = sum;
}

// y (N, C) = the mean of x (N, S, C) over its S places: a block for each example and some of its channels.
__global__ void __launch_bounds__(TILE_THREADS)
global_average_pool2d(const real* __restrict__ x, int S, int C, real* __restrict__ y) {
    __shared__ double shared[TILE_THREADS];
    Tile tile = tile_of(S, C, S, 1);
    const real* column = x + tile.n * S * C + tile.c;
    double sum = 0;
    for (long long r = tile.begin; r < tile.end; r += blockDim.y) sum += column[r * C];
    sum = column_sum(sum, shared);
    if (threadIdx.y == 0 && tile.inside) y[tile.n * C + tile.c] = sum / S;
}

// dx (N, S, C) = dy (N, C) / S.
__global__ void global_average_pool2d_backward(const real* __restrict__ dy, int S, int C, real* __restrict__ dx,
                                               long long n) {
    long long e = element(), example = e;
    if (e >= n) return;
    int c = split(example, C);
    split(example, S);
    dx[e] = dy[example * C + c] / S;
}

// y[n,h,v,c] = x[n, h / SH, v / SW, c].
__global__ void upsample2d(const real* __restrict__ x, int H, int W, int C, int SH, int SW, real* __restrict__ y,
                           long long n) {
    long long e = element(), example = e;
    if (e >= n) return;
    int c = split(example, C), v = split(example, W * SW), h = split(example, H * SH);
    y[e] = x[((example * H + h / SH) * W + v / SW) * C + c];
}

}  // extern "C"
