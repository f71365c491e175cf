// A tile of 64 x 64 sums of a matrix product, by a block of 128 threads: 8 x 4 of them in the registers of each thread.
//
// At each step the block brings 8 columns of A and 8 rows of B to shared memory, four numbers of each a thread. Of one
// k, a thread then reads 8 numbers of A and 4 of B, and multiplies each with each: 32 products for 12 numbers read,
// where a thread with one sum would read two numbers a product. While it multiplies, the next step's numbers are on
// their way from memory into registers.
#include "gemm/operands.cuh"
#include "gemm/result.cuh"

// A result of few columns, such as a picture's three colours, leaves most of a square tile empty. With a TILE_WIDTH of
// 32 or 16 a tile has 128 x 32 sums, or 128 x 16, 4 x 4 of them a thread.
#ifndef TILE_WIDTH
#define TILE_WIDTH 64
#endif
static constexpr int TILE_COLUMNS = TILE_WIDTH, TILE_ROWS = TILE_WIDTH == 64 ? 64 : 128, DEPTH = 8, THREADS = 128;
static constexpr int COLUMNS = 4, ROWS = TILE_ROWS * TILE_COLUMNS / THREADS / COLUMNS;  // of sums a thread
// So many blocks a multiprocessor: that limits the registers of each, and these suffice.
static constexpr int RESIDENT = sizeof(real) == 8 ? 2 : TILE_WIDTH == 32 ? 3 : 4;

// The runs of four numbers that a thread brings, of a factor with `rows` rows in the tile: one, two, or none.
template <class Operand, int rows>
struct Runs {
    static constexpr bool ALONG_K = Operand::ALONG_K;
    static constexpr int COUNT = rows * DEPTH / 4;  // of the whole block
    // A row of the tile in shared memory is four numbers longer than it has to be. A warp that brings numbers along k
    // stores those of 16 rows at k and k + 4: so they land in different banks, and each row still begins at 16 bytes.
    static constexpr int PITCH = rows + 4;

    const Operand& operand;
    int run;
    typename Operand::Cursor first, second;
    Four numbers[2];

    __device__ static int row_of(int run) { return ALONG_K ? run / (DEPTH / 4) : run % (rows / 4) * 4; }
    __device__ static int k_of(int run) { return ALONG_K ? run % (DEPTH / 4) * 4 : run / (rows / 4); }

    __device__ Runs(const Operand& operand, int t, int row0, int k0)
        : operand(operand), run(t), first(operand.at(row0 + row_of(t), k0 + k_of(t))),
          second(operand.at(row0 + row_of(t + THREADS), k0 + k_of(t + THREADS))) {}

    __device__ void fetch() {
        if (run < COUNT) numbers[0] = load(operand, first);
        if (COUNT > THREADS) numbers[1] = load(operand, second);
    }
    __device__ void advance() {
        first.advance(DEPTH);
        if (COUNT > THREADS) second.advance(DEPTH);
    }
    __device__ void store(real (*tile)[PITCH]) const {
        if (run < COUNT) store(numbers[0], run, tile);
        if (COUNT > THREADS) store(numbers[1], run + THREADS, tile);
    }
    __device__ static void store(const Four& four, int run, real (*tile)[PITCH]) {
        const int row = row_of(run), k = k_of(run);
        if (ALONG_K) {
            #pragma unroll
            for (int i = 0; i < 4; ++i) tile[k + i][row] = four.v[i];
        } else {
            *reinterpret_cast<Four*>(&tile[k][row]) = four;
        }
    }
};

// The sums over k0 <= k < k1 of the tile that begins at (m0, n0).
template <class A, class B, class Place>
__device__ __forceinline__ void multiply(const A& a, const B& b, int m0, int n0, int k0, int k1, const Result& result,
                                         Place place) {
    Runs<A, TILE_ROWS> from_a(a, threadIdx.x, m0, k0);
    Runs<B, TILE_COLUMNS> from_b(b, threadIdx.x, n0, k0);
    __shared__ __align__(16) real a_tile[2][DEPTH][TILE_ROWS + 4];
    __shared__ __align__(16) real b_tile[2][DEPTH][TILE_COLUMNS + 4];
    // The threads of a warp are near one another in the tile, 32 x 32 sums or 32 x 16: at each k it reads 32 numbers of
    // A and 32 of B, and no bank is asked twice.
    constexpr int ACROSS = TILE_COLUMNS / COLUMNS < 8 ? TILE_COLUMNS / COLUMNS : 8, DOWN = 32 / ACROSS;
    constexpr int WARPS_ACROSS = TILE_COLUMNS / (ACROSS * COLUMNS);
    const int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    const int row = (warp / WARPS_ACROSS * DOWN + lane / ACROSS) * ROWS;
    const int column = (warp % WARPS_ACROSS * ACROSS + lane % ACROSS) * COLUMNS;
    real sums[ROWS][COLUMNS] = {};
    from_a.fetch();
    from_b.fetch();
    for (int k = k0, half = 0; k < k1; k += DEPTH, half ^= 1) {
        from_a.store(a_tile[half]);
        from_b.store(b_tile[half]);
        // One barrier a step is enough, as the halves take turns: who stores into this half again has passed the next
        // step's barrier, which everybody reaches only after reading from here.
        __syncthreads();
        if (k + DEPTH < k1) {
            from_a.advance();
            from_b.advance();
            from_a.fetch();
            from_b.fetch();
        }
        #pragma unroll
        for (int e = 0; e < DEPTH; ++e) {
            Four left[ROWS / 4];
            #pragma unroll
            for (int i = 0; i < ROWS / 4; ++i) left[i] = *reinterpret_cast<const Four*>(&a_tile[half][e][row + 4 * i]);
            const Four right = *reinterpret_cast<const Four*>(&b_tile[half][e][column]);
            #pragma unroll
            for (int i = 0; i < ROWS; ++i)
                #pragma unroll
                for (int j = 0; j < COLUMNS; ++j) sums[i][j] += left[i / 4].v[i % 4] * right.v[j];
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
