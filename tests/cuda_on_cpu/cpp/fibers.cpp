#include "fibers.h"

#include <stdlib.h>
#include <sys/mman.h>
#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#endif

namespace shim {

namespace {

constexpr size_t GUARD = 64 << 10;  // a whole number of pages on every machine
constexpr size_t STACK = 256 << 10;
constexpr size_t STEPS = 32, STEP = 17 * 64;  // bytes: an odd number of cache lines

#if defined(__SANITIZE_ADDRESS__)
ucontext_t scheduler;
void* scheduler_sanitizer = nullptr;
const void* scheduler_stack = nullptr;
size_t scheduler_size = 0;
Fiber* next_fiber = nullptr;
#else
jmp_buf scheduler;
#endif

}  // namespace

Fiber* new_fiber(void (*main)()) {
    Fiber* fiber = new Fiber;
    void* memory = mmap(nullptr, GUARD + STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) abort();
    fiber->memory = static_cast<char*>(memory);
    mprotect(fiber->memory, GUARD, PROT_NONE);  // stacks grow down: who needs too much stops here
    getcontext(&fiber->context);
    fiber->context.uc_stack.ss_sp = fiber->memory + GUARD;
    // Were all stacks used at the same place within a page, their lines would share a few places in the cache and drive
    // each other out at every switch. So each begins at another place.
    static unsigned number = 0;
    fiber->context.uc_stack.ss_size = STACK - number++ % STEPS * STEP;
    fiber->context.uc_link = nullptr;
    makecontext(&fiber->context, main, 0);
    return fiber;
}

void delete_fiber(Fiber* fiber) {
    munmap(fiber->memory, GUARD + STACK);
    delete fiber;
}

#if defined(__SANITIZE_ADDRESS__)

// AddressSanitizer keeps a map of the stack, so it is told of every change. It takes longjmp for a return from
// functions, which swapcontext is not; that is slower, since it asks the operating system for the signal mask.

void enter(Fiber* fiber) {
    while (fiber != nullptr) {
        next_fiber = nullptr;
        __sanitizer_start_switch_fiber(&scheduler_sanitizer, fiber->memory + GUARD, STACK);
        swapcontext(&scheduler, &fiber->context);
        __sanitizer_finish_switch_fiber(scheduler_sanitizer, nullptr, nullptr);
        fiber = next_fiber;
    }
}

void leave(Fiber* fiber, Fiber* next) {  // to another fiber by way of the scheduler
    next_fiber = next;
    __sanitizer_start_switch_fiber(&fiber->sanitizer, scheduler_stack, scheduler_size);
    swapcontext(&fiber->context, &scheduler);
    __sanitizer_finish_switch_fiber(fiber->sanitizer, &scheduler_stack, &scheduler_size);
}

void begun() { __sanitizer_finish_switch_fiber(nullptr, &scheduler_stack, &scheduler_size); }

#else

// _setjmp saves the registers and returns 0. _longjmp puts them back, the stack's pointer among them: so _setjmp
// returns a second time, with 1, on the stack where it was called. That takes some nanoseconds, swapcontext, which
// calls the operating system, some hundred. But a fiber's first entry needs a context: there is nothing saved yet.

void enter(Fiber* fiber) {
    if (_setjmp(scheduler) != 0) return;  // the fiber has left
    if (fiber->entered) _longjmp(fiber->left_at, 1);
    fiber->entered = true;
    setcontext(&fiber->context);
}

void leave(Fiber* fiber, Fiber* next) {
    if (_setjmp(fiber->left_at) == 0) _longjmp(next == nullptr ? scheduler : next->left_at, 1);
}

void begun() {}

#endif

}  // namespace shim
