// What the kernels of all files share.
//
// `real` is float or double: each file is compiled once for each.
typedef REAL real;

// The number of this thread's element, where each thread has one.
__device__ __forceinline__ long long element() { return (long long)blockIdx.x * blockDim.x + threadIdx.x; }

// e % size; e becomes e / size. So an element's number is taken apart, last axis first. A division in 64 bits takes
// several times as long as one in 32, and hardly ever is one needed.
__device__ __forceinline__ int split(long long& e, int size) {
    if (e < (1LL << 32)) {
        unsigned small = e, rest = small / size;
        e = rest;
        return small - rest * size;
    }
    long long rest = e / size;
    int place = e - rest * size;
    e = rest;
    return place;
}

// The larger of two numbers; NaN if one of them is. CUDA's own max(a, NaN) is a.
template <class T>
__device__ __forceinline__ T larger(T a, T b) {
    return a > b || a != a ? a : b;
}

// The sum of one number from each thread of a block of `threads`, a power of two; all threads get it. `shared` has room
// for `threads` numbers. Halves are added to halves: the order, and with it the last bit, never changes.
template <class T, int threads>
__device__ __forceinline__ T block_sum(T value, T* shared) {
    __syncthreads();  // of the numbers that lay there before, all have been read
    shared[threadIdx.x] = value;
    __syncthreads();
    for (int half = threads / 2; half > 0; half /= 2) {
        if (threadIdx.x < half) shared[threadIdx.x] += shared[threadIdx.x + half];
        __syncthreads();
    }
    return shared[0];
}

// The largest of `count` numbers, taken by a block of `threads`; all threads get it. NaN where one is NaN. `shared` as
// for block_sum.
template <class T, int threads>
__device__ __forceinline__ T block_max(const T* numbers, int count, T* shared) {
    T most = numbers[0];
    for (int k = threadIdx.x; k < count; k += threads) most = larger(most, numbers[k]);
    __syncthreads();
    shared[threadIdx.x] = most;
    __syncthreads();
    for (int half = threads / 2; half > 0; half /= 2) {
        if (threadIdx.x < half) shared[threadIdx.x] = larger(shared[threadIdx.x], shared[threadIdx.x + half]);
        __syncthreads();
    }
    return shared[0];
}
