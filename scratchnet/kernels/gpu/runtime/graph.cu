// What a recorded step keeps an eye on.
#include "common.cuh"

extern "C" {

// *bad = 1 from the first loss on that is NaN or infinite; it is never set back.
__global__ void watch(const double* __restrict__ loss, int* __restrict__ bad) {
    if (!(fabs(*loss) <= 1.7976931348623157e308)) *bad = 1;  // the largest double; NaN is not below it
}

}  // extern "C"
