// fusebox/detail/printable_names.hpp: makes names valid UTF-8 and keeps them distinct.
#pragma once
// IWYU pragma: private

#include <map>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include <fusebox/detail/utf8.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// The map, with U+FFFD for invalid bytes in its names. Names that become equal get a number, "name (2)",
/// since a document must not contain two members or two samples of the same name.
template <class T>
[[nodiscard]] std::map<std::string, T> with_printable_names(std::map<std::string, T> by_name) {
  std::map<std::string, int> last_number;  // by printable name
  for (auto next = by_name.begin(); next != by_name.end();) {
    const auto current = next++;
    if (is_utf8(current->first)) continue;
    auto node = by_name.extract(current);
    std::string printable;
    for_each_character(node.key(), [&](std::string_view character) { printable.append(character); });
    node.key() = printable;
    for (int& number = last_number.try_emplace(printable, 1).first->second; by_name.contains(node.key());) {
      node.key() = fmt::format("{} ({})", printable, ++number);
    }
    by_name.insert(std::move(node));
  }
  return by_name;
}

}  // namespace detail

FUSEBOX_END_NAMESPACE
