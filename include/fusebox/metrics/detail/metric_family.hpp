// fusebox/metrics/detail/metric_family.hpp: MetricFamily, which writes the text exposition format 0.0.4.
#pragma once
// IWYU pragma: private, include <fusebox/metrics.hpp>

#include <cstddef>
#include <iterator>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include <fusebox/detail/number_text.hpp>
#include <fusebox/detail/utf8.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// The value of a label, in valid UTF-8, with backslash, quote and line feed escaped.
[[nodiscard]] inline std::string escape_label(std::string_view value) {
  const std::size_t plain = plain_length(value);
  std::string out{value.substr(0, plain)};
  for_each_character(value.substr(plain), [&](std::string_view character) {
    if (character == "\\" || character == "\"") {
      out.push_back('\\');
      out.append(character);
    } else if (character == "\n") {
      out.append("\\n");
    } else {
      out.append(character);
    }
  });
  return out;
}

/// Writes one metric family: HELP and TYPE when it is made, then its samples.
class MetricFamily {
 public:
  /// `family` without "fusebox_".
  MetricFamily(std::string& out, std::string_view family, std::string_view type, std::string_view help)
      : out_{out}, family_{family} {
    print("# HELP fusebox_{} {}\n", family_, help);
    print("# TYPE fusebox_{} {}\n", family_, type);
  }

  /// `suffix` is that of a histogram's series.
  template <class Number>
  void sample(std::string_view name, std::string_view more_labels, const Number& value,
              std::string_view suffix = {}) {
    print("fusebox_{}{}{{name=\"{}\"{}}} ", family_, suffix, escape_label(name), more_labels);
    if constexpr (requires { out_.append(value); }) {
      out_.append(value);
    } else {
      append_number(out_, value);
    }
    out_.push_back('\n');
  }

 private:
  template <class... Args>
  void print(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(out_), format, std::forward<Args>(args)...);
  }

  std::string& out_;
  std::string_view family_;
};

/// A family with one sample for each policy: of(stats).
template <class Stats, class Of>
void append_family(std::string& out, const std::map<std::string, Stats>& by_name, std::string_view family,
                   std::string_view type, std::string_view help, Of of) {
  MetricFamily samples{out, family, type, help};
  for (const auto& [name, stats] : by_name) samples.sample(name, "", of(stats));
}

}  // namespace detail

FUSEBOX_END_NAMESPACE
