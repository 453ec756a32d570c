// fusebox/retry_budget/state.hpp: RetryBudgetEvent: when a budget begins to refuse and when it pays again.
#pragma once
// IWYU pragma: private, include <fusebox/retry_budget.hpp>

#include <chrono>
#include <string>
#include <string_view>

#include <fusebox/detail/edge_events.hpp>

FUSEBOX_BEGIN_NAMESPACE

/// What an edge leads to.
enum class RetryBudgetEventKind : unsigned char {
  available,  ///< the first retry that was permitted after a refusal
  exhausted,  ///< the first retry that was refused
};

[[nodiscard]] constexpr std::string_view to_string(RetryBudgetEventKind kind) noexcept {
  switch (kind) {
    case RetryBudgetEventKind::available: return "available";
    case RetryBudgetEventKind::exhausted: return "exhausted";
  }
  return "unknown";
}

/// An edge of a RetryBudget or a RetryThrottle: the kinds alternate, however many retries are refused in
/// between (M3).
struct FUSEBOX_API RetryBudgetEvent {
  std::string name;  ///< of the budget; may be empty
  RetryBudgetEventKind kind = RetryBudgetEventKind::available;
  std::chrono::system_clock::time_point at;  ///< wall time, by the budget's clock
};

namespace detail {
template <>
struct FUSEBOX_API EventRecord<RetryBudgetEvent> : EdgeRecord<RetryBudgetEvent> {};
}  // namespace detail

FUSEBOX_END_NAMESPACE
