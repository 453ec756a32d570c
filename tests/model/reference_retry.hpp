// model/reference_retry.hpp: what rules R1 to R7 and R11 say of one call, written from the design and nothing
// else.
//
// A draw cannot be foreseen, so a wait is told by its bounds; with a source that draws the smallest or the
// largest number they meet.
#pragma once

#include <fusebox/retry.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>

#include "retry_script.hpp"

namespace model {

using Nanos = std::int64_t;

struct Bounds {
  Nanos low = 0;
  Nanos high = 0;
  [[nodiscard]] bool contain(Nanos value) const { return low <= value && value <= high; }
};

class ReferenceRetry {
 public:
  using StopReason = fusebox::StopReason;

  explicit ReferenceRetry(const RetryScript& script)
      : script_{script}, tokens_{script.tokens}, previous_{base(), base()} {}

  /// After failed attempt `number`, `since_first` after the first began: the reasons that hold before a wait
  /// is drawn.
  [[nodiscard]] std::optional<StopReason> stops_early(int number, bool stopped) const {
    const Attempt& attempt = script_.attempts[static_cast<std::size_t>(number - 1)];
    if (stopped || attempt.fault == Fault::cancelled) return StopReason::cancelled;
    if (!accepted(attempt)) return StopReason::not_retryable;
    if (number > script_.config.max_retries) return StopReason::retries_exhausted;
    if (asked(attempt) > max()) return StopReason::retry_after_too_long;
    return std::nullopt;
  }

  /// The wait after failed attempt `number` (R1, R5).
  [[nodiscard]] Bounds wait(int number) {
    const Attempt& attempt = script_.attempts[static_cast<std::size_t>(number - 1)];
    drawn_ = spread(delay(number));
    Bounds wait = drawn_;
    if (const Nanos after = asked(attempt); after >= 0) {
      const Nanos room = jitters() ? std::min(base(), max() - after) : 0;
      const Bounds extra = draw({after, after}, {after + room, after + room});
      wait = {std::max(wait.low, extra.low), std::max(wait.high, extra.high)};
    }
    return wait;
  }

  /// The wait that was: what the next one is bounded by (decorrelated jitter). A Retry-After hides the draw.
  void waited(int number, Nanos wait) {
    const bool seen = asked(script_.attempts[static_cast<std::size_t>(number - 1)]) < 0;
    previous_ = {seen ? wait : drawn_.low, seen ? wait : std::min(wait, drawn_.high)};
  }

  [[nodiscard]] bool takes_token() {
    if (!tokens_) return true;
    if (*tokens_ == 0) return false;
    --*tokens_;
    return true;
  }

 private:
  [[nodiscard]] Nanos base() const { return script_.config.base_delay.count(); }
  [[nodiscard]] Nanos max() const { return script_.config.max_delay.count(); }
  [[nodiscard]] bool jitters() const { return script_.config.jitter != fusebox::Jitter::none; }

  /// The wait that the failure asks for; -1 where it asks for none.
  [[nodiscard]] Nanos asked(const Attempt& attempt) const {
    if (!script_.config.honor_retry_after || !has_retry_after(attempt)) return -1;
    constexpr Nanos second = 1'000'000'000;
    const Nanos seconds = std::max<Nanos>(0, attempt.retry_after->count());
    return seconds > std::numeric_limits<Nanos>::max() / second ? std::numeric_limits<Nanos>::max()
                                                                : seconds * second;
  }

  [[nodiscard]] static bool has_retry_after(const Attempt& attempt) {
    return attempt.retry_after && (attempt.fault == Fault::status_404 || attempt.fault == Fault::status_429 ||
                                   attempt.fault == Fault::status_500 || attempt.fault == Fault::status_503 ||
                                   attempt.fault == Fault::rejected);
  }

