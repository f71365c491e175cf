// Instructions that CUDA C++ has no words for, as PTX: products on the tensor cores, and copies into shared memory that
// go on while the thread does other things. Where these kernels are run on a CPU, `shim` does the same.

// x with 11 bits in place of 24, to the nearest, as the tensor cores read it.
__device__ __forceinline__ unsigned to_tf32(float x) {
    unsigned bits;
#ifdef __CUDA_CPU_SHIM__
    memcpy(&bits, &x, 4);
    if (x == x) bits = (bits + 0x1000u) & 0xffffe000u;  // NaN stays
#else
    asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(bits) : "f"(x));
#endif
    return bits;
}

__device__ __forceinline__ float as_float(unsigned bits) {
#ifdef __CUDA_CPU_SHIM__
    float x;
    memcpy(&x, &bits, 4);
    return x;
#else
    return __uint_as_float(bits);
#endif
}

// c += a * b for a of 16 x 8, b of 8 x 8 and c of 16 x 8 numbers, which the 32 lanes of a warp hold together. Of lane
// 4 * g + q, with q < 4, are, as (row, column):
//   a (g, q), (g + 8, q), (g, q + 4), (g + 8, q + 4)    b (q, g), (q + 4, g)
//   c (g, 2q), (g, 2q + 1), (g + 8, 2q), (g + 8, 2q + 1)
__device__ __forceinline__ void multiply_add(float (&c)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
#ifdef __CUDA_CPU_SHIM__
    shim::mma_m16n8k8(c, a, b);
#else
    asm volatile(
        "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
        : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#endif
}

// Begin to copy 4 or 16 bytes to shared memory; zeros if not inside, and then `from` is not read.
template <int bytes>
__device__ __forceinline__ void start_copy(float* to, const float* from, bool inside) {
#ifdef __CUDA_CPU_SHIM__
    shim::cp_async<bytes>(to, from, inside);
#else
    asm volatile("cp.async.ca.shared.global [%0], [%1], %2, %3;" ::"r"((unsigned)__cvta_generic_to_shared(to)),
                 "l"(from), "n"(bytes), "r"(inside ? bytes : 0) : "memory");
#endif
}

// Wait until all copies that this thread has begun are there.
__device__ __forceinline__ void wait_for_copies() {
#ifdef __CUDA_CPU_SHIM__
    shim::cp_commit();
    shim::cp_wait(0);
#else
    asm volatile("cp.async.wait_all;" ::: "memory");
#endif
}
