// fusebox/retry/attempt.hpp: Attempt, what op may take: its number, deadline and idempotency key (R18).
#pragma once
// IWYU pragma: private, include <fusebox/retry.hpp>

#include <optional>
#include <string>
#include <utility>

#include <fusebox/clock.hpp>
#include <fusebox/detail/idempotency_key.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {
struct CallAccess;
}  // namespace detail

/// One execution of op by a retry; op may take it as a `const Attempt&`. Valid while op runs, on the thread
/// that runs it.
class Attempt {
 public:
  int number;                       ///< 1 for the first
  std::optional<int> resend_count;  ///< absent for the first, then 1, 2, …
  Deadline deadline;                ///< the end of total_timeout or of the Deadline given; never without both
  StopToken stop_token;             ///< the std::stop_token of the call; otherwise one that is never stopped

  /// A random UUID, made at the first use, the same for every attempt of one call. Send it as the
  /// Idempotency-Key, so that the receiver can recognise a repetition. May throw std::bad_alloc.
  [[nodiscard]] const std::string& idempotency_key() const {
    if (!key_) key_.emplace(detail::make_idempotency_key());
    return *key_;
  }

 private:
  friend struct detail::CallAccess;
  Attempt(int n, const Deadline& end, StopToken token, std::optional<std::string>& key)
      : number{n}, deadline{end}, stop_token{std::move(token)}, key_{key} {
    if (n > 1) resend_count = n - 1;
  }
  std::optional<std::string>& key_;
};

FUSEBOX_END_NAMESPACE