  [[nodiscard]] bool accepted(const Attempt& attempt) const {
    const Fault fault = attempt.fault;
    const bool transient = fault != Fault::status_404 && fault != Fault::unknown && fault != Fault::rejected;
    const bool is_503 = fault == Fault::status_503 || fault == Fault::rejected;
    const bool surely_not_processed = fault == Fault::connection_refused || fault == Fault::host_not_found ||
                                      fault == Fault::status_429 || (is_503 && has_retry_after(attempt));
    if (!script_.config.idempotent && !surely_not_processed) return false;
    return script_.accepts == Accepts::everything || (script_.accepts == Accepts::transient && transient);
  }

  /// Before jitter (R1, R11).
  [[nodiscard]] Bounds delay(int number) const {
    const auto given = [&](Nanos nanos) {
      const Nanos capped = std::clamp<Nanos>(nanos, 0, max());
      return Bounds{capped, capped};
    };
    if (script_.step) {
      const Nanos step = script_.step->count();
      return given(step > max() / number ? max() : step * number);
    }
    if (script_.list.empty()) return exponential(number - 1);
    return given(script_.list[std::min(static_cast<std::size_t>(number), script_.list.size()) - 1].count());
  }

  /// min(max_delay, base_delay × multiplierⁿ), to a billionth where doubles are in it.
  [[nodiscard]] Bounds exponential(int n) const {
    long double delay = static_cast<long double>(base());
    const auto cap = static_cast<long double>(max());
    for (int i = 0; i < n && delay < cap; ++i) delay *= static_cast<long double>(script_.config.multiplier);
    if (delay >= cap * (1 + 1e-9L)) return {max(), max()};
    const double multiplier = script_.config.multiplier;
    const bool is_exact = n == 0 || multiplier == 1 || multiplier == 2;
    const long double error = is_exact ? 0 : delay * 1e-9L + 1;
    const auto clamp = [&](long double value) {
      return value >= cap ? max() : value <= 0 ? Nanos{0} : static_cast<Nanos>(value);
    };
    return {clamp(delay - error), clamp(delay + error)};
  }

  [[nodiscard]] Bounds spread(Bounds delay) const {
    switch (script_.config.jitter) {
      case fusebox::Jitter::none: break;
      case fusebox::Jitter::full: return draw({0, 0}, delay);
      case fusebox::Jitter::equal: return draw({delay.low / 2, delay.high / 2}, delay);
      case fusebox::Jitter::decorrelated: {
        const auto thrice = [&](Nanos value) { return value > max() / 3 ? max() : 3 * value; };
        return draw({base(), base()}, {thrice(previous_.low), thrice(previous_.high)});
      }
      case fusebox::Jitter::proportional: {
        const auto factor = static_cast<long double>(script_.config.jitter_factor);
        const auto below = [&](Nanos value) {
          return static_cast<Nanos>(static_cast<long double>(value) * (1 - factor));
        };
        const auto above = [&](Nanos value) {
          const auto high = static_cast<long double>(value) * (1 + factor);
          return high >= static_cast<long double>(max()) ? max() : static_cast<Nanos>(high);
        };
        const Bounds drawn =
            draw({below(delay.low), below(delay.high)}, {above(delay.low), above(delay.high)});
        // The library computes with doubles.
        const auto error = static_cast<Nanos>(static_cast<long double>(delay.high) * 1e-15L) + 1;
        return {std::max<Nanos>(0, drawn.low - error),
                drawn.high > max() - error ? max() : drawn.high + error};
      }
    }
    return delay;
  }

  /// A draw between two numbers which are known by their bounds.
  [[nodiscard]] Bounds draw(Bounds from, Bounds to) const {
    switch (script_.draws) {
      case Draws::smallest: return from;
      case Draws::largest: return to;
      case Draws::random: break;
    }
    return {from.low, to.high};
  }

  const RetryScript& script_;
  std::optional<int> tokens_;
  Bounds previous_;
  Bounds drawn_;
};

}  // namespace model
