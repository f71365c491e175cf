// From Python to a kernel: its argument types as text, and its call with arguments that come as addresses.
#pragma once

#include <stddef.h>

#include <type_traits>
#include <utility>

namespace shim {

struct Launch {
    void (*kernel)(void** arguments);
    void** arguments;  // where each argument's bytes are
    const unsigned* grid;
    const unsigned* block;
    size_t shared_bytes;  // dynamic
    size_t shared_limit;  // static and dynamic
    bool backward;
    bool late_copies;
};
const char* run(const Launch& launch);  // what went wrong, or null: block.cpp

// A type in NumPy's words: f4, f8, i4, i8, u1, b1, ...; of a pointer with r (const) or w in front; V? for a struct.
template <class T> constexpr void write_code(char* text) {
    if constexpr (std::is_pointer_v<T>) {
        using Element = std::remove_pointer_t<T>;
        text[0] = std::is_const_v<Element> ? 'r' : 'w';
        write_code<std::remove_cv_t<Element>>(text + 1);
    } else {
        text[0] = std::is_same_v<T, bool>        ? 'b'
                  : std::is_floating_point_v<T> ? 'f'
                  : std::is_unsigned_v<T>       ? 'u'
                  : std::is_integral_v<T>       ? 'i'
                                                : 'V';
        text[1] = std::is_arithmetic_v<T> ? '0' + sizeof(T) : '?';
        text[2] = ' ';
    }
}

template <auto kernel> struct Kernel;
template <class... Arguments, void (*kernel)(Arguments...)> struct Kernel<kernel> {
    static const char* signature() {
        static char text[4 * sizeof...(Arguments) + 1] = {};
        char* end = text;
        ((write_code<Arguments>(end), end += std::is_pointer_v<Arguments> ? 4 : 3), ...);
        return text;
    }

    static void call(void** arguments) { call(arguments, std::index_sequence_for<Arguments...>{}); }

    template <size_t... I> static void call(void** arguments, std::index_sequence<I...>) {
        kernel(*static_cast<std::remove_const_t<Arguments>*>(arguments[I])...);
    }
};

}  // namespace shim
