"""What kernels are written with: `jit` compiles and launches them, `memory` lends the arrays that they write to,
`contract` checks what they are given.
"""
