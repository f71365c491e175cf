// Philox4x32-10: random numbers from a counter.
//
// It has no state. Any thread has the numbers of any element at once, and they are the CPU's, bit for bit. Source:
// Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3", SC 2011.

struct Words {
    unsigned at[4];
};

// Four random words from a 64-bit key and a 128-bit counter: `low` is its lower half, c2 and c3 the upper.
__device__ __forceinline__ Words philox(unsigned long long key, unsigned long long low, unsigned c2, unsigned c3) {
    unsigned key0 = (unsigned)key, key1 = (unsigned)(key >> 32);
    unsigned c0 = (unsigned)low, c1 = (unsigned)(low >> 32);
#pragma unroll
    for (int round = 0; round < 10; round++) {
        // Both halves of a product of 32 bits by 32: one instruction.
        unsigned long long p0 = 0xD2511F53ull * c0, p1 = 0xCD9E8D57ull * c2;
        c0 = (unsigned)(p1 >> 32) ^ c1 ^ key0;
        c2 = (unsigned)(p0 >> 32) ^ c3 ^ key1;
        c1 = (unsigned)p1;
        c3 = (unsigned)p0;
        key0 += 0x9E3779B9u;
        key1 += 0xBB67AE85u;
    }
    return {{c0, c1, c2, c3}};
}
