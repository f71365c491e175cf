#include "warp.h"

#include <algorithm>

#include "block.h"

namespace shim {

unsigned lane() { return block.running->thread % 32; }

// True, and done, when every lane of the mask is here that has not returned.
bool meet_if_complete(unsigned number) {
    Warp& warp = block.warps[number];
    if (warp.arrived == 0) return false;
    if (warp.arrived != (warp.mask & warp.alive)) return false;
    warp.together(warp.given, warp.arrived);
    size_t end = std::min<size_t>((number + 1) * 32, block.threads.size());
    for (size_t i = number * 32; i < end; ++i) {
        if (block.threads[i].state == State::AT_WARP) block.threads[i].state = State::READY;
    }
    warp.arrived = 0;
    return true;
}

void meet(unsigned mask, void* brought, Together together, const char* name, Place place) {
    unsigned number = block.running->thread / 32, me = lane();
    Warp& warp = block.warps[number];
    if ((mask >> me & 1) == 0) {
        fail("%s:%d: %s: lane %u is not in its own mask 0x%08x", place.file, place.line, name, me, mask);
    }
    if (warp.arrived == 0) {
        warp.mask = mask;
        warp.name = name;
        warp.place = place;
        warp.together = together;
    } else if (warp.mask != mask || warp.together != together || !(warp.place == place)) {
        fail("lanes of one warp are at %s:%d: %s (mask 0x%08x), and at %s:%d: %s (mask 0x%08x)", warp.place.file,
             warp.place.line, warp.name, warp.mask, place.file, place.line, name, mask);
    }
    warp.given[me] = brought;
    warp.arrived |= 1u << me;
    if (!meet_if_complete(number)) wait(State::AT_WARP);
}

void exchange(void* const* given, unsigned lanes) {
    for (unsigned i = 0; i < 32; ++i) {
        if ((lanes >> i & 1) == 0) continue;
        Exchange& mine = *static_cast<Exchange*>(given[i]);
        bool there = lanes >> mine.from & 1;
        mine.got = there ? static_cast<Exchange*>(given[mine.from])->value : ~uint64_t{0};  // undefined on the GPU
    }
}

void nothing(void* const*, unsigned) {}

}  // namespace shim
