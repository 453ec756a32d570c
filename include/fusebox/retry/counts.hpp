// fusebox/retry/counts.hpp: RetryCounts, the attempts of retries that share a name (M2).
#pragma once
// IWYU pragma: private, include <fusebox/retry.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include <fusebox/detail/sharded_counter.hpp>
#include <fusebox/detail/validate.hpp>
#include <fusebox/failure.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {
template <class Policy, class Context>
class RetryFrame;
}  // namespace detail

/// Counts since construction; they only grow. Attempts that an exception of a hook or a clock cut short are
/// in none of the last three.
struct RetryCountsStats {
  std::uint64_t calls = 0;      ///< logical calls that began
  std::uint64_t succeeded = 0;  ///< attempts
  std::uint64_t failed = 0;     ///< attempts, whether another one followed or not
  std::uint64_t ignored = 0;    ///< attempts that a policy inside rejected, and those that were cancelled
  friend bool operator==(const RetryCountsStats&, const RetryCountsStats&) = default;
};

/// What the retries that got it have counted: `retry(config, counts)`. For metrics, under a name in a
/// PolicyRegistry. A retry without one counts nothing. All members are thread-safe.
class FUSEBOX_API RetryCounts {
 public:
  /// Throws ConfigError if the name is empty or longer than 512 bytes.
  explicit RetryCounts(std::string name) : name_{std::move(name)} {
    detail::check_name("RetryCounts", name_);
  }
  RetryCounts(const RetryCounts&) = delete;
  RetryCounts& operator=(const RetryCounts&) = delete;

  [[nodiscard]] RetryCountsStats stats() const noexcept {
    return {calls_.value(), succeeded_.value(), failed_.value(), ignored_.value()};
  }
  [[nodiscard]] const std::string& name() const noexcept { return name_; }

 private:
  template <class Policy, class Context>
  friend class detail::RetryFrame;

  void count_call() noexcept { calls_.add(); }
  void count_attempt(Outcome outcome) noexcept {
    switch (outcome) {
      case Outcome::success: return succeeded_.add();
      case Outcome::failure: return failed_.add();
      case Outcome::ignored: return ignored_.add();
    }
  }

  std::string name_;
  detail::ShardedCounter<> calls_;
  detail::ShardedCounter<> succeeded_;
  detail::ShardedCounter<> failed_;
  detail::ShardedCounter<> ignored_;
};

namespace detail {
template <class T>
struct IsRetryCounts : std::is_same<T, std::shared_ptr<RetryCounts>> {};
}  // namespace detail

FUSEBOX_END_NAMESPACE
