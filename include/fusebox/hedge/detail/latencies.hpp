// fusebox/hedge/detail/latencies.hpp: how long the last successful calls took, and a percentile of it (J5).
#pragma once
// IWYU pragma: private, include <fusebox/hedge.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>

#include <fusebox/detail/macros.hpp>
#include <fusebox/detail/ticks.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// Every access is relaxed: each number is right by itself. A reader may see a slot before the count, or the
/// count before the slot; one number of 128 is then older, or 0.
class HedgeLatencies {
 public:
  static constexpr std::size_t size = 128;

  void add(Tick latency) noexcept {
    const std::uint64_t index = count_.fetch_add(1, std::memory_order_relaxed);
    slots_[index % size].store(latency, std::memory_order_relaxed);
  }

  /// The nearest rank: the smallest of the last 128 that `percentile` of them do not exceed. Nothing before
  /// `minimum` calls.
  [[nodiscard]] std::optional<Tick> percentile(double percentile, int minimum) const noexcept {
    const std::uint64_t count = count_.load(std::memory_order_relaxed);
    if (count < static_cast<std::uint64_t>(minimum)) return std::nullopt;
    const auto known = static_cast<std::size_t>(std::min<std::uint64_t>(count, size));
    std::array<Tick, size> sorted;
    for (std::size_t i = 0; i < known; ++i) sorted[i] = slots_[i].load(std::memory_order_relaxed);
    const double rank = std::ceil(percentile * static_cast<double>(known));
    const auto at = static_cast<std::ptrdiff_t>(std::max(rank, 1.0)) - 1;
    std::nth_element(sorted.begin(), sorted.begin() + at,
                     sorted.begin() + static_cast<std::ptrdiff_t>(known));
    return sorted[static_cast<std::size_t>(at)];
  }

 private:
  std::array<std::atomic<Tick>, size> slots_{};
  std::atomic<std::uint64_t> count_{0};
};

}  // namespace detail

FUSEBOX_END_NAMESPACE
