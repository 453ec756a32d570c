// fusebox/detail/named_enum.hpp: the public enums that are written as their names.
#pragma once
// IWYU pragma: private

#include <concepts>

#include <fusebox/fwd.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

template <class T, class... Ts>
concept OneOf = (std::same_as<T, Ts> || ...);

/// Each has a to_string().
template <class E>
concept NamedEnum =
    OneOf<E, ErrorCode, ErrorCategory, NetworkErrc, PolicyErrc, Outcome, Jitter, StopReason, State,
          StateChangeReason, Priority, BulkheadEventKind, AdaptiveLimitEventKind, RateLimiterEventKind,
          RetryBudgetEventKind, HedgeEventKind, ChaosEventKind, ThrottleEventKind>;

}  // namespace detail

FUSEBOX_END_NAMESPACE
