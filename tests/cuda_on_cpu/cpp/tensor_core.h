// Tensor cores: the product of small matrices that a warp computes with one instruction.
#pragma once

#include "place.h"

namespace shim {

// mma.sync.m16n8k8, TF32: c += a b for a of 16x8, b of 8x8 and c of 16x8 numbers, spread over the registers of 32 lanes.
// With g = lane / 4 and q = lane % 4 (PTX manual, "Matrix fragments for mma.m16n8k8"), a lane has of
//   a: rows g, g + 8, g, g + 8 in columns q, q, q + 4, q + 4
//   b: rows q, q + 4 in column g
//   c: rows g, g, g + 8, g + 8 in columns 2q, 2q + 1, 2q, 2q + 1
void mma_m16n8k8(float* c, const unsigned* a, const unsigned* b, Place place = here());

}  // namespace shim
