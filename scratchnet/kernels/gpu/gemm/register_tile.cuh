// A tile of 64 x 64 sums of a matrix product, by a block of 128 threads: 8 x 4 of them in the registers of each thread.
//
// At each step the block brings 8 columns of A and 8 rows of B to shared memory, four numbers of each a thread. Of one
// k, a thread then reads 8 numbers of A and 4 of B, and multiplies each with each: 32 products for 12 numbers read,
// where a thread with one sum would read two numbers a product. While it multiplies, the next step's numbers are on
// their way from memory into registers.
#include "gemm/operands.cuh"
#include "gemm/result.cuh"

static constexpr int TILE = 64, DEPTH = 8, THREADS = 128, ROWS = 8, COLUMNS = 4;
static constexpr int RESIDENT = sizeof(real) == 8 ? 3 : 4;  // blocks a multiprocessor: limits the registers of each
// A row of the tile in shared memory is four numbers longer than it has to be. A warp that brings numbers along k
// stores those of 16 rows at k and at k + 4: so they land in different banks, and each row still begins at 16 bytes.
static constexpr int PITCH = TILE + 4;

// Which four numbers of the tile a thread brings: the first's row (m or n) and k.
template <bool along_k> __device__ __forceinline__ int row_of(int t) { return along_k ? t / 2 : t % 16 * 4; }
template <bool along_k> __device__ __forceinline__ int k_of(int t) { return along_k ? t % 2 * 4 : t / 16; }

template <bool along_k>
__device__ __forceinline__ void store(const Four& four, int t, real (*tile)[PITCH]) {
    const int row = row_of<along_k>(t), k = k_of<along_k>(t);
    if (along_k) {
        #pragma unroll
        for (int i = 0; i < 4; ++i) tile[k + i][row] = four.v[i];
    } else {
        *reinterpret_cast<Four*>(&tile[k][row]) = four;
    }
}

// The sums over k0 <= k < k1 of the tile that begins at (m0, n0).
template <class A, class B, class Place>
__device__ __forceinline__ void multiply(const A& a, const B& b, int m0, int n0, int k0, int k1, const Result& result,
                                         Place place) {
    __shared__ __align__(16) real a_tile[2][DEPTH][PITCH], b_tile[2][DEPTH][PITCH];
    // A warp computes 32 x 32 sums: at each k it reads 32 numbers of A and 32 of B, and no bank is asked twice.
    const int t = threadIdx.x, warp = t / 32, lane = t % 32;
    const int row = warp / 2 * 32 + lane / 8 * ROWS, column = warp % 2 * 32 + lane % 8 * COLUMNS;
    typename A::Cursor from_a = a.at(m0 + row_of<A::ALONG_K>(t), k0 + k_of<A::ALONG_K>(t));
    typename B::Cursor from_b = b.at(n0 + row_of<B::ALONG_K>(t), k0 + k_of<B::ALONG_K>(t));
    Four next_a = load(a, from_a), next_b = load(b, from_b);
    real sums[ROWS][COLUMNS] = {};
    for (int k = k0, half = 0; k < k1; k += DEPTH, half ^= 1) {
        store<A::ALONG_K>(next_a, t, a_tile[half]);
        store<B::ALONG_K>(next_b, t, b_tile[half]);
        // One barrier a step is enough, as the halves take turns: who stores into this half again has passed the next
        // step's barrier, which everybody reaches only after reading from here.
        __syncthreads();
        if (k + DEPTH < k1) {
            from_a.advance(DEPTH);
            from_b.advance(DEPTH);
            next_a = load(a, from_a);
            next_b = load(b, from_b);
        }
        #pragma unroll
        for (int e = 0; e < DEPTH; ++e) {
            const Four upper = *reinterpret_cast<const Four*>(&a_tile[half][e][row]);
            const Four lower = *reinterpret_cast<const Four*>(&a_tile[half][e][row + 4]);
            const Four right = *reinterpret_cast<const Four*>(&b_tile[half][e][column]);
            #pragma unroll
            for (int i = 0; i < ROWS; ++i)
                #pragma unroll
                for (int j = 0; j < COLUMNS; ++j)
                    sums[i][j] += (i < 4 ? upper.v[i % 4] : lower.v[i % 4]) * right.v[j];
        }
    }
    const bool whole = fours(result.y, result.columns);
    #pragma unroll
    for (int i = 0; i < ROWS; ++i) {
        const int m = m0 + row + i, n = n0 + column;
        if (m >= result.rows || n >= result.columns) continue;
        real* y = result.y + place(m) * result.columns + n;
        if (whole) {
            Four four;
            #pragma unroll
            for (int j = 0; j < COLUMNS; ++j) four.v[j] = result.finished(sums[i][j], n + j, y + j);
            *reinterpret_cast<Four*>(y) = four;
        } else {
            #pragma unroll
            for (int j = 0; j < COLUMNS; ++j)
                if (n + j < result.columns) y[j] = result.finished(sums[i][j], n + j, y + j);
        }
    }
}
