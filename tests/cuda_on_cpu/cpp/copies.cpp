#include "copies.h"

#include <stdint.h>
#include <string.h>

#include "block.h"
#include "shared_memory.h"

namespace shim {

namespace {

struct Copy {
    void* to;
    const void* from;
    bool inside;
    unsigned bytes;
};

struct Pending {                    // of one thread
    std::vector<Copy> copies;       // in the order in which they were started
    std::vector<size_t> group_end;  // how many there were at each cp_commit
    size_t landed = 0;
    unsigned long long block = 0;   // the number of the block that this is about
};

std::vector<Pending> pending;
bool late = true;

Pending& mine() {
    Pending& mine = pending[block.running->thread];
    if (mine.block != block_number) {
        mine.copies.clear();
        mine.group_end.clear();
        mine.landed = 0;
        mine.block = block_number;
    }
    return mine;
}

void land(const Copy& copy) {
    if (copy.inside) memcpy(copy.to, copy.from, copy.bytes);
    else memset(copy.to, 0, copy.bytes);
}

}  // namespace

void size_copies(unsigned threads, bool late_ones) {
    pending.assign(threads, Pending{});
    late = late_ones;
}

void start_copy(void* to, const void* from, bool inside, unsigned bytes) {
    if (reinterpret_cast<uintptr_t>(to) % bytes != 0) fail("cp.async: the destination is not a multiple of %u", bytes);
    if (reinterpret_cast<uintptr_t>(from) % bytes != 0) fail("cp.async: the source is not a multiple of %u", bytes);
    Copy copy{to, from, inside, bytes};
    if (late) mine().copies.push_back(copy);
    else land(copy);
}

void cp_commit() {
    if (late) mine().group_end.push_back(mine().copies.size());
}

void cp_wait(unsigned keep) {
    Pending& my = mine();
    if (my.group_end.size() <= keep) return;
    size_t end = my.group_end[my.group_end.size() - 1 - keep];
    for (; my.landed < end; ++my.landed) land(my.copies[my.landed]);
    if (keep == 0) {  // what is landed is forgotten
        my.copies.erase(my.copies.begin(), my.copies.begin() + end);
        my.group_end.clear();
        my.landed = 0;
    }
}

}  // namespace shim
