// The pixels (h, v) of dx that meet the same cells of the window: those with the same remainders of h + top by sh and
// of v + left by sw. The pixel h meets row k of the window where h + top - k = sh * i; with k = k0 + sh * a, that is
// the row i = i0 - a of dy. So within a class the gradient is a convolution with strides of 1, and dy is gathered:
// each number of dx is written once, by one thread, and no product with a zero between strides is made.

struct PixelClass {
    int H, W, sh, sw;
    int h0, v0, height, width;     // its pixels (h0 + sh * y, v0 + sw * z), of which there are height * width
    int k0, l0, rows, columns;     // the cells of the window (k0 + sh * a, l0 + sw * b) that they meet
    int i0, j0;                    // what the first pixel's first cell meets in dy; the pixel (y, z) meets (i0+y, j0+z)

    __device__ PixelClass(int number, int H, int W, int KH, int KW, int sh, int sw, int top, int left)
        : H(H), W(W), sh(sh), sw(sw) {
        h0 = number / min(sw, W);
        v0 = number % min(sw, W);
        height = (H - h0 + sh - 1) / sh;
        width = (W - v0 + sw - 1) / sw;
        k0 = (h0 + top) % sh;
        l0 = (v0 + left) % sw;
        i0 = (h0 + top) / sh;
        j0 = (v0 + left) / sw;
        rows = max(0, (KH - k0 + sh - 1) / sh);
        columns = max(0, (KW - l0 + sw - 1) / sw);
        if (columns == 0) { rows = 0; columns = 1; }  // no cell at all, and nothing is divided by zero
    }

    // Which pixel of the arrays (N, H, W) is number m of this class's (N, height, width)?
    __device__ long long place(int m) const {
        const int z = m % width, y = m / width % height, n = m / width / height;
        return ((long long)n * H + h0 + y * sh) * W + v0 + z * sw;
    }
};
