#include <fusebox/detail/flow/operation.hpp>
#include <fusebox/retry.hpp>

#include <stdexcept>
#include <string>
#include <system_error>

#include "catch.hpp"
#include "support/failures.hpp"

using namespace fusebox;
using detail::SlotBase;
using detail::Takes;
using detail::takes;
using detail::Verdict;
using support::Response;

namespace {

struct AttemptOrDeadline {
  void operator()(const Attempt&) const {}
  void operator()(const Deadline&) const {}
};

template <class V, class Op>
Verdict run(Op op, const auto& rule, SlotBase& failure) {
  detail::Slot<V, V, std::remove_cvref_t<decltype(rule)>> slot{failure};
  return detail::call_op<Takes::nothing>(slot, detail::plain_call, op, rule);
}

}  // namespace

TEST_CASE("P2 which way op is called", "[P2]") {
  STATIC_REQUIRE(takes<decltype([](const Call&) {})> == Takes::call);
  STATIC_REQUIRE(takes<decltype([](const Attempt&) {})> == Takes::attempt);
  STATIC_REQUIRE(takes<decltype([](StopToken) {})> == Takes::token);
  STATIC_REQUIRE(takes<decltype([](Deadline) {})> == Takes::deadline);
  STATIC_REQUIRE(takes<decltype([] {})> == Takes::nothing);
  STATIC_REQUIRE(takes<decltype([](auto&&...) {})> == Takes::call);
  STATIC_REQUIRE(takes<int(const char*)> == Takes::no_way);
  STATIC_REQUIRE(takes<int> == Takes::no_way);
  STATIC_REQUIRE(takes<AttemptOrDeadline> == Takes::attempt);
  STATIC_REQUIRE(takes<AttemptOrDeadline, Takes::deadline> == Takes::deadline);
  STATIC_REQUIRE(takes<decltype([] {}), Takes::deadline> == Takes::nothing);
}

TEST_CASE("P2 which ops can be stopped, and which see what", "[P2]") {
  STATIC_REQUIRE(detail::is_interruptible(Takes::call));
  STATIC_REQUIRE(detail::is_interruptible(Takes::attempt));
  STATIC_REQUIRE(detail::is_interruptible(Takes::token));
  STATIC_REQUIRE_FALSE(detail::is_interruptible(Takes::deadline));
  STATIC_REQUIRE_FALSE(detail::is_interruptible(Takes::nothing));
  STATIC_REQUIRE(detail::sees_deadline(Takes::deadline));
  STATIC_REQUIRE_FALSE(detail::sees_deadline(Takes::token));
  STATIC_REQUIRE(detail::sees_attempt(Takes::attempt));
  STATIC_REQUIRE_FALSE(detail::sees_attempt(Takes::token));
}

TEST_CASE("P3 the verdict on what op gives or throws", "[P3]") {
  SlotBase failure;
  CHECK(run<int>([] { return 7; }, detail::NoRule{}, failure) == Verdict::success);
  CHECK_FALSE(failure.has_failure());
  CHECK(run<std::error_code>([] { return make_error_code(NetworkErrc::connection_reset); }, detail::NoRule{},
                             failure) == Verdict::failure);
  CHECK(failure.is_code());
  CHECK(run<std::error_code>([] { return make_error_code(PolicyErrc::circuit_open); }, detail::NoRule{},
                             failure) == Verdict::rejected);
  CHECK(run<Response>([] { return Response{503}; }, detail::NoRule{}, failure) == Verdict::failure);
  CHECK(failure.failure().status() == 503);
  CHECK(run<int>([]() -> int { throw support::unavailable(); }, detail::NoRule{}, failure) ==
        Verdict::failure);
  CHECK(failure.failure().exception() != nullptr);
  CHECK(run<int>([]() -> int { throw CancelledError{}; }, detail::NoRule{}, failure) == Verdict::cancelled);
  CHECK(run<int>([]() -> int { throw ConfigError{"X.y"}; }, detail::NoRule{}, failure) ==
        Verdict::config_error);
  CHECK(run<int>([] { return 7; }, failure_if([](int n) { return n == 7; }), failure) == Verdict::failure);
  CHECK(run<int>([] { return 8; }, failure_if([](int n) { return n == 7; }), failure) == Verdict::success);
}
