"""The port of vcpkg and the recipe of Conan, as far as they can be run without these tools.

check_recipes.py WORK_DIR VERSION CMAKE COMPILER FMT_SOURCE_DIR

The port runs with stand-ins for vcpkg's functions (recipes.cmake), the recipe with stand-ins for Conan's (below).
Conan's test_package is built with what the port installs.
"""

import ast
import fnmatch
import json
import os
import re
import runpy
import shutil
import sys
import types

from support import HERE, ROOT, check_consumer, check_debuggers, expect, fail, fresh, read, run

PORT = os.path.join(ROOT, "packaging", "vcpkg", "ports", "fusebox")
CONAN = os.path.join(ROOT, "packaging", "conan")


def files(folder):
    return sorted(
        os.path.relpath(os.path.join(place, name), folder) for place, _, names in os.walk(folder) for name in names
    )


def check_port(work, version, cmake, compiler, more):
    manifest = json.loads(read(os.path.join(PORT, "vcpkg.json")))
    known = {"name", "version", "description", "license", "supports", "dependencies"}
    expect("unknown members of vcpkg.json", set(manifest) - known, set())
    expect("the name of the port", manifest["name"], "fusebox")
    expect("the version of the port", manifest["version"], version)
    names = [one if isinstance(one, str) else one["name"] for one in manifest["dependencies"]]
    expect("what the port depends on", names, ["fmt", "vcpkg-cmake", "vcpkg-cmake-config"])

    packages = os.path.join(work, "packages")
    run(cmake, f"-DPORT_DIR={PORT}", f"-DPACKAGES={packages}", f"-DBUILD={work}/port", f"-DCOMPILER={compiler}",
        f"-DMORE={more}", "-P", os.path.join(HERE, "recipes.cmake"))
    expect("the headers of the port", files(f"{packages}/include"), files(f"{ROOT}/include"))
    for name in ("copyright", "usage"):
        if not os.path.exists(f"{packages}/share/fusebox/{name}"):
            fail(f"the port installs no {name}")
    check_debuggers(f"{packages}/share/fusebox")
    return packages


class Conan:
    """Stands for conan.ConanFile."""

    def __init__(self, **folders):
        vars(self).update(folders)
        self.settings = types.SimpleNamespace(os="Linux")
        self.required, self.properties, self.cppstd = [], {}, None
        self.cpp_info = types.SimpleNamespace(set_property=lambda name, value: self.properties.update({name: value}))
        self.info = types.SimpleNamespace(clear=lambda: None)

    def requires(self, name, **_):
        self.required.append(name)


def copy(_, pattern, source, target):
    """Conan's copy: the pattern is of paths below source, and folders stay."""
    for name in files(source):
        if fnmatch.fnmatch(name, pattern):
            os.makedirs(os.path.dirname(os.path.join(target, name)), exist_ok=True)
            shutil.copy(os.path.join(source, name), os.path.join(target, name))


def stand_ins():
    def module(name, **members):
        sys.modules[name] = types.ModuleType(name)
        vars(sys.modules[name]).update(members)

    class InvalidConfiguration(Exception):
        pass

    module("conan", ConanFile=Conan)
    module("conan.errors", ConanInvalidConfiguration=InvalidConfiguration)
    module("conan.tools")
    module("conan.tools.build", check_min_cppstd=lambda recipe, version: setattr(recipe, "cppstd", version))
    module("conan.tools.files", copy=copy, load=lambda _, path: read(path))
    return InvalidConfiguration


def check_conan(work, version):
    refused = stand_ins()
    make = runpy.run_path(os.path.join(CONAN, "conanfile.py"))["FuseboxConan"]
    sources, package = os.path.join(work, "conan", "sources"), os.path.join(work, "conan", "package")
    recipe = make(recipe_folder=CONAN, export_sources_folder=sources, source_folder=sources, package_folder=package)
    recipe.set_version()
    expect("the version of the recipe", recipe.version, version)
    recipe.export_sources()
    recipe.requirements()
    recipe.validate()
    recipe.package()
    recipe.package_info()
    recipe.package_id()
    expect("what the recipe requires", (recipe.required, recipe.cppstd), (["fmt/[>=9]"], 20))
    expect("the target of the recipe", recipe.properties["cmake_target_name"], "fusebox::fusebox")
    expect("the headers of the recipe", files(f"{package}/include"), files(f"{ROOT}/include"))
    for name in ("licenses/LICENSE", "modules/fusebox.cppm"):
        if not os.path.exists(os.path.join(package, name)):
            fail(f"the recipe packs no {name}")
    check_debuggers(f"{package}/debuggers")
    recipe.settings.os = "Windows"
    try:
        recipe.validate()
        fail("the recipe does not refuse Windows")
    except refused:
        pass
    ast.parse(read(os.path.join(CONAN, "test_package", "conanfile.py")))


def main(work, version, cmake, compiler, fmt_source=""):
    fresh(work)
    more = f"-DFETCHCONTENT_SOURCE_DIR_FMT={fmt_source};-DFUSEBOX_FETCH=ON" if fmt_source else ""
    packages = check_port(work, version, cmake, compiler, more)
    check_conan(work, version)

    # The files that the port installs, under the name that the recipe's program looks for.
    source, build = os.path.join(CONAN, "test_package"), os.path.join(work, "consumer")
    target = re.search(r"target_link_libraries\(main PRIVATE (\S+)\)", read(os.path.join(PORT, "usage"))).group(1)
    if target not in read(os.path.join(source, "CMakeLists.txt")):
        fail(f"test_package does not link {target}, which the port's usage names")
    run(cmake, "-S", source, "-B", build, f"-DCMAKE_PREFIX_PATH={packages}", f"-DCMAKE_CXX_COMPILER={compiler}")
    run(cmake, "--build", build)
    check_consumer(os.path.join(build, "consumer"), version)


if __name__ == "__main__":
    main(*sys.argv[1:])
