"""Random numbers by a counter, normal ones, and dropout, which takes its mask from them.

Philox4x32-10 turns a 64-bit key and a 128-bit counter into four 32-bit words. It has no state: any element's number can
be had at once, by any thread, on any device. Source: Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3",
SC 2011.
"""

import math

import numpy as np

LOW = 2**32 - 1  # the low 32 bits of a whole number


def philox(key, counter):
    """[word 0, ..., word 3], each below 2^32; ten rounds, each of which multiplies two of four words and mixes all."""
    key0, key1 = key & LOW, key >> 32
    c0, c1, c2, c3 = ((counter >> bits) & LOW for bits in (0, 32, 64, 96))
    for _ in range(10):
        p0, p1 = 0xD2511F53 * c0, 0xCD9E8D57 * c2
        c0, c1, c2, c3 = (p1 >> 32) ^ c1 ^ key0, p1 & LOW, (p0 >> 32) ^ c3 ^ key1, p0 & LOW
        key0, key1 = (key0 + 0x9E3779B9) & LOW, (key1 + 0xBB67AE85) & LOW
    return [c0, c1, c2, c3]


def uniform(key, step, index, count):
    """u[k, n] = word k % 4 of philox / 2^32, from 0 to below 1; its counter is index[n], step and k // 4."""
    u = np.zeros((count, len(index)))
    for k, n in np.ndindex(*u.shape):
        words = philox(key, int(index[n]) + (step << 64) + (k // 4 << 96))
        u[k, n] = words[k % 4] / 2**32
    return u


def dropout(x, rate, key, step):
    """y = x / (1 - rate) where the element's random word is below (1 - rate) * 2^32, else 0.

    Element e in row-major order has word e % 4 of philox, whose counter is e // 4 and step.
    """
    y = np.zeros_like(x)
    for e, index in enumerate(np.ndindex(*x.shape)):
        words = philox(key, e // 4 + (step << 64))
        if words[e % 4] < round((1 - rate) * 2**32):
            y[index] = x[index] / (1 - rate)
    return y


def normal(shape, dtype, key, step):
    """Numbers of mean 0 and deviation 1, two from two words: r cos(a), r sin(a) with r = sqrt(-2 log u), a = 2 pi v.

    Element e in row-major order is from words 0 and 1 of philox, or 2 and 3, whose counter is e // 4 and step.
    """
    y = np.zeros(shape, dtype)
    for e, index in enumerate(np.ndindex(*y.shape)):
        words = philox(key, e // 4 + (step << 64))
        first, second = words[:2] if e % 4 < 2 else words[2:]
        radius, angle = math.sqrt(-2 * math.log((first + 1) / 2**32)), 2 * math.pi * second / 2**32
        y[index] = radius * (math.cos(angle) if e % 2 == 0 else math.sin(angle))
    return y
