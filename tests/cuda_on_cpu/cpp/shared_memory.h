// Shared memory: each array is one piece of the heap, which all threads of the block that runs see.
//
// compiler.py writes a kernel's declarations anew:
//
//     __shared__ float tile[16][17];     becomes    auto& tile = shim::shared<float[16][17]>([] {});
//     extern __shared__ float rows[];    becomes    float* rows = shim::dynamic_shared<float>();
//
// It is filled with 0xff bytes before a block sees it first: floats are NaN, integers -1. So nobody can live on what
// the block before left there.
#pragma once

#include <stddef.h>

namespace shim {

struct SharedArray {
    void* data;
    size_t bytes;
    unsigned long long block;  // the number of the block that it was last filled for
};

SharedArray make_shared_array(size_t bytes);
void fill_for_block(SharedArray& array);    // unless it has been
extern unsigned long long block_number;     // counts the blocks of all launches
void* dynamic_shared_bytes();               // as many as the launch asked for

// Every [] {} is a type of its own, so every declaration has an array of its own: that is all it is for.
template <class T, class Declaration> T& shared(Declaration) {
    static SharedArray array = make_shared_array(sizeof(T));
    if (array.block != block_number) fill_for_block(array);
    return *static_cast<T*>(array.data);
}

template <class T> T* dynamic_shared() { return static_cast<T*>(dynamic_shared_bytes()); }

}  // namespace shim
