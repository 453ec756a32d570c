// storm/web/files.hpp: the files of storm/web, as CMake has put them into the program.
#pragma once

#include <string_view>

namespace storm::web {

extern const std::string_view style_css;
extern const std::string_view report_css;
extern const std::string_view charts_js;
extern const std::string_view report_js;

}  // namespace storm::web
