"""The C++20 module: it exports every public name, and a program that only imports it is built and run.

check_module.py WORK_DIR VERSION COMPILER [OPTION...]       (a clang from version 16 on; the options say where fmt is)
"""

import os
import sys

from support import HERE, ROOT, expect, fresh, run


def main(work, _version, *compiler):
    print(run(sys.executable, os.path.join(ROOT, "scripts", "module.py")), end="")
    if not compiler:
        print("no clang from version 16 on: the module is not built")
        return
    fresh(work)
    compiler = [*compiler, "-std=c++20", "-pthread", f"-I{ROOT}/include", "-DFMT_HEADER_ONLY"]
    module, program = os.path.join(work, "fusebox.pcm"), os.path.join(work, "program")
    run(*compiler, "--precompile", os.path.join(ROOT, "modules", "fusebox.cppm"), "-o", module)
    run(*compiler, f"-fmodule-file=fusebox={module}", os.path.join(HERE, "module", "main.cpp"), module, "-o", program)
    expect("the program", run(program), "price 42, closed then open, 1 1\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
