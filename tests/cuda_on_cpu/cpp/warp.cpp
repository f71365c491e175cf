#include "warp.h"

#include "block.h"

namespace shim {

unsigned lane() { return block.running->thread % 32; }

// True, and done, when every lane of the mask is here that has not returned.
bool meet_if_complete(unsigned number) {
    Warp& warp = block.warps[number];
    if (warp.arrived == 0) return false;
    Thread* threads = &block.threads[number * 32];
    unsigned count = std::min<size_t>(32, block.threads.size() - number * 32);
    unsigned alive = 0;
    for (unsigned i = 0; i < count; ++i) {
        if (threads[i].state != State::DONE) alive |= 1u << i;
    }
    if (warp.arrived != (warp.mask & alive)) return false;
    warp.together(warp.given, warp.arrived);
    for (unsigned i = 0; i < count; ++i) {
        if (threads[i].state == State::AT_WARP) threads[i].state = State::READY;
    }
    warp.arrived = 0;
    return true;
}

void meet(unsigned mask, void* brought, Together together, const char* name, int line) {
    unsigned number = block.running->thread / 32, me = lane();
    Warp& warp = block.warps[number];
    if ((mask >> me & 1) == 0) fail("%s in line %d: lane %u is not in its own mask 0x%08x", name, line, me, mask);
    if (warp.arrived == 0) {
        warp.mask = mask;
        warp.name = name;
        warp.line = line;
        warp.together = together;
    } else if (warp.mask != mask || warp.together != together || warp.line != line) {
        fail("lanes of one warp are at %s in line %d (mask 0x%08x) and at %s in line %d (mask 0x%08x)", warp.name,
             warp.line, warp.mask, name, line, mask);
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
