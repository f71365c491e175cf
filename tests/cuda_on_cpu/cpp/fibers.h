// Fibers: stacks to run threads on.
//
// The threads of a block need not run at the same time, but each must be able to stop in the middle of its function, at
// a barrier, and to go on later. So it needs a stack of its own that survives while others run. A fiber is such a stack
// with the registers saved when it was left. Everything runs in one thread of the operating system: only one fiber, or
// the scheduler (block.cpp, on the process's own stack), runs at a time, and each says who goes on.
#pragma once

#include <setjmp.h>
#include <stddef.h>
#include <ucontext.h>

namespace shim {

struct Fiber {
    unsigned thread = 0;     // the CUDA thread that stands on it, or stood there last

    char* memory = nullptr;  // a page that must not be touched, then the stack
    ucontext_t context;      // where it begins; with AddressSanitizer also where it was left
    jmp_buf left_at;         // where it was left
    bool entered = false;
    void* sanitizer = nullptr;
};

Fiber* new_fiber(void (*main)());  // main must not return
void delete_fiber(Fiber* fiber);

void enter(Fiber* fiber);                // from the scheduler; returns when a fiber leaves for the scheduler
void leave(Fiber* fiber, Fiber* next);   // for another that was entered before, or for the scheduler (null); returns
                                         // when somebody comes back
void begun();                            // the first thing that a fiber's main calls

}  // namespace shim
