// A tile of 16 x 16 sums of a matrix product, by a block of 256 threads with one sum each.
//
// At each step the block brings 16 columns of A and 16 rows of B to shared memory, one number of each a thread. Each of
// these numbers is then read by 16 threads: memory is asked for a sixteenth of what the naive kernel reads.
#include "gemm/operands.cuh"
#include "gemm/result.cuh"

static constexpr int TILE = 16, TILE_ROWS = TILE, TILE_COLUMNS = TILE, THREADS = TILE * TILE;
static constexpr int RESIDENT = 4;  // blocks a multiprocessor: limits the registers of each

// The sums over k0 <= k < k1 of the tile that begins at (m0, n0).
template <class A, class B, class Place>
__device__ __forceinline__ void multiply(const A& a, const B& b, int m0, int n0, int k0, int k1, const Result& result,
                                         Place place) {
    // One number more in a row, so that the 16 threads which read a column of A do not all wait for the same bank.
    __shared__ real a_tile[TILE][TILE + 1], b_tile[TILE][TILE + 1];
    // Threads that follow one another (column) bring numbers that follow one another in memory: along k or along m, n.
    const int row = threadIdx.x / TILE, column = threadIdx.x % TILE;
    const int a_row = A::ALONG_K ? row : column, a_k = A::ALONG_K ? column : row;
    const int b_column = B::ALONG_K ? row : column, b_k = B::ALONG_K ? column : row;
    typename A::Cursor from_a = a.at(m0 + a_row, k0 + a_k);
    typename B::Cursor from_b = b.at(n0 + b_column, k0 + b_k);
    real sum = 0;
    for (int k = k0; k < k1; k += TILE) {
        const real* address = from_a.address(0);
        a_tile[a_row][a_k] = address ? *address : 0;
        address = from_b.address(0);
        b_tile[b_k][b_column] = address ? *address : 0;
        from_a.advance(TILE);
        from_b.advance(TILE);
        __syncthreads();  // the tile is complete before anybody reads it
        for (int e = 0; e < TILE; ++e) sum += a_tile[row][e] * b_tile[e][column];
        __syncthreads();  // everybody has read before the next numbers are stored
    }
    const int m = m0 + row, n = n0 + column;
    if (m >= result.rows || n >= result.columns) return;
    real* y = result.y + place(m) * result.columns + n;
    *y = result.finished(sum, n, y);
}
