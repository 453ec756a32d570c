"""Meson: a program built with fusebox as a subproject, and with the fusebox that Meson has installed.

check_meson.py WORK_DIR VERSION MESON COMPILER
"""

import filecmp
import os
import shutil
import sys

from support import CONSUMER, HERE, ROOT, check_consumer, check_debuggers, expect, fail, fresh, run, skip, write

WRAP = "[wrap-file]\ndirectory = fusebox\n\n[provide]\nfusebox = fusebox_dep\n"


def project(folder):
    fresh(folder)
    shutil.copy(os.path.join(HERE, "meson", "meson.build"), folder)
    shutil.copy(CONSUMER, folder)
    return folder


def headers(folder):
    return sorted(
        os.path.relpath(os.path.join(place, name), folder)
        for place, _, names in os.walk(os.path.join(folder, "fusebox"))
        for name in names
    )


def main(work, version, meson, compiler):
    if "NOTFOUND" in meson or not (shutil.which("ninja") and shutil.which("pkg-config")):
        skip("no meson, no ninja or no pkg-config")
    fresh(work)
    environment = {**os.environ, "CXX": compiler}

    def build(folder, **more):
        run(meson, "setup", "--wrap-mode=nodownload", os.path.join(folder, "build"), folder, env={**environment, **more})
        run("ninja", "-C", os.path.join(folder, "build"), "-j1", env=environment)
        check_consumer(os.path.join(folder, "build", "consumer"), version)

    subproject = project(os.path.join(work, "subproject"))
    copy = os.path.join(subproject, "subprojects", "fusebox")
    for name in ("include", "modules", "debuggers"):
        shutil.copytree(os.path.join(ROOT, name), os.path.join(copy, name))
    for name in ("meson.build", "LICENSE"):
        shutil.copy(os.path.join(ROOT, name), copy)
    write(os.path.join(subproject, "subprojects", "fusebox.wrap"), WRAP)
    build(subproject, PKG_CONFIG_PATH="")
    installs = run(meson, "introspect", os.path.join(subproject, "build"), "--installed")
    if "fusebox.hpp" in installs or "LICENSE" in installs:
        fail(f"the subproject installs {installs}")

    prefix = os.path.join(work, "prefix")
    run(meson, "setup", f"--prefix={prefix}", os.path.join(work, "install"), ROOT, env=environment)
    run(meson, "install", "-C", os.path.join(work, "install"), env=environment)
    own = headers(os.path.join(ROOT, "include"))
    expect("the installed headers", headers(os.path.join(prefix, "include")), own)
    _, different, odd = filecmp.cmpfiles(
        os.path.join(ROOT, "include"), os.path.join(prefix, "include"), own, shallow=False
    )
    expect("installed headers that differ", different + odd, [])
    if not os.path.exists(os.path.join(prefix, "share", "fusebox", "fusebox.cppm")):
        fail("the module's source is not installed")
    check_debuggers(os.path.join(prefix, "share", "fusebox"))
    environment["PKG_CONFIG_PATH"] = os.path.join(prefix, "share", "pkgconfig")
    flags = run("pkg-config", "--libs", "fusebox", env=environment)
    if "-lfmt" not in flags:
        fail(f"pkg-config does not ask for fmt: {flags}")
    build(project(os.path.join(work, "installed")))


if __name__ == "__main__":
    main(*sys.argv[1:])
