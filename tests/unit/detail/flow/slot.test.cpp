#include <fusebox/detail/flow/slot.hpp>

#include <memory>
#include <string>
#include <system_error>

#include "catch.hpp"
#include "support/failures.hpp"

using namespace fusebox;
using detail::Slot;
using detail::SlotBase;
using detail::Verdict;

namespace {

int refusals_made = 0;
Failure make_refusal(const void* policy, detail::Admission admission) {
  ++refusals_made;
  return Failure{ApiError{ErrorCode::service_unavailable,
                          *static_cast<const std::string*>(policy) + ' ' + std::to_string(admission.time)}};
}

/// Counts what lives.
struct Counted {
  static inline int alive = 0;
  int value = 0;
  explicit Counted(int v) : value{v} { ++alive; }
  Counted(Counted&& other) noexcept : value{other.value} { ++alive; }
  Counted& operator=(Counted&&) = delete;
  ~Counted() { --alive; }
};

}  // namespace

TEST_CASE("P4 a refusal is a policy and a number until somebody asks for its error", "[P4]") {
  const std::string policy = "full";
  refusals_made = 0;
  {
    SlotBase slot;
    slot.refuse(PolicyErrc::bulkhead_full, &make_refusal, &policy, {0, 5});
    CHECK(slot.has_failure());
    CHECK(slot.is_own());
    CHECK(slot.is_refusal());
    CHECK(slot.reason() == PolicyErrc::bulkhead_full);
    CHECK(refusals_made == 0);
    CHECK(slot.make_refusal().message() == "full 5");
    CHECK(slot.is_refusal());
    CHECK(slot.failure().message() == "full 5");
    CHECK_FALSE(slot.is_refusal());
    CHECK(&slot.failure() == &slot.failure());
  }
  CHECK(refusals_made == 2);
}

TEST_CASE("P4 a failure that is no more than a code is made when somebody asks", "[P4]") {
  SlotBase slot;
  CHECK_FALSE(slot.has_failure());
  slot.fail_by_code(make_error_code(NetworkErrc::connection_reset));
  CHECK(slot.is_code());
  CHECK(slot.code() == NetworkErrc::connection_reset);
  CHECK_FALSE(slot.is_own());
  CHECK(slot.failure().code() == NetworkErrc::connection_reset);
  CHECK_FALSE(slot.is_code());
}

TEST_CASE("P11 a later failure replaces the one before", "[P11]") {
  SlotBase slot;
  slot.fail(Failure{support::unavailable("first")});
  CHECK_FALSE(slot.is_own());
  slot.fail_own(Failure{make_error_code(PolicyErrc::cancelled)});
  CHECK(slot.is_own());
  CHECK(slot.reason() == PolicyErrc::cancelled);
  slot.fail(Failure{support::unavailable("last")});
  CHECK_FALSE(slot.is_own());
  CHECK(slot.release_failure().message() == "last");
  slot.clear_failure();
  CHECK_FALSE(slot.has_failure());
}

TEST_CASE("P5 the verdict on a failure", "[P5]") {
  CHECK(detail::verdict_of(make_error_code(NetworkErrc::connection_reset)) == Verdict::failure);
  CHECK(detail::verdict_of(make_error_code(std::errc::operation_canceled)) == Verdict::cancelled);
  CHECK(detail::verdict_of(std::make_error_code(std::errc::io_error)) == Verdict::failure);
  CHECK(detail::verdict_of(make_error_code(PolicyErrc::cancelled)) == Verdict::cancelled);
  CHECK(detail::verdict_of(make_error_code(PolicyErrc::timed_out)) == Verdict::failure);
  for (const auto reason : {PolicyErrc::circuit_open, PolicyErrc::bulkhead_full, PolicyErrc::rate_limited})
    CHECK(detail::verdict_of(make_error_code(reason)) == Verdict::rejected);
  CHECK(detail::verdict_of(make_error_code(ErrorCode::service_unavailable)) == Verdict::failure);
  CHECK(detail::verdict_of(std::error_code{}) == Verdict::failure);
  CHECK(detail::has_value(Verdict::success));
  CHECK(detail::has_value(Verdict::late));
  CHECK_FALSE(detail::has_value(Verdict::failure));
  CHECK(detail::is_nobodys(Verdict::cancelled));
  CHECK(detail::is_nobodys(Verdict::config_error));
  CHECK_FALSE(detail::is_nobodys(Verdict::rejected));
}

TEST_CASE("P13 a slot holds op's value or a fallback's, and destroys it once", "[P13]") {
  {
    SlotBase failure;
    Slot<Counted, Counted> slot{failure};
    CHECK_FALSE(slot.has_value());
    slot.make([] { return Counted{1}; });
    CHECK(slot.has_value());
    CHECK(slot.peek().value == 1);
    CHECK(Counted::alive == 1);
    slot.drop_value();
    CHECK(Counted::alive == 0);
    slot.make([] { return Counted{2}; });
    slot.make_result([] { return Counted{3}; });
    CHECK(Counted::alive == 1);
    CHECK(slot.take().value == 3);
    CHECK(Counted::alive == 1);
  }
  CHECK(Counted::alive == 0);
  {
    SlotBase failure;
    Slot<const char*, std::string> slot{failure};
    slot.make_result([] { return std::string(50, 'x'); });
    int seen = 0;
    slot.visit([&](const std::string& value) { seen = value.empty() ? 1 : 2; });
    CHECK(seen == 2);
    CHECK(slot.take() == std::string(50, 'x'));
  }
  {
    SlotBase failure;
    Slot<int&, int&> slot{failure};
    int target = 4;
    slot.make([&]() -> int& { return target; });
    CHECK(&slot.take() == &target);
  }
  STATIC_REQUIRE_FALSE(Slot<int, int>::notes_value);  // nothing to destroy, and no failed value
  STATIC_REQUIRE(Slot<std::error_code, std::error_code>::notes_value);
}
