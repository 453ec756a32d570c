// storm/report.hpp: html_report(), a page on a simulation for people.
#pragma once

#include <string>

#include "result.hpp"

namespace storm {

/// One HTML file that loads nothing from anywhere: styles, scripts and data are in it (S22). Names and texts
/// of a scenario are only ever text. Without scripts it shows all but the charts.
[[nodiscard]] std::string html_report(const Result& result);

/// What the charts of the page show, as JSON that may stand in a <script>: "<" is \u003c. Numbers read back
/// as the same numbers (S23); a value that is infinite is null.
[[nodiscard]] std::string report_data(const Result& result);

}  // namespace storm
