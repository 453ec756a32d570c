// fusebox/detail/printable_names.hpp: makes names valid UTF-8 and keeps them distinct.
#pragma once
// IWYU pragma: private

#include <concepts>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include <fusebox/detail/utf8.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// What is in the maps, with U+FFFD for invalid bytes in names. Names that are equal, or become so, get a
/// number, "name (2)", since a document must not contain two members or two samples of the same name.
template <class T, std::same_as<std::map<std::string, T>>... More>
[[nodiscard]] std::map<std::string, T> with_printable_names(std::map<std::string, T> by_name, More... more) {
  std::map<std::string, int> last_number;  // by printable name
  const auto insert = [&](typename std::map<std::string, T>::node_type node) {
    std::string printable;
    for_each_character(node.key(), [&](std::string_view character) { printable.append(character); });
    node.key() = printable;
    for (int& number = last_number.try_emplace(printable, 1).first->second; by_name.contains(node.key());) {
      node.key() = printable + " (" + std::to_string(++number) + ")";
    }
    by_name.insert(std::move(node));
  };
  (by_name.merge(more), ...);  // which keeps those whose names are taken
  for (auto next = by_name.begin(); next != by_name.end();) {
    const auto current = next++;
    if (!is_utf8(current->first)) insert(by_name.extract(current));
  }
  (..., [&] {
    while (!more.empty()) insert(more.extract(more.begin()));
  }());
  return by_name;
}

}  // namespace detail

FUSEBOX_END_NAMESPACE
