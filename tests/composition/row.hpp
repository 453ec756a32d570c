// composition/row.hpp: a row of the composition table, and the words that it is written in.
#pragma once

#include <fusebox/circuit_breaker.hpp>
#include <fusebox/retry.hpp>
#include <fusebox/throttle.hpp>

#include <chrono>
#include <optional>
#include <sstream>
#include <string>
#include <system_error>
#include <vector>

namespace composition {

using namespace std::chrono_literals;
using Words = std::vector<std::string>;

/// A breaker, the outermost breaker once more, a retry, or a throttle.
struct Policy {
  enum class Kind { breaker, same_breaker, retry, throttle };

  Kind kind;
  fusebox::CircuitBreakerConfig breaker = {};
  fusebox::RetryConfig retry = {};
  std::chrono::nanoseconds timeout = fusebox::no_timeout;
  fusebox::ThrottleConfig throttle = {};
  bool has_fallback = false;
  bool retries_all = false;
  std::optional<std::chrono::nanoseconds> step = std::nullopt;  // of linear backoff
  std::chrono::nanoseconds time_for_all = fusebox::no_timeout;  // from the first call of the bench on

  [[nodiscard]] Policy with_timeout(std::chrono::nanoseconds limit) const {
    Policy copy = *this;
    copy.timeout = limit;
    return copy;
  }
  [[nodiscard]] Policy with_fallback() const {
    Policy copy = *this;
    copy.has_fallback = true;
    return copy;
  }
  [[nodiscard]] Policy with_step(std::chrono::nanoseconds of_linear_backoff) const {
    Policy copy = *this;
    copy.step = of_linear_backoff;
    return copy;
  }
  [[nodiscard]] Policy with_deadline(std::chrono::nanoseconds after_begin) const {
    Policy copy = *this;
    copy.time_for_all = after_begin;
    return copy;
  }
  [[nodiscard]] Policy of_everything() const {
    Policy copy = *this;
    copy.retries_all = true;
    return copy;
  }
};

inline Policy breaker(const fusebox::CircuitBreakerConfig& config = {}) {
  return {.kind = Policy::Kind::breaker, .breaker = config};
}
inline Policy breaker(int failure_threshold) { return breaker({.failure_threshold = failure_threshold}); }
inline Policy same_breaker() { return {.kind = Policy::Kind::same_breaker}; }
inline Policy retry(const fusebox::RetryConfig& config = {}) {
  return {.kind = Policy::Kind::retry, .retry = config};
}
/// It rejects either no call or every call: the first after `failures` calls that were not accepted.
inline Policy throttle(int failures = 1000) {
  return {.kind = Policy::Kind::throttle, .throttle = {.max_rejection = 1, .minimum_calls = failures}};
}
inline Policy retry(int max_retries) { return retry({.max_retries = max_retries}); }

/// Policies are called a, b, c, … from the outermost on.
///
/// answers: what the dependency answers, one word a call, and not one call more: 200, a status, refused,
///     timeout, throw (an exception without a code), full (another policy's rejection) or cancel; then, if
///     wanted, +7 (Retry-After: 7), @9 (after 9 s), ! (the stop token is stopped during the call) or ~
///     (during the wait that follows)
/// sees: what the caller sees of each call: a word as above, open:a+60 (a rejects, and asks for 60 s),
///     shed:a (a throttle rejects) or
///     a(503) (a's fallback, which received the 503). Between calls: +60s (time passes), stop (the token),
///     and of the outermost breaker: force, disable, reset, hold (take a permit), fail (report its failure);
///     shed: from now on throttles reject every call
/// retries: attempts:reason of each retry, in the order in which they ended: ok, no (not retryable), spent
/// (no
///     retry is left), later (Retry-After is too long), deadline or cancelled
/// waits: in seconds; every jitter draws its longest
/// breakers: from the outermost on, state and success/failure/ignored/rejected counts at the end; of a
///     throttle accepted/other/rejected requests
struct Row {
  std::vector<Policy> policies;
  std::string answers;
  std::string sees;
  std::string retries;
  std::string waits;
  std::string breakers;
};

/// Not braces: clang-format would give each of their members a line of its own.
inline Row row(const std::vector<Policy>& policies, const char* answers, const char* sees,
               const char* retries, const char* waits, const char* breakers) {
  return {policies, answers, sees, retries, waits, breakers};
}

inline std::string name_of(std::size_t level) { return std::string(1, "abcd"[level]); }

inline Words words_of(const std::string& text) {
  std::istringstream in{text};
  Words words;
  for (std::string word; in >> word;) words.push_back(word);
  return words;
}

inline std::string joined(const Words& words) {
  std::string text;
  for (const std::string& word : words) text.append(text.empty() ? "" : " ").append(word);
  return text;
}

/// "breaker a(2) > retry b(3)": thresholds, and numbers of retries.
inline std::string shape_of(const Row& row) {
  std::ostringstream out;
  for (std::size_t level = 0; level < row.policies.size(); ++level) {
    const Policy& policy = row.policies[level];
    out << (level > 0 ? " > " : "");
    switch (policy.kind) {
      case Policy::Kind::breaker:
        out << "breaker " << name_of(level) << '(' << policy.breaker.failure_threshold << ')';
        break;
      case Policy::Kind::same_breaker: out << "breaker a again"; break;
      case Policy::Kind::throttle: out << "throttle " << name_of(level); break;
      case Policy::Kind::retry: out << "retry " << name_of(level) << '(' << policy.retry.max_retries << ')';
    }
    if (policy.has_fallback) out << " with fallback";
    if (policy.timeout != fusebox::no_timeout) out << " with timeout";
    if (policy.retries_all) out << " of everything";
    if (policy.step) out << " with linear backoff";
    if (policy.time_for_all != fusebox::no_timeout) out << " with a deadline";
  }
  return out.str();
}

/// One answer of the dependency.
class Answer {
 public:
  Answer() = default;
  explicit Answer(const std::string& text) {
    word_ = text.substr(0, text.find_first_of("+@!~"));
    std::istringstream in{text.substr(word_.size())};
    for (char suffix{}; in >> suffix;) {
      int seconds = 0;
      if (suffix == '+' || suffix == '@') in >> seconds;
      if (suffix == '+') retry_after_ = std::chrono::seconds{seconds};
      if (suffix == '@') duration = std::chrono::seconds{seconds};
      if (suffix == '!') stops_call = true;
      if (suffix == '~') stops_wait = true;
    }
  }

