// fusebox/chaos/detail/draws.hpp: what a chaos policy does to its n-th call: a function of the seed and n
// (X4).
#pragma once
// IWYU pragma: private, include <fusebox/chaos.hpp>

#include <chrono>
#include <cstdint>

#include <fusebox/chaos/config.hpp>
#include <fusebox/detail/random.hpp>
#include <fusebox/detail/ticks.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// What one call gets.
struct ChaosPlan {
  bool is_delayed;
  bool fails;
  std::chrono::nanoseconds delay;  // 0 if it is not delayed
};

/// Is the number that the bits make, in [0, 1), below the rate? So a call that is hit at one rate is hit at
/// every higher one.
[[nodiscard]] constexpr bool is_hit(std::uint64_t bits, double rate) noexcept {
  return static_cast<double>(bits >> 11U) * 0x1p-53 < rate;
}

/// In [latency - jitter, latency + jitter].
[[nodiscard]] constexpr std::chrono::nanoseconds drawn_latency(std::uint64_t bits,
                                                               const ChaosConfig& config) noexcept {
  const auto jitter = static_cast<std::uint64_t>(config.latency_jitter.count());
  const auto offset = static_cast<Tick>(multiply_high(bits, 2 * jitter + 1) - jitter);
  return std::chrono::nanoseconds{offset < 0 ? config.latency.count() + offset
                                             : saturating_add(config.latency.count(), offset)};
}

[[nodiscard]] constexpr ChaosPlan chaos_plan(const ChaosConfig& config, std::uint64_t seed,
                                             std::uint64_t call) noexcept {
  const std::uint64_t own = mix(seed ^ mix(call));
  const bool is_delayed = is_hit(mix(own), config.latency_rate);
  return {is_delayed, is_hit(mix(own + 1), config.fault_rate),
          is_delayed ? drawn_latency(mix(own + 2), config) : std::chrono::nanoseconds::zero()};
}

}  // namespace detail

FUSEBOX_END_NAMESPACE
