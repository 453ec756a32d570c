#include <fusebox/circuit_breaker/detail/state_change_record.hpp>

#include <chrono>
#include <memory>
#include <optional>

#include "catch.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using Record = detail::EventRecord<StateChange>;
using WallTime = std::chrono::system_clock::time_point;

TEST_CASE("B14 a record fills in all of a change but its name", "[B14]") {
  StateChange change;
  change.name = "payments";
  const Record record{State::open, State::half_open, StateChangeReason::probe_admitted, WallTime{1h},
                      nullptr};
  record.write_to(change);
  CHECK(change.name == "payments");
  CHECK(change.from == State::open);
  CHECK(change.to == State::half_open);
  CHECK(change.reason == StateChangeReason::probe_admitted);
  CHECK(change.at == WallTime{1h});
  CHECK_FALSE(change.cause);
}

TEST_CASE("B18 a record fills in the cause, and a merged one has that of its last part", "[B18][B14]") {
  const Failure failure = Failure::from_status(503);
  const auto cause = std::make_shared<const std::optional<Failure>>(failure);
  StateChange change;
  change.cause = Failure::from_status(500);
  Record record{State::half_open, State::closed, StateChangeReason::probes_succeeded, WallTime{1h}, nullptr};
  record.write_to(change);
  CHECK_FALSE(change.cause);
  CHECK(record.merge({State::closed, State::open, StateChangeReason::failure_rate, WallTime{2h}, cause}));
  record.write_to(change);
  CHECK(change.cause->status() == 503);
}

TEST_CASE("B14 two records merge into one from the first state to the last, of the last one's time",
          "[B14]") {
  Record record{State::closed, State::open, StateChangeReason::failure_rate, WallTime{1h}, nullptr};
  CHECK(record.merge({State::open, State::disabled, StateChangeReason::disabled, WallTime{2h}, nullptr}));
  CHECK(record.from == State::closed);
  CHECK(record.to == State::disabled);
  CHECK(record.reason == StateChangeReason::disabled);
  CHECK(record.at == WallTime{2h});
}

TEST_CASE("B14 of records that together change nothing none is left", "[B14]") {
  Record record{State::closed, State::open, StateChangeReason::failure_rate, WallTime{1h}, nullptr};
  CHECK_FALSE(record.merge({State::open, State::closed, StateChangeReason::reset, WallTime{2h}, nullptr}));
}
