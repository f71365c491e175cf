"""What all GPU kernels stand on: CUDA C that is compiled and launched, memory, the contract of their arrays."""
