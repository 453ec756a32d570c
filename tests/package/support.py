"""What the tests of the packages share."""

import filecmp
import os
import shlex
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
HERE = os.path.join(ROOT, "tests", "package")
CONSUMER = os.path.join(HERE, "consumer", "main.cpp")
CTEST_SKIPS = 77  # SKIP_RETURN_CODE in CMakeLists.txt


def fail(text):
    sys.exit(f"FAILED: {text}")


def skip(why):
    print(f"skipped: {why}")
    sys.exit(CTEST_SKIPS)


def run(*command, wanted=True, **options):
    """The output of a command; the test ends if it fails, or if it does not though that is wanted."""
    result = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", check=False, **options
    )
    if (result.returncode == 0) != wanted:
        fail(f"{shlex.join(command)} gave {result.returncode}\n{result.stdout}")
    return result.stdout


def expect(what, got, expected):
    if got != expected:
        fail(f"{what}\ngot      {got!r}\nexpected {expected!r}")


def fresh(folder):
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    return folder


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def check_debuggers(folder):
    """L13, L14: the printers and the views are in folder, as they are in the checkout."""
    names = ["fusebox.natvis", "fusebox_gdb.py"]
    same = filecmp.cmpfiles(os.path.join(ROOT, "debuggers"), folder, names, shallow=False)[0]
    expect(f"printers and views in {folder}", same, names)


def check_consumer(program, version, **options):
    expect("the consumer", run(program, **options), f"fusebox {version}: price 42, 1 success\n")