  std::chrono::seconds duration{0};
  bool stops_call = false;
  bool stops_wait = false;

  [[nodiscard]] bool is_success() const { return word_ == "200"; }
  [[nodiscard]] const std::string& value() const { return word_; }

  /// The failure as a value.
  [[nodiscard]] fusebox::Failure failure() const {
    if (word_ == "refused") return fusebox::Failure{fusebox::NetworkErrc::connection_refused};
    if (word_ == "timeout") return fusebox::Failure{fusebox::PolicyErrc::timed_out};
    if (word_ == "throw") return fusebox::Failure{std::error_code{}};
    if (word_ == "full") return fusebox::Failure{fusebox::PolicyErrc::bulkhead_full};
    if (word_ == "cancel") return fusebox::Failure{fusebox::PolicyErrc::cancelled};
    return fusebox::Failure::from_status(std::stoi(word_), retry_after_);
  }

  /// The failure as an exception.
  [[noreturn]] void raise() const {
    if (word_ == "refused") throw std::system_error{fusebox::NetworkErrc::connection_refused};
    if (word_ == "timeout") throw fusebox::TimeoutError{};
    if (word_ == "throw") throw 42;
    if (word_ == "full") throw fusebox::BulkheadFullError{};
    if (word_ == "cancel") throw fusebox::CancelledError{};
    const fusebox::ApiError error{static_cast<fusebox::ErrorCode>(std::stoi(word_)), "from the dependency"};
    throw retry_after_ ? error.with_retry_after(*retry_after_) : error;
  }

 private:
  std::string word_ = "200";
  std::optional<std::chrono::seconds> retry_after_;
};

/// The word for a failure, as in Row.
inline std::string word_of(const fusebox::Failure& failure) {
  std::string word = "throw";
  if (failure.code() == fusebox::PolicyErrc::circuit_open) {
    const std::string text = failure.message();  // circuit breaker 'a' is open
    word = "open:" + text.substr(text.find('\'') + 1, 1);
  } else if (failure.code() == fusebox::PolicyErrc::throttled) {
    const std::string text = failure.message();  // throttle 'a' …
    word = "shed:" + text.substr(text.find('\'') + 1, 1);
  } else if (failure.is_rejection()) {
    word = "full";
  } else if (failure.is_cancellation()) {
    word = "cancel";
  } else if (failure.is_timeout()) {
    word = "timeout";
  } else if (failure.code() == fusebox::NetworkErrc::connection_refused) {
    word = "refused";
  } else if (failure.status()) {
    word = std::to_string(*failure.status());
  }
  if (!failure.retry_after()) return word;
  return word + '+' + std::to_string(std::chrono::ceil<std::chrono::seconds>(*failure.retry_after()).count());
}

inline std::string word_of(fusebox::StopReason reason) {
  switch (reason) {
    case fusebox::StopReason::succeeded: return "ok";
    case fusebox::StopReason::not_retryable: return "no";
    case fusebox::StopReason::retries_exhausted: return "spent";
    case fusebox::StopReason::retry_after_too_long: return "later";
    default: return std::string{to_string(reason)};
  }
}

}  // namespace composition
