// Examples of a data set: its numbers may be of any dtype, and each example has blocks of threads of its own.
//
// The grid is (examples, blocks for each). A thread's numbers of its example, in most launches just one, are
//     for (unsigned e = first_of_example(); e < size; e += step_of_example()) ...
__device__ __forceinline__ unsigned first_of_example() { return blockIdx.y * blockDim.x + threadIdx.x; }
__device__ __forceinline__ unsigned step_of_example() { return gridDim.y * blockDim.x; }

// A float16 from its 16 bits: sign, 5 bits of exponent, 10 of mantissa. A float has room for every one of them.
__device__ __forceinline__ float from_half(unsigned bits) {
    unsigned exponent = bits >> 10 & 31, mantissa = bits & 1023;
    unsigned wide = exponent == 31 ? 255 : exponent + 112;  // 255: infinity or NaN; else the biases differ, 127 - 15
    wide = wide << 23 | mantissa << 13;
    float value;
    memcpy(&value, &wide, sizeof value);
    if (exponent == 0) value = mantissa * (1 / 16777216.0f);  // of 2^-24: too small for a mantissa that begins by 1
    return bits >> 15 ? -value : value;
}

// Number e of an array of any dtype, as real, rounded as NumPy's astype does. `type` is the dtype's place in TYPES of
// gather.py: the same for all threads, so that none of them waits for another.
__device__ __forceinline__ real number(const void* x, int type, long long e) {
    switch (type) {
        case 0: return (real)((const unsigned char*)x)[e];  // bool is 0 or 1 in a byte
        case 1: return (real)((const signed char*)x)[e];
        case 2: return (real)((const unsigned short*)x)[e];
        case 3: return (real)((const short*)x)[e];
        case 4: return (real)((const unsigned*)x)[e];
        case 5: return (real)((const int*)x)[e];
        case 6: return (real)((const unsigned long long*)x)[e];
        case 7: return (real)((const long long*)x)[e];
        case 8: return (real)from_half(((const unsigned short*)x)[e]);
        case 9: return (real)((const float*)x)[e];
        default: return (real)((const double*)x)[e];
    }
}
