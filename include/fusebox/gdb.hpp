// fusebox/gdb.hpp: printers for GDB, in the program itself.
//
// Include it in one source file, or compile with `-include fusebox/gdb.hpp`: GDB then prints breakers,
// errors, results and configs readably once it may trust the program (`add-auto-load-safe-path`). It adds
// some 20 kB to the file of a program in the format ELF, nothing to its memory or its code, and does nothing
// elsewhere (L13). docs/debuggers.md shows what they print. The same printers without this header:
// debuggers/fusebox_gdb.py.
#pragma once

#include <fusebox/detail/macros.hpp>
#include <fusebox/gdb/detail/script.hpp>

FUSEBOX_BEGIN_NAMESPACE
FUSEBOX_END_NAMESPACE
