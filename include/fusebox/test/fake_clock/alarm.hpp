// fusebox/test/fake_clock/alarm.hpp: Alarm, which rings when a FakeClock has come so far (A6).
#pragma once
// IWYU pragma: private, include <fusebox/test/fake_clock.hpp>

#include <fusebox/detail/ticks.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {
struct FakeTimeline;
}  // namespace detail

namespace test {

/// What FakeClock::set_alarm() sets: ring() is called when the timeline has come so far. Cancel it before it
/// is destroyed.
class Alarm {
 public:
  Alarm(const Alarm&) = delete;
  Alarm& operator=(const Alarm&) = delete;

 protected:
  Alarm() = default;
  ~Alarm() = default;

 private:
  friend struct detail::FakeTimeline;
  /// On the thread that moves the timeline, outside its lock. It may set alarms, cancel them, also itself,
  /// and destroy itself.
  virtual void ring() = 0;

  detail::Tick due_ = 0;
};

}  // namespace test

FUSEBOX_END_NAMESPACE
