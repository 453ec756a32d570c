"""The C++20 module exports every public name that needs no library but fmt, and nothing else."""

from lint import api
from lint.tree import DOOR, matches

PATH = "modules/fusebox.cppm"
WRITE = "scripts/module.py --write"
# Doors that stay headers: adapters need another library, and gdb.hpp is data of a program, not declarations.
NOT_IN_MODULE = ("adapters/*", "gdb")


def check(tree):
    """modules/fusebox.cppm exports each public name of the doors and rooms, and nothing else"""
    if not tree.exists(PATH):
        return []
    wanted, found = text(tree).splitlines(), tree.text(PATH).splitlines()
    problems = [f"{PATH}: lacks `{line.strip()}`: {WRITE}" for line in wanted if line not in found]
    problems += [f"{PATH}: has `{line.strip()}`, which is not public: {WRITE}" for line in found if line not in wanted]
    if not problems and wanted != found:
        problems.append(f"{PATH}: its lines are not in order: {WRITE}")
    return problems


def doors(tree):
    """What the module includes: fusebox.hpp and the doors that it leaves out."""
    umbrella = tree.reachable(tree.layout.UMBRELLA)
    left = [one for one in tree.headers if tree.kind(one) == DOOR and one not in umbrella]
    return [tree.layout.UMBRELLA, *(one for one in left if not matches(one, NOT_IN_MODULE))]


def names(tree):
    """namespace -> the names that programs may use."""
    found = {}
    for name, _, header, _ in api.names(tree):
        if not matches(tree.door(header.removesuffix(".hpp")), NOT_IN_MODULE):
            namespace, _, member = name.rpartition("::")
            found.setdefault(namespace, set()).add(member)
    return found


def text(tree):
    lines = [
        "// fusebox.cppm: the library as a C++20 module (rule L5).",
        "//",
        "//     import fusebox;",
        "//",
        "// It exports what <fusebox/fusebox.hpp> gives, the doors that it leaves out, and the clocks for tests. Not the",
        "// macros, for which <fusebox/version.hpp> is included, and not the adapters, which are headers of their own.",
        f"// {WRITE} writes this file.",
        "module;",
        "",
        *(f"#include <fusebox/{door}.hpp>" for door in doors(tree)),
        "",
        "export module fusebox;",
    ]
    for namespace, members in sorted(names(tree).items()):
        lines += ["", f"export namespace {namespace} {{"]
        lines += [f"using {namespace}::{name};" for name in sorted(members)]
        lines += [f"}}  // namespace {namespace}"]
    return "\n".join(lines) + "\n"
