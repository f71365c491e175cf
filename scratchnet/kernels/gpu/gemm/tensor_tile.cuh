// A tile of 64 x 64 sums of a matrix product of float32 numbers on the tensor cores, by a block of 4 warps. Each warp
// has 32 x 32 of them, as 2 x 4 products of 16 x 8 x 8.
//
// There are two stages in shared memory: while one is multiplied, asynchronous copies fill the other.
//
// The tensor cores take factors of 11 bits (TF32). With PRODUCTS = 3, each factor is the sum of two such numbers,
// itself rounded and what rounding took from it, and a * b is big * big + big * small + small * big. What is left out,
// small * small, is about 2**-22 of the product: the digits of float32, nearly. An infinite factor makes NaN then.
#include "gemm/operands.cuh"
#include "gemm/result.cuh"
#include "gemm/tensor_core.cuh"

static constexpr int TILE = 64, TILE_ROWS = TILE, TILE_COLUMNS = TILE, DEPTH = 16, THREADS = 128;
static constexpr int RESIDENT = PRODUCTS == 3 ? 4 : 5;  // blocks a multiprocessor: limits the registers of each

// What one step needs of a factor, 64 rows of 16 k, in shared memory. The numbers lie there as they come, along k or
// along the rows: asynchronous copies cannot turn them. Each line is a little longer than it has to be, so that the 32
// numbers which a warp reads at once, of 8 rows and 4 k, are in 32 different banks.
template <bool along_k>
struct Stage {
    static constexpr int LINE = along_k ? DEPTH + 4 : TILE + 8;
    float numbers[along_k ? TILE * LINE : DEPTH * LINE];

    __device__ float& at(int row, int k) { return numbers[along_k ? row * LINE + k : k * LINE + row]; }
};

// The two runs of four numbers that a thread brings at each step.
template <class Operand>
struct Runs {
    static constexpr bool ALONG_K = Operand::ALONG_K;
    const Operand& operand;
    int row, k;
    typename Operand::Cursor first, second;

    __device__ Runs(const Operand& operand, int t, int row0, int k0)
        : operand(operand), row(ALONG_K ? t / 4 : t % 16 * 4), k(ALONG_K ? t % 4 * 4 : t / 16),
          first(operand.at(row0 + row, k0 + k)),
          second(operand.at(row0 + row + (ALONG_K ? 32 : 0), k0 + k + (ALONG_K ? 0 : 8))) {}

    __device__ void start(const typename Operand::Cursor& cursor, float* to) const {
        if (operand.vector) {
            const float* address = cursor.address(0);
            start_copy<16>(to, address ? address : operand.base, address != nullptr);
        } else {
            #pragma unroll
            for (int i = 0; i < 4; ++i) {
                const float* address = cursor.address(i);
                start_copy<4>(to + i, address ? address : operand.base, address != nullptr);
            }
        }
    }

    __device__ void bring(Stage<ALONG_K>& stage) {  // and go on to the next step's
        start(first, &stage.at(row, k));
        start(second, &stage.at(row + (ALONG_K ? 32 : 0), k + (ALONG_K ? 0 : 8)));
        first.advance(DEPTH);
        second.advance(DEPTH);
    }
};

// Numbers as the tensor cores take them: rounded, and with PRODUCTS = 3 also what rounding took from them.
template <int count>
struct Fragment {
    unsigned big[count], small[count];

    __device__ void set(int i, float x) {
        big[i] = to_tf32(x);
        if (PRODUCTS == 3) small[i] = to_tf32(x - as_float(big[i]));
    }
};

// The sums over k0 <= k < k1 of the tile that begins at (m0, n0).
template <class A, class B, class Place>
__device__ __forceinline__ void multiply(const A& a, const B& b, int m0, int n0, int k0, int k1, const Result& result,
                                         Place place) {
    __shared__ __align__(16) Stage<A::ALONG_K> a_stages[2];
    __shared__ __align__(16) Stage<B::ALONG_K> b_stages[2];
    const int t = threadIdx.x, warp = t / 32, g = t % 32 / 4, q = t % 4;
    const int row0 = warp / 2 * 32, column0 = warp % 2 * 32;  // of the warp's part of the tile
    Runs<A> from_a(a, t, m0, k0);
    Runs<B> from_b(b, t, n0, k0);
    float sums[2][4][4] = {};
    if (k0 < k1) {
        from_a.bring(a_stages[0]);
        from_b.bring(b_stages[0]);
    }
    for (int k = k0, s = 0; k < k1; k += DEPTH, s ^= 1) {
        wait_for_copies();  // each thread for its own, and then all for each other
        __syncthreads();
        // Nobody reads the other stage any more: the next numbers travel while these are multiplied.
        if (k + DEPTH < k1) {
            from_a.bring(a_stages[s ^ 1]);
            from_b.bring(b_stages[s ^ 1]);
        }
        #pragma unroll
        for (int e = 0; e < DEPTH; e += 8) {
            Fragment<4> left[2];
            Fragment<2> right[4];
            #pragma unroll
            for (int i = 0; i < 2; ++i)
                #pragma unroll
                for (int p = 0; p < 4; ++p)
                    left[i].set(p, a_stages[s].at(row0 + i * 16 + p % 2 * 8 + g, e + p / 2 * 4 + q));
            #pragma unroll
            for (int j = 0; j < 4; ++j)
                #pragma unroll
                for (int p = 0; p < 2; ++p) right[j].set(p, b_stages[s].at(column0 + j * 8 + g, e + p * 4 + q));
            #pragma unroll
            for (int i = 0; i < 2; ++i)
                #pragma unroll
                for (int j = 0; j < 4; ++j) {
                    if (PRODUCTS == 3) {  // the smallest first
                        multiply_add(sums[i][j], left[i].small, right[j].big);
                        multiply_add(sums[i][j], left[i].big, right[j].small);
                    }
                    multiply_add(sums[i][j], left[i].big, right[j].big);
                }
        }
    }
    #pragma unroll
    for (int i = 0; i < 2; ++i)
        #pragma unroll
        for (int half = 0; half < 2; ++half) {
            const int m = m0 + row0 + i * 16 + half * 8 + g;
            if (m >= result.rows) continue;
            float* y = result.y + place(m) * result.columns;
            #pragma unroll
            for (int j = 0; j < 4; ++j)
                #pragma unroll
                for (int e = 0; e < 2; ++e) {
                    const int n = n0 + column0 + j * 8 + q * 2 + e;
                    if (n < result.columns) y[n] = result.finished(sums[i][j][half * 2 + e], n, y + n);
                }
        }
}
