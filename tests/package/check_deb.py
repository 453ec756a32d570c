"""The Debian package: what it says of itself, and a program built against it where dpkg has installed it.

check_deb.py WORK_DIR VERSION BINARY_DIR CPACK PKG_CONFIG COMPILER

dpkg installs into a folder with a database of its own, never into the system; without root the package is unpacked.
"""

import hashlib
import os
import shutil
import sys

from support import CONSUMER, check_consumer, check_debuggers, expect, fail, fresh, run, skip

DOC = "usr/share/doc/fusebox-dev"


def field(package, name):
    return run("dpkg-deb", "--field", package, name).strip()


def database(root, *packages):
    """Begins the database of dpkg in root, with these packages as installed there."""
    folder = fresh(os.path.join(root, "var", "lib", "dpkg"))
    for name in ("info", "updates"):
        os.makedirs(os.path.join(folder, name))
    with open(os.path.join(folder, "status"), "w", encoding="utf-8") as file:
        for name, version in packages:
            file.write(f"Package: {name}\nStatus: install ok installed\nMaintainer: nobody <nobody@localhost>\n")
            file.write(f"Architecture: all\nVersion: {version}\nDescription: stands for the system's\n\n")


def check_files(root, version):
    with open(os.path.join(root, DOC, "copyright"), encoding="utf-8") as file:
        if not file.read().startswith("Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n"):
            fail("the copyright file is not one that programs read")
    for name in ("changelog.gz", "changelog.Debian.gz"):
        if not os.path.exists(os.path.join(root, DOC, name)):
            fail(f"no {name} in the package")
    first = run("gzip", "-dc", os.path.join(root, DOC, "changelog.Debian.gz")).splitlines()[0]
    expect("Debian's changelog", first, f"fusebox ({version}-1) unstable; urgency=medium")


def sums(work, package):
    folder = os.path.join(work, "control")
    run("dpkg-deb", "--control", package, folder)
    with open(os.path.join(folder, "md5sums"), encoding="utf-8") as file:
        return file.read().splitlines()


def main(work, version, binary, cpack, pkg_config, compiler):
    os.environ["PATH"] += ":/usr/sbin:/sbin"  # where dpkg looks for what it needs
    missing = [name for name in ("dpkg", "dpkg-deb", "gzip") if not shutil.which(name)]
    if missing or "NOTFOUND" in cpack + pkg_config:
        skip("no cpack, no pkg-config or no " + ", ".join(missing or ["such tool"]))
    fresh(work)
    run(cpack, "-G", "DEB", "--config", os.path.join(binary, "CPackConfig.cmake"), "-B", work)
    package = os.path.join(work, f"fusebox-dev_{version}-1_all.deb")
    for name, expected in (
        ("Package", "fusebox-dev"),
        ("Version", f"{version}-1"),
        ("Architecture", "all"),
        ("Section", "libdevel"),
        ("Depends", "libfmt-dev (>= 9)"),
    ):
        expect(name, field(package, name), expected)
    for line in run("dpkg-deb", "--contents", package).splitlines():
        mode, owner = line.split()[:2]
        if owner != "root/root" or mode not in ("drwxr-xr-x", "-rw-r--r--"):
            fail(f"in the package: {line}")

    root = os.path.join(work, "root")
    dpkg = ["dpkg", f"--root={root}", "--log=/dev/null", "--force-script-chrootless"]
    if os.geteuid() == 0:
        database(root)
        refused = run(*dpkg, "--install", package, wanted=False)
        if "libfmt-dev" not in refused:
            fail(f"without libfmt-dev dpkg says {refused}")
        shutil.rmtree(root)
        database(root, ("libfmt-dev", "9.1.0+ds1-2"))
        run(*dpkg, "--install", package)
        query = ("dpkg-query", f"--root={root}", "--show", "--showformat=${db:Status-Abbrev}", "fusebox-dev")
        expect("the state of the package", run(*query), "ii ")
    else:
        print("not root: the package is unpacked, not installed")
        run("dpkg-deb", "--extract", package, root)
    check_files(root, version)
    check_debuggers(os.path.join(root, "usr/share/fusebox"))

    for line in sums(work, package):
        wanted, name = line.split(maxsplit=1)
        with open(os.path.join(root, name), "rb") as file:
            expect(f"the sum of {name}", hashlib.md5(file.read()).hexdigest(), wanted)

    environment = {**os.environ, "PKG_CONFIG_PATH": os.path.join(root, "usr", "share", "pkgconfig")}
    expect("pkg-config", run(pkg_config, "--modversion", "fusebox", env=environment).strip(), version)
    flags = run(pkg_config, "--cflags", "--libs", "fusebox", env=environment).split()
    program = os.path.join(work, "program")
    run(compiler, "-std=c++20", CONSUMER, "-o", program, *flags)
    check_consumer(program, version)

    if os.geteuid() == 0:
        run(*dpkg, "--purge", "fusebox-dev")
        left = [name for folder, _, names in os.walk(os.path.join(root, "usr")) for name in names]
        expect("files left behind", left, [])


if __name__ == "__main__":
    main(*sys.argv[1:])
