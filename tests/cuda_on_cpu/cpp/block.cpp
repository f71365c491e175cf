// How a block is played: blocks run one after another, and the threads of one take turns.
//
// A thread runs until it has to wait (__syncthreads, a shuffle) or is done. A fiber whose thread is done takes the next
// fresh one, so a kernel without barriers plays all its threads on a single fiber and never changes stacks. A thread
// that waits keeps its fiber, and the next fresh one begins on another.
//
// When all threads have begun, those that may go on do so as far as they can, warp after warp: one warp is at the next
// barrier before the one behind it has taken a step. Warps are as unequally fast as they can be, so that a missing
// barrier shows; and with the order turned round, last thread first, those that were slow are fast.
#include "block.h"

#include <stdarg.h>
#include <stdio.h>

#include <algorithm>

#include "barrier.h"
#include "launch.h"
#include "shared_memory.h"

uint3 threadIdx;
uint3 blockIdx;
dim3 blockDim;
dim3 gridDim;

namespace shim {

Block block;

namespace {

std::vector<Fiber*> fibers;  // kept from block to block, and from launch to launch

// The next thread of those that take turns together with this one, 32 in the order in which they begin, goes on where
// it may; else the scheduler.
void leave_after(const Thread& thread) {
    Fiber* me = block.running;
    Fiber* next = nullptr;
    if (block.begun == block.threads.size()) {
        size_t end = std::min<size_t>((thread.turn / 32 + 1) * 32, block.order.size());
        for (size_t i = thread.turn + 1; i < end && next == nullptr; ++i) {
            const Thread& other = block.threads[block.order[i]];
            if (other.fiber != nullptr && other.state == State::READY) next = other.fiber;
        }
    }
    if (next != nullptr) block.running = next;
    leave(me, next);
}

void run_fresh_threads() {  // the main function of a fiber
    begun();
    Fiber* me = block.running;
    for (;;) {
        while (block.begun < block.threads.size()) {
            unsigned number = block.order[block.begun++];
            Thread& thread = block.threads[number];
            me->thread = number;
            thread.fiber = me;
            threadIdx = thread.index;
            block.kernel(block.arguments);
            thread.state = State::DONE;
            thread.fiber = nullptr;
            ++block.done;
            block.warps[number / 32].alive &= ~(1u << number % 32);
            meet_if_complete(number / 32);  // lanes may have waited for this one alone
        }
        leave_after(block.threads[me->thread]);  // until another block begins
    }
}

void run_until_it_leaves(Fiber* fiber) {
    block.running = fiber;
    enter(fiber);
}

void begin_all() {
    size_t used = 0;
    while (block.begun < block.threads.size() && block.error.empty()) {
        if (used == fibers.size()) fibers.push_back(new_fiber(run_fresh_threads));
        run_until_it_leaves(fibers[used++]);
    }
}

// The first of 32 threads that may go on does so, and hands over to the next: all of them once. False: none may.
bool go_on_in_warp(size_t first) {
    size_t end = std::min<size_t>(first + 32, block.order.size());
    for (size_t i = first; i < end && block.error.empty(); ++i) {
        Thread& thread = block.threads[block.order[i]];
        if (thread.fiber == nullptr || thread.state != State::READY) continue;
        run_until_it_leaves(thread.fiber);
        return true;
    }
    return false;
}

bool go_on() {
    bool any = false;
    for (size_t first = 0; first < block.order.size(); first += 32) {
        while (go_on_in_warp(first)) any = true;
    }
    return any;
}

const Thread* one_at_a_barrier() {
    for (const Thread& thread : block.threads) {
        if (thread.state == State::AT_BARRIER) return &thread;
    }
    return nullptr;
}

std::string text(const char* format, ...) __attribute__((format(printf, 1, 2)));
std::string text(const char* format, ...) {
    char written[300];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(written, sizeof written, format, arguments);
    va_end(arguments);
    return written;
}

// All threads of the block must come to one barrier. (Newer GPUs let a barrier pass that some threads have not come to
// because they have returned; CUDA's guide wants every thread of the block there, and so does this.)
std::string open_barrier() {
    Place place = one_at_a_barrier()->barrier;
    if (block.done > 0) {
        return text("%s:%d: __syncthreads() is reached by the others after %u threads have returned", place.file, place.line,
                    block.done);
    }
    for (Thread& thread : block.threads) {
        if (!(thread.barrier == place)) {
            return text("some threads wait at %s:%d: __syncthreads(), others at %s:%d: __syncthreads()", place.file,
                        place.line, thread.barrier.file, thread.barrier.line);
        }
        thread.state = State::READY;
    }
    block.at_barrier = 0;
    return "";
}

std::string deadlock() {
    const Thread* waiting = one_at_a_barrier();
    if (waiting != nullptr) {
        return text("deadlock: %s:%d: __syncthreads() is never reached by some threads", waiting->barrier.file,
                    waiting->barrier.line);
    }
    for (const Warp& warp : block.warps) {
        if (warp.arrived == 0) continue;
        return text("deadlock: %s:%d: %s is never reached by some lanes (0x%08x of 0x%08x came)", warp.place.file,
                    warp.place.line, warp.name, warp.arrived, warp.mask);
    }
    return "deadlock";
}

void run_block() {
    ++block_number;
    block.begun = block.done = block.at_barrier = 0;
    block.shared_bytes = 0;
    for (Thread& thread : block.threads) thread.state = State::READY;
    for (Warp& warp : block.warps) warp.alive = warp.all, warp.arrived = 0;
    begin_all();
    while (block.done < block.threads.size() && block.error.empty()) {
        if (go_on()) continue;
        bool all_wait = block.at_barrier > 0 && block.at_barrier == block.threads.size() - block.done;
        block.error = all_wait ? open_barrier() : deadlock();
    }
}

void size_block(const Launch& launch) {
    blockDim = {launch.block[0], launch.block[1], launch.block[2]};
    gridDim = {launch.grid[0], launch.grid[1], launch.grid[2]};
    unsigned count = blockDim.x * blockDim.y * blockDim.z;
    block.threads.assign(count, Thread{});
    block.order.resize(count);
    for (unsigned i = 0; i < count; ++i) {
        unsigned turn = launch.backward ? count - 1 - i : i;
        block.threads[i].index = {i % blockDim.x, i / blockDim.x % blockDim.y, i / (blockDim.x * blockDim.y)};
        block.threads[i].turn = turn;
        block.order[turn] = i;
    }
    block.warps.assign((count + 31) / 32, Warp{});
    for (unsigned i = 0; i < count; ++i) block.warps[i / 32].all |= 1u << i % 32;
}

}  // namespace

void wait(State state) {
    Thread& thread = block.threads[block.running->thread];
    thread.state = state;
    leave_after(thread);
    threadIdx = thread.index;  // others have run meanwhile
}

void barrier(Place place) {
    block.threads[block.running->thread].barrier = place;
    ++block.at_barrier;
    wait(State::AT_BARRIER);
}

void fail(const char* format, ...) {
    char text[300];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (block.error.empty()) block.error = text;
    for (;;) leave(block.running, nullptr);
}

const char* run(const Launch& launch) {
    block.kernel = launch.kernel;
    block.arguments = launch.arguments;
    block.shared_limit = launch.shared_limit;
    block.error.clear();
    size_block(launch);
    size_copies(block.threads.size(), launch.late_copies);
    size_dynamic_shared(launch.shared_bytes);
    for (unsigned z = 0; z < gridDim.z; ++z) {
        for (unsigned y = 0; y < gridDim.y; ++y) {
            for (unsigned x = 0; x < gridDim.x; ++x) {
                blockIdx = {x, y, z};
                run_block();
                if (block.error.empty()) continue;
                block.error += " (block " + std::to_string(x) + ", " + std::to_string(y) + ", " + std::to_string(z) + ")";
                for (Fiber* fiber : fibers) delete_fiber(fiber);  // some stand in the middle of the kernel
                fibers.clear();
                return block.error.c_str();
            }
        }
    }
    return nullptr;
}

}  // namespace shim
