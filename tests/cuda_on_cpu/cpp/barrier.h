// __syncthreads: no thread of the block goes on before all have come here.
#pragma once

#include "place.h"

namespace shim {
void barrier(Place place);  // block.cpp
}

inline void __syncthreads(shim::Place place = shim::here()) { shim::barrier(place); }
