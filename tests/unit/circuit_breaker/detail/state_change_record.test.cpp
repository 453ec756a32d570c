#include <fusebox/circuit_breaker/detail/state_change_record.hpp>

#include <chrono>

#include "catch.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using Record = detail::EventRecord<StateChange>;
using WallTime = std::chrono::system_clock::time_point;

TEST_CASE("B14 a record fills in all of a change but its name", "[B14]") {
  StateChange change;
  change.name = "payments";
  const Record record{State::open, State::half_open, StateChangeReason::probe_admitted, WallTime{1h}};
  record.write_to(change);
  CHECK(change.name == "payments");
  CHECK(change.from == State::open);
  CHECK(change.to == State::half_open);
  CHECK(change.reason == StateChangeReason::probe_admitted);
  CHECK(change.at == WallTime{1h});
}

TEST_CASE("B14 two records merge into one from the first state to the last, of the last one's time",
          "[B14]") {
  Record record{State::closed, State::open, StateChangeReason::failure_rate, WallTime{1h}};
  CHECK(record.merge({State::open, State::disabled, StateChangeReason::disabled, WallTime{2h}}));
  CHECK(record.from == State::closed);
  CHECK(record.to == State::disabled);
  CHECK(record.reason == StateChangeReason::disabled);
  CHECK(record.at == WallTime{2h});
}

TEST_CASE("B14 of records that together change nothing none is left", "[B14]") {
  Record record{State::closed, State::open, StateChangeReason::failure_rate, WallTime{1h}};
  CHECK_FALSE(record.merge({State::open, State::closed, StateChangeReason::reset, WallTime{2h}}));
}
