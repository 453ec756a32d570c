"""Other programs that checks use."""

import os
import shutil
import subprocess


def find(*names):
    return next((path for path in map(shutil.which, names) if path), None)


def run(tree, command, **options):
    return subprocess.run(command, capture_output=True, encoding="utf-8", check=False, cwd=tree.root, **options)


def missing(what):
    """The problems of a check that cannot run: a developer may lack a tool; CI may not."""
    if os.environ.get("CI"):
        return [f"lint: {what} is not installed"]
    print(f"   skipped: {what} is not installed")
    return []


def folders(tree):
    """The options for libraries whose headers a compiler does not find by itself: libpq is one."""
    for command in (["pkg-config", "--cflags-only-I", "libpq"], ["pg_config", "--includedir"]):
        result = run(tree, command) if find(command[0]) else None
        if result and result.returncode == 0:
            return [f"-I{one.removeprefix('-I')}" for one in result.stdout.split()]
    return []


def compile_headers(tree, headers, arguments):
    text = "".join(f"#include <fusebox/{header}.hpp>\n" for header in headers)
    return run(tree, ["g++", "-std=c++20", "-Iinclude", "-x", "c++", *arguments, "-"], input=text)
