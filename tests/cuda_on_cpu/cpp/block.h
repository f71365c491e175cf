// The threads of a block, and the schedule they run by.
#pragma once

#include <stddef.h>

#include <string>
#include <vector>

#include "fibers.h"
#include "place.h"
#include "types.h"

namespace shim {

enum class State : unsigned char { READY, AT_BARRIER, AT_WARP, DONE };

struct Thread {
    uint3 index;             // threadIdx
    unsigned turn;           // in the order in which threads begin
    State state;
    Fiber* fiber = nullptr;  // the one it stands on; none before its first line and after its last
    Place barrier;           // that it waits at
};

// What the lanes of a warp do together, such as a shuffle: warp.cpp.
using Together = void (*)(void* const* given, unsigned lanes);

struct Warp {
    unsigned all = 0;      // its lanes, a bit each
    unsigned alive = 0;    // those that have not returned
    unsigned arrived = 0;  // those that wait for the others
    unsigned mask = 0;     // those that must come
    const char* name = nullptr;
    Place place{};
    Together together = nullptr;
    void* given[32] = {};  // what each lane brought
};

struct Block {
    void (*kernel)(void** arguments) = nullptr;
    void** arguments = nullptr;
    std::vector<unsigned> order;  // in which the threads begin
    std::vector<Thread> threads;
    std::vector<Warp> warps;

    unsigned begun = 0;       // threads, in that order
    unsigned done = 0;
    unsigned at_barrier = 0;
    Fiber* running = nullptr;

    size_t shared_bytes = 0;  // used so far, static and dynamic
    size_t shared_limit = 0;
    std::string error;        // the first one; then the launch ends
};
extern Block block;

void wait(State state);  // the thread that runs stops here until it is READY again
[[noreturn, gnu::format(printf, 1, 2)]] void fail(const char* format, ...);  // it stops for good, and the launch ends

// Parts of a block's life in other files.
bool meet_if_complete(unsigned warp);    // warp.cpp
void size_copies(unsigned threads, bool late);  // copies.cpp
void size_dynamic_shared(size_t bytes);  // shared_memory.cpp

}  // namespace shim
