#include <fusebox/test/fake_clock/detail/timeline.hpp>

#include <fusebox/test/fake_clock.hpp>

#include <chrono>
#include <stop_token>

#include "catch.hpp"

using namespace std::chrono_literals;
namespace detail = fusebox::detail;

namespace {

struct Bell final : fusebox::test::Alarm {
  explicit Bell(detail::Tick& when, const detail::FakeTimeline& where) : rung_at{when}, timeline{where} {}
  void ring() override { rung_at = timeline.now.load(); }
  detail::Tick& rung_at;
  const detail::FakeTimeline& timeline;
};

}  // namespace

TEST_CASE("T8 A6 one pass over the timeline stops limits and rings alarms, each at its time", "[T8][A6]") {
  detail::FakeTimeline timeline;
  timeline.manual = true;
  const detail::Tick start = timeline.now.load();
  detail::Tick rung_at = 0;
  Bell bell{rung_at, timeline};
  CHECK_FALSE(timeline.set_alarm(bell, detail::ticks(std::chrono::nanoseconds{3s})));
  detail::TimerNode node{.source = std::stop_source{}};
  detail::Tick stopped_at = 0;
  const std::stop_callback on_stop{node.source.get_token(), [&] { stopped_at = timeline.now.load(); }};
  timeline.arm(node, start + detail::ticks(std::chrono::nanoseconds{2s}));
  CHECK(timeline.advance(detail::ticks(std::chrono::nanoseconds{5s})) == 1);
  CHECK(stopped_at - start == detail::ticks(std::chrono::nanoseconds{2s}));
  CHECK(rung_at - start == detail::ticks(std::chrono::nanoseconds{3s}));
  CHECK(timeline.now.load() - start == detail::ticks(std::chrono::nanoseconds{5s}));
}

TEST_CASE("A6 a hastened alarm rings at once when the timeline is moved next", "[A6]") {
  detail::FakeTimeline timeline;
  timeline.manual = true;
  const detail::Tick start = timeline.now.load();
  detail::Tick rung_at = 0;
  Bell bell{rung_at, timeline};
  timeline.hasten(bell);  // it is not set
  CHECK(timeline.advance(0) == 0);
  CHECK_FALSE(timeline.set_alarm(bell, 1000));
  timeline.hasten(bell);
  CHECK(rung_at == 0);
  CHECK(timeline.advance(0) == 1);
  CHECK(rung_at == start);
}

TEST_CASE("A6 an alarm is due from its time on, until it has rung", "[A6]") {
  detail::FakeTimeline timeline;
  timeline.manual = true;
  detail::Tick rung_at = 0;
  Bell bell{rung_at, timeline};
  CHECK_FALSE(timeline.set_alarm(bell, 1000));
  CHECK_FALSE(timeline.is_due(bell));
  timeline.hasten(bell);
  CHECK(timeline.is_due(bell));
  timeline.advance(0);
  CHECK(timeline.is_due(bell));  // for who asks while it rings
}
