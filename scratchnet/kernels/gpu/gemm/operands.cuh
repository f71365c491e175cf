// The two factors of a matrix product C[m,n] = sum over k of A[m,k] * B[k,n], as a tile's threads read them.
//
// A convolution is such a product, too, with a matrix A that nobody ever writes down (implicit GEMM): an operand tells
// for any (m, k) where its number lies in memory. A thread makes a cursor, `operand.at(row, k)`, for the four numbers
// that it brings at each step, and moves it along k by `advance`. Four numbers that follow one another along
//   - k: ALONG_K, the channels of a pixel; the tile's rows are m (or n, for B)
//   - m (or n): otherwise
// also follow one another in memory: a single load of 16 bytes where `vector` says that alignment and sizes allow it.
//
//   cursor.address(i): where the i-th of the four lies; null where it is zero, outside of the matrix or the picture.

__device__ __forceinline__ bool fours(const void* array, int size) {  // does each run of four begin at 16 bytes?
    return size % 4 == 0 && (unsigned long long)array % 16 == 0;
}

// A matrix (rows, K) whose rows run along k: x of a dense layer, or w (D, U) where the sum is over U.
struct RowMajor {
    static constexpr bool ALONG_K = true;
    const real* base;
    int rows, K;
    bool vector;

    __device__ RowMajor(const real* a, int rows, int K) : base(a), rows(rows), K(K), vector(fours(a, K)) {}

    struct Cursor {
        const real* row;  // null below the last
        int k, K;
        __device__ const real* address(int i) const { return row && k + i < K ? row + k + i : nullptr; }
        __device__ void advance(int steps) { k += steps; }
    };
    __device__ Cursor at(int row, int k) const { return {row < rows ? base + (long long)row * K : nullptr, k, K}; }
};

// A matrix (K, columns) whose rows run along n: the weights of a dense layer, or of a convolution as (KH*KW*C, F).
struct ColumnRun {
    static constexpr bool ALONG_K = false;
    const real* base;
    int K, columns;
    bool vector;

    __device__ ColumnRun(const real* b, int K, int columns)
        : base(b), K(K), columns(columns), vector(fours(b, columns)) {}

    struct Cursor {
        const real* base;
        int k, n, K, columns;
        __device__ const real* address(int i) const {
            return k < K && n + i < columns ? base + (long long)k * columns + n + i : nullptr;
        }
        __device__ void advance(int steps) { k += steps; }
    };
    __device__ Cursor at(int n, int k) const { return {base, k, n, K, columns}; }
};

// A cell (k, l) of a window of KW columns and its channel c, counted as one number (k * KW + l) * C + c.
struct Cell {
    int k, l, c;

    __device__ Cell(int index, int KW, int C) : k(index / C / KW), l(index / C % KW), c(index % C) {}

    __device__ bool advance(int steps, int KW, int C) {  // to another (k, l)? Carries in place of divisions
        if ((c += steps) < C) return false;
        for (; c >= C; c -= C)
            if (++l == KW) { l = 0; ++k; }
        return true;
    }
};

// Patches of x (N, H, W, C), im2col without the copy: row m is the pixel (n, i, j) of an output of (N, OH, OW), and k
// counts the cells of a window of (KH, KW, C). A cell (k, l, c) meets x[n, i*sh + top + k*way, j*sw + left + l*way, c].
// way is 1 in a convolution, whose top and left are minus its padding, and -1 in the gradient of its input.
template <int way>
struct Patches {
    static constexpr bool ALONG_K = true;
    const real* base;
    int N, H, W, C, KH, KW, OH, OW, sh, sw, top, left;
    bool vector;

    __device__ Patches(const real* x, int N, int H, int W, int C, int KH, int KW, int OH, int OW, int sh, int sw,
                       int top, int left)
        : base(x), N(N), H(H), W(W), C(C), KH(KH), KW(KW), OH(OH), OW(OW), sh(sh), sw(sw), top(top), left(left),
          vector(fours(x, C)) {}

    struct Cursor {
        const Patches& p;
        const real* picture;  // null below the last row
        int h, v;             // of the window's first cell
        Cell cell;
        const real* pixel;    // that the cell meets, null outside of the picture

