// fusebox/timeout/counts.hpp: TimeoutCounts, what timeouts that share a name have counted (M2).
#pragma once
// IWYU pragma: private, include <fusebox/timeout.hpp>

#include <memory>
#include <string>
#include <utility>

#include <fusebox/detail/validate.hpp>
#include <fusebox/fwd.hpp>
#include <fusebox/timeout/detail/totals.hpp>
#include <fusebox/timeout/stats.hpp>

FUSEBOX_BEGIN_NAMESPACE

/// The counts of the timeouts that got it: `attempt_timeout(10s, counts)`. For metrics, under a name in a
/// PolicyRegistry. All members are thread-safe.
class FUSEBOX_API TimeoutCounts {
 public:
  /// Throws ConfigError if the name is empty or longer than 512 bytes.
  explicit TimeoutCounts(std::string name) : name_{std::move(name)} {
    detail::check_name("TimeoutCounts", name_);
  }
  TimeoutCounts(const TimeoutCounts&) = delete;
  TimeoutCounts& operator=(const TimeoutCounts&) = delete;

  [[nodiscard]] TimeoutStats stats() const noexcept { return counts_.stats(); }
  [[nodiscard]] const std::string& name() const noexcept { return name_; }

 private:
  template <class C, TimeoutKind kind>
  friend class Timeout;

  std::string name_;
  detail::TimeoutTotals counts_;
};

FUSEBOX_END_NAMESPACE
