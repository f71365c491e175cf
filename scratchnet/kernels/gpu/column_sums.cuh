// x (N, S, C) in tiles: N examples of S rows, which run along the C channels. A block of blockDim.x by blockDim.y
// threads, both powers of two, takes blockDim.x neighbouring channels, so that what lies side by side in memory is read
// side by side, and walks down a part of an example's rows, blockDim.y rows at a step.
// A sum over rows has two stages: each block adds up its part, and another kernel adds the parts.

#define TILE_THREADS 256

// The rows and the channel of a thread: channel c of the rows begin, begin + blockDim.y, ... below end of example n.
struct Tile {
    long long n, begin, end;
    int c;
    bool inside;  // or no channel is left for this thread: then it has no rows, and c is the last channel, to read only
    int part, rows;  // the part's number, and how many rows it has
};

// How many of the S rows are in a part; all have `length` but for the last, which has the rest.
__device__ __forceinline__ int rows_of(int part, long long S, int length) {
    long long rest = S - (long long)part * length;
    return rest < length ? rest : length;
}

// The grid has one axis: block (n * parts + part) * chunks + chunk takes chunk number `chunk` of the channels.
__device__ __forceinline__ Tile tile_of(long long S, int C, int length, int parts) {
    unsigned chunks = (C - 1) / blockDim.x + 1, rest = blockIdx.x / chunks;
    long long c = (long long)(blockIdx.x % chunks) * blockDim.x + threadIdx.x;
    Tile tile;
    tile.n = rest / parts;
    tile.part = rest % parts;
    tile.rows = rows_of(tile.part, S, length);
    tile.begin = (long long)tile.part * length + threadIdx.y;
    tile.inside = c < C;
    tile.c = tile.inside ? c : C - 1;
    tile.end = tile.inside ? tile.begin - threadIdx.y + tile.rows : tile.begin;
    return tile;
}

// Of each channel the sum of one number from each of the block's rows of threads; all threads of the channel get it.
// `shared` has room for TILE_THREADS numbers. Halves are added to halves, as in block_sum.
template <class T>
__device__ __forceinline__ T column_sum(T value, T* shared) {
    unsigned t = threadIdx.y * blockDim.x + threadIdx.x;
    __syncthreads();  // of the numbers that lay there before, all have been read
    shared[t] = value;
    __syncthreads();
    for (unsigned half = blockDim.y / 2; half > 0; half /= 2) {
        if (threadIdx.y < half) shared[t] += shared[t + half * blockDim.x];
        __syncthreads();
    }
    return shared[threadIdx.x];
}