        __device__ void meet() {
            const int y = h + cell.k * way, z = v + cell.l * way;
            const bool inside = picture && cell.k < p.KH && y >= 0 && y < p.H && z >= 0 && z < p.W;
            pixel = inside ? picture + (long long)(y * p.W + z) * p.C : nullptr;
        }
        __device__ void advance(int steps) {
            if (cell.advance(steps, p.KW, p.C)) meet();
        }
        __device__ const real* address(int i) const {
            if (cell.c + i < p.C) return pixel ? pixel + cell.c + i : nullptr;
            Cursor next = *this;  // the four go on in another cell
            next.advance(i);
            return next.pixel ? next.pixel + next.cell.c : nullptr;
        }
    };
    __device__ Cursor at(int m, int k) const {
        const int j = m % OW, i = m / OW % OH, n = m / OW / OH;
        const real* picture = n < N ? base + (long long)n * H * W * C : nullptr;
        Cursor cursor = {*this, picture, i * sh + top, j * sw + left, Cell(k, KW, C), nullptr};
        cursor.meet();
        return cursor;
    }
};

// The same patches, transposed: row m is the cell of the window, and k counts the pixels (n, i, j) of the output.
struct PatchColumns {
    static constexpr bool ALONG_K = false;
    const real* base;
    int N, H, W, C, KH, KW, OH, OW, sh, sw, top, left;
    bool vector;

    __device__ PatchColumns(const real* x, int N, int H, int W, int C, int KH, int KW, int OH, int OW, int sh, int sw,
                            int top, int left)
        : base(x), N(N), H(H), W(W), C(C), KH(KH), KW(KW), OH(OH), OW(OW), sh(sh), sw(sw), top(top), left(left),
          vector(fours(x, C)) {}

    struct Cursor {
        const PatchColumns& p;
        Cell cell;
        int n, i, j;

        __device__ const real* address(int e) const {
            Cell here = cell;
            if (e > 0) here.advance(e, p.KW, p.C);
            const int h = i * p.sh + p.top + here.k, v = j * p.sw + p.left + here.l;
            const bool inside = n < p.N && here.k < p.KH && h >= 0 && h < p.H && v >= 0 && v < p.W;
            return inside ? p.base + (((long long)n * p.H + h) * p.W + v) * p.C + here.c : nullptr;
        }
        __device__ void advance(int steps) {
            for (j += steps; j >= p.OW; j -= p.OW)
                if (++i == p.OH) { i = 0; ++n; }
        }
    };
    __device__ Cursor at(int m, int k) const { return {*this, Cell(m, KW, C), k / OW / OH, k / OW % OH, k % OW}; }
};

// Weights (KH, KW, C, F) where the sum is over f: column n is the channel c, and k counts the cells (a, b, f) of a part
// of the window, its rows k0, k0 + sh, ... and columns l0, l0 + sw, ...: those that meet one class of pixels of dx.
struct ClassWeights {
    static constexpr bool ALONG_K = true;
    const real* base;
    int KW, C, F, k0, l0, sh, sw, rows, columns;
    bool vector;

    __device__ ClassWeights(const real* w, int KW, int C, int F, int k0, int l0, int sh, int sw, int rows, int columns)
        : base(w), KW(KW), C(C), F(F), k0(k0), l0(l0), sh(sh), sw(sw), rows(rows), columns(columns),
          vector(fours(w, F)) {}

    struct Cursor {
        const ClassWeights& p;
        int c;
        Cell cell;
        const real* filters;  // w[k,l,c] of the cell, null behind the last

        __device__ void meet() {
            const int k = p.k0 + cell.k * p.sh, l = p.l0 + cell.l * p.sw;
            const bool inside = c < p.C && cell.k < p.rows;
            filters = inside ? p.base + ((long long)(k * p.KW + l) * p.C + c) * p.F : nullptr;
        }
        __device__ void advance(int steps) {
            if (cell.advance(steps, p.columns, p.F)) meet();
        }
        __device__ const real* address(int i) const {
            if (cell.c + i < p.F) return filters ? filters + cell.c + i : nullptr;
            Cursor next = *this;
            next.advance(i);
            return next.filters ? next.filters + next.cell.c : nullptr;
        }
    };
    __device__ Cursor at(int n, int k) const {
        Cursor cursor = {*this, n, Cell(k, columns, F), nullptr};
        cursor.meet();
        return cursor;
    }
};

struct __align__(16) Four { real v[4]; };

// The four numbers at a cursor.
template <class Operand>
__device__ __forceinline__ Four load(const Operand& operand, const typename Operand::Cursor& cursor) {
    Four four = {};
    if (operand.vector) {
        const real* address = cursor.address(0);
        if (address) four = *reinterpret_cast<const Four*>(address);
    } else {
        #pragma unroll
        for (int i = 0; i < 4; ++i) {
            const real* address = cursor.address(i);
            if (address) four.v[i] = *address;
        }
    }
    return four;
}
