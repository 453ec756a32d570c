"""The recipe of Conan 2. It packs the checkout that it stands in: conan create packaging/conan"""

import os
import re

from conan import ConanFile
from conan.errors import ConanInvalidConfiguration
from conan.tools.build import check_min_cppstd
from conan.tools.files import copy, load

required_conan_version = ">=2.0"


class FuseboxConan(ConanFile):
    name = "fusebox"
    description = "Timeouts, retries, hedges, circuit breakers, bulkheads and rate limiters for C++20, header-only"
    license = "MIT"
    topics = ("resilience", "circuit-breaker", "retry", "header-only")
    package_type = "header-library"
    settings = "os", "arch", "compiler", "build_type"
    no_copy_source = True

    @property
    def _checkout(self):
        return os.path.dirname(os.path.dirname(self.recipe_folder))

    def set_version(self):
        text = load(self, os.path.join(self._checkout, "include", "fusebox", "version.hpp"))
        self.version = re.search(r'VERSION_STRING "([^"]+)"', text).group(1)

    def export_sources(self):
        copy(self, "*.hpp", os.path.join(self._checkout, "include"), os.path.join(self.export_sources_folder, "include"))
        for name in ("LICENSE", "modules/*.cppm", "debuggers/fusebox*"):
            copy(self, name, self._checkout, self.export_sources_folder)

    def requirements(self):
        self.requires("fmt/[>=9]", transitive_headers=True)

    def package_id(self):
        self.info.clear()  # the headers are the same for everybody

    def validate(self):
        if self.settings.os == "Windows":
            raise ConanInvalidConfiguration("fusebox does not support Windows")
        check_min_cppstd(self, 20)

    def package(self):
        copy(self, "LICENSE", self.source_folder, os.path.join(self.package_folder, "licenses"))
        copy(self, "*.hpp", os.path.join(self.source_folder, "include"), os.path.join(self.package_folder, "include"))
        copy(self, "*.cppm", os.path.join(self.source_folder, "modules"), os.path.join(self.package_folder, "modules"))
        copy(self, "debuggers/*", self.source_folder, self.package_folder)

    def package_info(self):
        self.cpp_info.bindirs = []
        self.cpp_info.libdirs = []
        self.cpp_info.set_property("cmake_file_name", "fusebox")
        self.cpp_info.set_property("cmake_target_name", "fusebox::fusebox")
        self.cpp_info.set_property("pkg_config_name", "fusebox")
        self.cpp_info.requires = ["fmt::fmt"]
        if self.settings.os == "Linux":
            self.cpp_info.system_libs = ["pthread", "dl"]
