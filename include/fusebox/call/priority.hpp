// fusebox/call/priority.hpp: Priority, how much a call matters.
#pragma once
// IWYU pragma: private, include <fusebox/call.hpp>

#include <cstddef>
#include <string_view>

#include <fusebox/detail/macros.hpp>

FUSEBOX_BEGIN_NAMESPACE

/// How much a call matters (P17). It is an option of execute(): a full bulkhead, an adaptive limit and a
/// throttle shed calls of the lowest priority first. The last enumerator is the lowest.
enum class Priority : unsigned char {
  critical,    ///< users wait for it, and it must not fail: payments, logins
  normal,      ///< the default
  sheddable,   ///< may fail now and then: recommendations
  background,  ///< nobody waits for it: batches, prefetching
};

[[nodiscard]] constexpr std::string_view to_string(Priority priority) noexcept {
  switch (priority) {
    case Priority::critical: return "critical";
    case Priority::normal: return "normal";
    case Priority::sheddable: return "sheddable";
    case Priority::background: return "background";
  }
  return "unknown";
}

namespace detail {
inline constexpr std::size_t priority_count = 4;

/// A value that is no enumerator counts as the lowest priority.
[[nodiscard]] constexpr std::size_t index_of(Priority priority) noexcept {
  const auto index = static_cast<std::size_t>(priority);
  return index < priority_count ? index : priority_count - 1;
}
}  // namespace detail

FUSEBOX_END_NAMESPACE
