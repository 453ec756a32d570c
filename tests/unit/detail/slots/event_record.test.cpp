#include <fusebox/detail/slots/event_record.hpp>

#include <fusebox/bulkhead.hpp>

#include <chrono>

#include "catch.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using Kind = BulkheadEventKind;
using Record = detail::SlotEventRecord<BulkheadEvent>;
using WallTime = std::chrono::system_clock::time_point;

TEST_CASE("K10 a record fills in all of an event but its name", "[K10]") {
  BulkheadEvent event;
  event.name = "reports";
  Record{Kind::limit_changed, false, false, 3, 5, WallTime{1h}}.write_to(event);
  CHECK(event.name == "reports");
  CHECK(event.kind == Kind::limit_changed);
  CHECK(event.previous_limit == 3);
  CHECK(event.limit == 5);
  CHECK(event.at == WallTime{1h});
}

TEST_CASE("K10 a merged record says what changed from the first to the last", "[K10]") {
  Record saturated{Kind::saturated, false, true, 3, 3, WallTime{1h}};
  CHECK(saturated.merge({Kind::limit_changed, true, true, 3, 2, WallTime{2h}}));
  CHECK(saturated.kind == Kind::saturated);
  CHECK(saturated.previous_limit == 3);
  CHECK(saturated.limit == 2);
  CHECK(saturated.at == WallTime{2h});
  CHECK(saturated.merge({Kind::free, true, false, 2, 2, WallTime{3h}}));
  CHECK(saturated.kind == Kind::limit_changed);
  CHECK_FALSE(saturated.merge({Kind::limit_changed, false, false, 2, 3, WallTime{4h}}));

  Record free{Kind::limit_changed, true, true, 3, 4, WallTime{1h}};
  CHECK(free.merge({Kind::free, true, false, 4, 4, WallTime{2h}}));
  CHECK(free.kind == Kind::free);
}
