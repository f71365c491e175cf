// Where in the kernel's text a thread waits: for messages, and to tell two barriers apart.
#pragma once

#include <string.h>

namespace shim {

struct Place {
    const char* file;
    int line;

    bool operator==(const Place& other) const { return line == other.line && strcmp(file, other.file) == 0; }
};

// As the default of a parameter, it is where the function is called.
inline Place here(const char* file = __builtin_FILE(), int line = __builtin_LINE()) { return {file, line}; }

}  // namespace shim
