#include "tensor_core.h"

#include <string.h>

#include "block.h"
#include "warp.h"

namespace shim {

namespace {

struct Registers {
    float* c;
    const unsigned* a;
    const unsigned* b;
};

float as_float(unsigned bits) {
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

void multiply(void* const* given, unsigned lanes) {
    if (lanes != 0xffffffffu) fail("mma.m16n8k8 without all 32 lanes (0x%08x)", lanes);
    float a[16][8], b[8][8];
    for (int lane = 0; lane < 32; ++lane) {
        const Registers& mine = *static_cast<Registers*>(given[lane]);
        int g = lane / 4, q = lane % 4;
        for (int i = 0; i < 4; ++i) a[g + i % 2 * 8][q + i / 2 * 4] = as_float(mine.a[i]);
        for (int i = 0; i < 2; ++i) b[q + i * 4][g] = as_float(mine.b[i]);
    }
    for (int lane = 0; lane < 32; ++lane) {
        float* c = static_cast<Registers*>(given[lane])->c;
        for (int i = 0; i < 4; ++i) {
            int row = lane / 4 + i / 2 * 8, column = lane % 4 * 2 + i % 2;
            for (int k = 0; k < 8; ++k) c[i] += a[row][k] * b[k][column];
        }
    }
}

}  // namespace

void mma_m16n8k8(float* c, const unsigned* a, const unsigned* b, Place place) {
    Registers mine{c, a, b};
    meet(0xffffffffu, &mine, multiply, "mma.m16n8k8", place);
}

}  // namespace shim
