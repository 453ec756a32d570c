// fusebox/window.hpp: Window, the calls that a rate is computed over (B3).
//
//   last_calls(100)    the last 100 recorded outcomes
//   within(10s)        the recorded outcomes of the last ten seconds
#pragma once

#include <chrono>

#include <fusebox/detail/macros.hpp>

FUSEBOX_BEGIN_NAMESPACE

/// Made by `last_calls` or `within`. Any value can be made; `validate` of the config that holds it refuses a
/// window that is empty or too large.
class Window {
 public:
  [[nodiscard]] constexpr bool is_time() const noexcept { return is_time_; }
  /// How many outcomes a count window holds; 0 for a time window.
  [[nodiscard]] constexpr int calls() const noexcept { return calls_; }
  /// How far back a time window reaches; 0 for a count window.
  [[nodiscard]] constexpr std::chrono::nanoseconds length() const noexcept { return length_; }
  friend constexpr bool operator==(const Window&, const Window&) noexcept = default;

 private:
  friend constexpr Window last_calls(int calls) noexcept;
  friend constexpr Window within(std::chrono::nanoseconds length) noexcept;
  constexpr Window(bool is_time, int calls, std::chrono::nanoseconds length) noexcept
      : is_time_{is_time}, calls_{calls}, length_{length} {}

  bool is_time_;
  int calls_;
  std::chrono::nanoseconds length_;
};

/// The last `calls` recorded outcomes, 1 to 65535.
[[nodiscard]] constexpr Window last_calls(int calls) noexcept {
  return {false, calls, std::chrono::nanoseconds::zero()};
}

/// The recorded outcomes of the last `length`, which is above 0: in ten buckets, the current one and the nine
/// before it, so that between nine and ten tenths of `length` count.
[[nodiscard]] constexpr Window within(std::chrono::nanoseconds length) noexcept { return {true, 0, length}; }

FUSEBOX_END_NAMESPACE
