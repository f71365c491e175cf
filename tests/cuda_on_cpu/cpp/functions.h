// CUDA's functions on numbers that C's math.h does not have.
#pragma once

#include <math.h>
#include <string.h>

#include <type_traits>

// min and max of CUDA take two different types; of floating point numbers they are fmin and fmax, so that NaN loses.
template <class A, class B> std::common_type_t<A, B> min(A a, B b) {
    using T = std::common_type_t<A, B>;
    if constexpr (std::is_floating_point_v<T>) return fmin(T(a), T(b));
    else return T(b) < T(a) ? T(b) : T(a);
}
template <class A, class B> std::common_type_t<A, B> max(A a, B b) {
    using T = std::common_type_t<A, B>;
    if constexpr (std::is_floating_point_v<T>) return fmax(T(a), T(b));
    else return T(a) < T(b) ? T(b) : T(a);
}

inline double rsqrt(double x) { return 1 / sqrt(x); }
inline float rsqrtf(float x) { return 1 / sqrtf(x); }

// One rounding each: never made one multiplication-and-addition. (On the CPU that is so anyway: -ffp-contract=off.)
inline float __fmul_rn(float a, float b) { return a * b; }
inline float __fadd_rn(float a, float b) { return a + b; }
inline float __fsub_rn(float a, float b) { return a - b; }
inline double __dmul_rn(double a, double b) { return a * b; }
inline double __dadd_rn(double a, double b) { return a + b; }
inline double __dsub_rn(double a, double b) { return a - b; }

// The upper half of a product.
inline unsigned __umulhi(unsigned a, unsigned b) { return unsigned((unsigned long long)a * b >> 32); }
inline unsigned long long __umul64hi(unsigned long long a, unsigned long long b) {
    return (unsigned long long)((unsigned __int128)a * b >> 64);
}

inline int __clz(int x) { return x == 0 ? 32 : __builtin_clz(unsigned(x)); }
inline int __popc(unsigned x) { return __builtin_popcount(x); }

namespace shim {
template <class To, class From> To same_bits(From from) {
    static_assert(sizeof(To) == sizeof(From));
    To to;
    memcpy(&to, &from, sizeof to);
    return to;
}
}  // namespace shim
inline int __float_as_int(float x) { return shim::same_bits<int>(x); }
inline float __int_as_float(int x) { return shim::same_bits<float>(x); }
inline unsigned __float_as_uint(float x) { return shim::same_bits<unsigned>(x); }
inline float __uint_as_float(unsigned x) { return shim::same_bits<float>(x); }
inline long long __double_as_longlong(double x) { return shim::same_bits<long long>(x); }
inline double __longlong_as_double(long long x) { return shim::same_bits<double>(x); }

// Reads through the cache for data that no one writes during the kernel.
template <class T> T __ldg(const T* p) { return *p; }
