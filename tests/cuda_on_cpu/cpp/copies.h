// cp.async: copies from an array to shared memory that go on while the thread does other things.
//
// A thread starts copies, closes them in a group (cp_commit), and later waits until all but its newest groups have
// landed (cp_wait). When a copy lands in between is the hardware's choice. So here are the two extremes, and a kernel
// must be right in both: early, when the copy is started, and late, in the cp_wait that has to wait for it.
#pragma once

namespace shim {

// 16 bytes to `to`; zeros where not `inside` (then nothing is read). Both addresses are multiples of the size.
void start_copy(void* to, const void* from, bool inside, unsigned bytes);
template <unsigned bytes = 16, class T> void cp_async(T* to, const T* from, bool inside) {
    static_assert(bytes == 4 || bytes == 8 || bytes == 16);
    start_copy(to, from, inside, bytes);
}
void cp_commit();
void cp_wait(unsigned pending);  // until at most so many groups are still under way

}  // namespace shim
