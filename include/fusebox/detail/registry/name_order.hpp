// fusebox/detail/registry/name_order.hpp: many names in order, fast where they begin alike.
//
// Names of one registry often share a long beginning ("service-1000…"). The eight bytes that follow it are
// sorted as one number, byte by byte, which compares no strings; only names that are equal so far are
// compared.
#pragma once
// IWYU pragma: private

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

#include <fusebox/detail/macros.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// A name as a number to sort by, and its place among the names.
struct NameKey {
  std::uint64_t key;
  std::size_t index;
};

/// Sorts by key, and keeps the order of equal ones: by the lowest byte first, then by the next. Bytes that
/// all keys share take no pass.
inline void sort_by_key(std::vector<NameKey>& names) {
  std::uint64_t differing = 0;
  for (const NameKey& name : names) differing |= name.key ^ names.front().key;
  std::vector<NameKey> sorted(names.size());
  for (unsigned shift = 0; shift < 64; shift += 8) {
    if (((differing >> shift) & 0xffU) == 0) continue;
    std::array<std::size_t, 256> place{};  // first how many names, then where the next one goes
    for (const NameKey& name : names) ++place[(name.key >> shift) & 0xffU];
    std::size_t before = 0;
    for (std::size_t& at : place) {
      const std::size_t here = at;
      at = before;
      before += here;
    }
    for (const NameKey& name : names) sorted[place[(name.key >> shift) & 0xffU]++] = name;
    names.swap(sorted);
  }
}

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

  std::vector<NameKey> keys;
  keys.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    const std::string_view rest = name(i).substr(alike);
    std::uint64_t key = 0;  // the first byte highest
    for (std::size_t byte = 0; byte < 8; ++byte) {
      key = (key << 8U) | (byte < rest.size() ? static_cast<unsigned char>(rest[byte]) : 0U);
    }
    keys.push_back({key, i});
  }
  sort_by_key(keys);

  struct Named {
    std::string_view name;
    std::size_t index;
  };
  std::vector<Named> equal;  // names of one key
  for (std::size_t i = 0; i < count;) {
    std::size_t next = i + 1;
    while (next < count && keys[next].key == keys[i].key) ++next;
    if (next == i + 1) {
      f(keys[i].index);
    } else {
      equal.clear();
      for (std::size_t k = i; k < next; ++k) equal.push_back({name(keys[k].index), keys[k].index});
      // <algorithm> would cost an includer of the registry several thousand lines.
      std::qsort(equal.data(), equal.size(), sizeof(Named), [](const void* a, const void* b) {
        return static_cast<const Named*>(a)->name.compare(static_cast<const Named*>(b)->name);
      });
      for (const Named& one : equal) f(one.index);
    }
    i = next;
  }
}

}  // namespace detail

FUSEBOX_END_NAMESPACE
