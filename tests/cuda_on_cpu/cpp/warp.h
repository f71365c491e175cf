// What the 32 threads of a warp, its lanes, do together: shuffles.
#pragma once

#include <stdint.h>
#include <string.h>

#include "place.h"

namespace shim {

// Waits until all lanes of the mask are here. The last one to come calls together(given, lanes): given[i] is what lane i
// brought, `lanes` has a bit for each that is here (those that have returned are not). Then all go on.
void meet(unsigned mask, void* brought, void (*together)(void* const* given, unsigned lanes), const char* name, Place place);

unsigned lane();  // of the thread that runs

struct Exchange {
    uint64_t value;  // what a lane gives
    unsigned from;   // the lane whose value it wants
    uint64_t got;
};
void exchange(void* const* given, unsigned lanes);

template <class T> T shuffle(unsigned mask, T value, unsigned from, const char* name, Place place) {
    static_assert(sizeof(T) <= 8);
    Exchange mine{0, from, 0};
    memcpy(&mine.value, &value, sizeof value);
    meet(mask, &mine, exchange, name, place);
    memcpy(&value, &mine.got, sizeof value);
    return value;
}

void nothing(void* const* given, unsigned lanes);

}  // namespace shim

inline void __syncwarp(unsigned mask = 0xffffffffu, shim::Place place = shim::here()) {
    shim::meet(mask, nullptr, shim::nothing, "__syncwarp", place);
}

// The warp is cut in segments of `width` lanes. Who asks for a lane outside of its segment gets its own value.

template <class T>
T __shfl_sync(unsigned mask, T value, int from, int width = 32, shim::Place place = shim::here()) {
    unsigned segment = shim::lane() & ~(width - 1u);
    return shim::shuffle(mask, value, segment + (from & (width - 1u)), "__shfl_sync", place);
}

template <class T>
T __shfl_xor_sync(unsigned mask, T value, int bits, int width = 32, shim::Place place = shim::here()) {
    unsigned me = shim::lane(), from = me ^ bits, end = (me & ~(width - 1u)) + width;
    return shim::shuffle(mask, value, from < end ? from : me, "__shfl_xor_sync", place);
}

template <class T>
T __shfl_down_sync(unsigned mask, T value, unsigned by, int width = 32, shim::Place place = shim::here()) {
    unsigned me = shim::lane(), from = me + by, end = (me & ~(width - 1u)) + width;
    return shim::shuffle(mask, value, from < end ? from : me, "__shfl_down_sync", place);
}

template <class T>
T __shfl_up_sync(unsigned mask, T value, unsigned by, int width = 32, shim::Place place = shim::here()) {
    unsigned me = shim::lane(), begin = me & ~(width - 1u);
    return shim::shuffle(mask, value, me >= begin + by ? me - by : me, "__shfl_up_sync", place);
}
