// storm/table.hpp: csv() and table(), the comparison of pipelines for programs and for a terminal.
#pragma once

#include <string>

#include "result.hpp"

namespace storm {

/// By RFC 4180: lines end with CRLF, a field with a comma, a quote or a line break is quoted. A header, then
/// a row for each pipeline. Numbers read back as the same numbers; what never comes is `inf` (S20).
[[nodiscard]] std::string csv(const Result& result);

/// In UTF-8. `colour`: escape sequences mark the best values and what amplifies. Control characters of names
/// are left out: a scenario cannot write to the terminal (S21).
[[nodiscard]] std::string table(const Result& result, bool colour);

}  // namespace storm
