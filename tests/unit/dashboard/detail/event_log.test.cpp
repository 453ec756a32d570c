#include <fusebox/dashboard/detail/event_log.hpp>

#include <fusebox/policy_registry.hpp>

#include <chrono>
#include <string>
#include <vector>

#include "catch.hpp"
#include "support/allocations.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using detail::cut_text;
using detail::EventLog;
using detail::LoggedEvent;

namespace {

const std::chrono::system_clock::time_point start{};

BulkheadEvent bulkhead(const std::string& name, BulkheadEventKind kind, std::chrono::milliseconds at) {
  return {.name = name, .kind = kind, .limit = 1, .previous_limit = 1, .at = start + at};
}

}  // namespace

TEST_CASE("H72 a text is cut between characters", "[H72]") {
  static_assert(cut_text("payments", 3) == "pay");
  static_assert(cut_text("payments", 8) == "payments");
  static_assert(cut_text("a\xc3\xa9z", 2) == "a");
  static_assert(cut_text("a\xc3\xa9z", 3) == "a\xc3\xa9");
  static_assert(cut_text("\xf0\x9f\x98\x80", 3).empty());
  static_assert(cut_text("\x80\x80\x80", 2).empty());
}

TEST_CASE("H72 the newest events are kept, those of breakers apart from the others", "[H72]") {
  EventLog log{3};
  log.add(StateChange{.name = "payments", .to = State::open, .at = start});
  for (int i = 0; i < 100; ++i)
    log.add(bulkhead("b" + std::to_string(i), BulkheadEventKind::saturated, i * 1ms));
  const std::vector<LoggedEvent> events = log.newest_first();
  REQUIRE(events.size() == 4);
  CHECK(events[0].name == "b99");
  CHECK(events[2].name == "b97");
  CHECK(events[3].name == "payments");
  CHECK(events[0].number == 101);
}

TEST_CASE("H72 what repeats within a second is one event with a count", "[H72]") {
  EventLog log{10};
  for (const auto at : {0ms, 300ms, 600ms, 900ms}) {
    log.add(bulkhead("reports", BulkheadEventKind::saturated, at));
    log.add(bulkhead("reports", BulkheadEventKind::free, at + 1ms));
  }
  log.add(bulkhead("mail", BulkheadEventKind::free, 950ms));
  log.add(bulkhead("reports", BulkheadEventKind::saturated, 1001ms));
  const std::vector<LoggedEvent> events = log.newest_first();
  REQUIRE(events.size() == 4);
  CHECK(events[0].what == "saturated");
  CHECK(events[0].times == 1);
  CHECK(events[1].name == "mail");
  CHECK(events[2].what == "free");
  CHECK(events[2].times == 4);
  CHECK(events[3].times == 4);
}

TEST_CASE("H72 another reason or cause, and an event after the clock was set back, is another event",
          "[H72]") {
  EventLog log{10};
  StateChange change{.name = "payments", .to = State::open, .at = start};
  const auto add = [&](StateChangeReason reason, int status, std::chrono::milliseconds at) {
    change.reason = reason, change.cause = Failure::from_status(status), change.at = start + at;
    log.add(change);
  };
  add(StateChangeReason::failure_threshold, 503, 5000ms);
  add(StateChangeReason::failure_threshold, 503, 4000ms);
  CHECK(log.newest_first().size() == 1);
  add(StateChangeReason::failure_threshold, 502, 5000ms);
  CHECK(log.newest_first().size() == 2);
  add(StateChangeReason::forced, 502, 5000ms);
  CHECK(log.newest_first().size() == 3);
  add(StateChangeReason::forced, 502, 3999ms);
  const std::vector<LoggedEvent> events = log.newest_first();
  REQUIRE(events.size() == 4);
  CHECK(events[0].at == start + 3999ms);
  CHECK(events[3].times == 2);
}

TEST_CASE("H72 its memory has a bound: a cause is cut, and full slots are reused without allocations",
          "[H72]") {
  EventLog log{4};
  const std::string name(512, 'n');
  const std::string message(10'000, 'm');
  const StateChange change{
      .name = name,
      .to = State::open,
      .at = start,
      .cause = Failure::from_exception(std::make_exception_ptr(std::runtime_error{message}))};
  log.add(change);
  CHECK(log.newest_first()[0].cause == std::string(240, 'm'));
  const auto event = [&](int i) {
    BulkheadEvent made = bulkhead(name, BulkheadEventKind::saturated, i * 2000ms);
    made.name.replace(0, 2, std::to_string(i % 10) + "x");
    return made;
  };
  for (int i = 0; i < 4; ++i) log.add(event(i));
  for (int i = 4; i < 20; ++i) {
    const BulkheadEvent next = event(i);
    CHECK(support::allocations_of([&] { log.add(next); }) == 0);
  }
}
