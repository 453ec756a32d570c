// fusebox/test/scoped_system_clock.hpp: ScopedSystemClock, which makes every SystemClock read another clock.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <type_traits>
#include <utility>

#include <fusebox/clock.hpp>
#include <fusebox/clock/detail/time_source.hpp>
#include <fusebox/detail/ticks.hpp>
#include <fusebox/detail/timer/node.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace test {

/// While it lives, every SystemClock of the process reads `clock`, so that code which names no clock, and
/// the process-wide registry, can be tested without a change (T4). Guards nest; destroy them in reverse
/// order, and after the threads that use them.
///
///     test::FakeClock clock;
///     test::ScopedSystemClock guard{clock};
class [[nodiscard]] ScopedSystemClock {
 public:
  template <class C>
    requires(!std::is_same_v<C, ScopedSystemClock> && Clock<C>)
  explicit ScopedSystemClock(C clock) : source_{std::make_shared<const Source<C>>(std::move(clock))} {
    // Release: pairs with the acquire load in current_clock_override(). Acquire: the previous source is
    // complete.
    previous_ = detail::clock_override.exchange(source_.get(), std::memory_order_acq_rel);
  }
  ScopedSystemClock(const ScopedSystemClock&) = delete;
  ScopedSystemClock& operator=(const ScopedSystemClock&) = delete;
  // Release: as in the constructor.
  ~ScopedSystemClock() { detail::clock_override.store(previous_, std::memory_order_release); }

 private:
  template <class C>
  struct Source final : detail::ClockOverride, std::enable_shared_from_this<Source<C>> {
    explicit Source(C source_clock) : clock{std::move(source_clock)} {}
    [[nodiscard]] detail::SteadyTime now() const override { return clock.now(); }
    [[nodiscard]] detail::SteadyTime coarse_now() const override {
      return detail::SteadyTime{std::chrono::nanoseconds{detail::coarse_tick(clock)}};
    }
    [[nodiscard]] std::chrono::system_clock::time_point wall_now() const override { return clock.wall_now(); }
    bool sleep_for(std::chrono::nanoseconds duration, StopToken token) const override {
      return clock.sleep_for(duration, token);
    }
    void arm(detail::TimerNode& node, detail::SteadyTime due) const override {
      if constexpr (detail::TimerClock<C>) {
        clock.arm(node, due);
        node.armed_on = this->shared_from_this();  // the guard may end before the limit does
      }
    }
    void disarm(detail::TimerNode& node) const noexcept override {
      if constexpr (detail::TimerClock<C>) clock.disarm(node);
    }
    C clock;
  };

  std::shared_ptr<const detail::ClockOverride> source_;
  const detail::ClockOverride* previous_ = nullptr;
};

}  // namespace test

FUSEBOX_END_NAMESPACE
