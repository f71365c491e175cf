#include "shared_memory.h"

#include <stdlib.h>
#include <string.h>

#include "block.h"

namespace shim {

unsigned long long block_number = 0;

namespace {

constexpr size_t ALIGNMENT = 128;
constexpr int POISON = 0xff;

SharedArray dynamic{nullptr, 0, 0};

}  // namespace

SharedArray make_shared_array(size_t bytes) {
    void* data = nullptr;
    if (posix_memalign(&data, ALIGNMENT, bytes) != 0) abort();
    return {data, bytes, 0};
}

void fill_for_block(SharedArray& array) {
    memset(array.data, POISON, array.bytes);
    array.block = block_number;
    block.shared_bytes += array.bytes;
    if (block.shared_bytes > block.shared_limit) {
        fail("%zu bytes of shared memory, of %zu that a block may have", block.shared_bytes, block.shared_limit);
    }
}

void size_dynamic_shared(size_t bytes) {
    free(dynamic.data);  // an allocation of just this size, so that AddressSanitizer sees a step beyond its end
    dynamic = bytes == 0 ? SharedArray{nullptr, 0, 0} : make_shared_array(bytes);
}

void* dynamic_shared_bytes() {
    if (dynamic.data == nullptr) fail("the kernel uses dynamic shared memory, but the launch gives none");
    if (dynamic.block != block_number) fill_for_block(dynamic);
    return dynamic.data;
}

}  // namespace shim
