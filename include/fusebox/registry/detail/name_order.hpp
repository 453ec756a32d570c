// fusebox/registry/detail/name_order.hpp: many names in order, fast where they begin alike.
//
// Names of one registry often share a long beginning ("service-1000…"). Comparing the eight bytes that follow
// it as one number spares most comparisons of strings.
#pragma once
// IWYU pragma: private, include <fusebox/registry.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

#include <fusebox/detail/macros.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// Calls f(index) for each of `count` names in the order of name(index).
template <class Name, class F>
void for_each_in_order(std::size_t count, Name name, F f) {
  if (count == 0) return;
  const std::string_view first = name(0);
  std::size_t alike = first.size();
  for (std::size_t i = 1; i < count; ++i) {
    const std::string_view other = name(i);
    if (other.size() < alike) alike = other.size();
    while (other.substr(0, alike) != first.substr(0, alike)) --alike;
  }

  struct Entry {
    std::uint64_t key;  // the next eight bytes, the first one highest
    std::string_view name;
    std::size_t index;
  };
  std::vector<Entry> entries;
  entries.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    const std::string_view rest = name(i).substr(alike);
    std::uint64_t key = 0;
    for (std::size_t byte = 0; byte < 8; ++byte) {
      key = (key << 8U) | (byte < rest.size() ? static_cast<unsigned char>(rest[byte]) : 0U);
    }
    entries.push_back({key, rest, i});
  }
  // <algorithm> would cost an includer of the registry several thousand lines.
  std::qsort(entries.data(), entries.size(), sizeof(Entry), [](const void* left, const void* right) {
    const auto& a = *static_cast<const Entry*>(left);
    const auto& b = *static_cast<const Entry*>(right);
    return a.key != b.key ? (a.key < b.key ? -1 : 1) : a.name.compare(b.name);
  });
  for (const Entry& entry : entries) f(entry.index);
}

}  // namespace detail

FUSEBOX_END_NAMESPACE
