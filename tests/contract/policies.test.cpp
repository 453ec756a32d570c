// What every policy promises. policies.hpp has the adapters; what depends on the type of a result is in
// results.test.cpp.
#include <fusebox/circuit_breaker.hpp>
#include <fusebox/retry.hpp>

#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include <atomic>
#include <cstdint>
#include <ctime>
#include <exception>
#include <memory>
#include <system_error>

#include "catch.hpp"
#include "contract/policies.hpp"
#include "support/allocations.hpp"
#include "support/forced_unwinding.hpp"

using namespace contract;
using namespace fusebox;

namespace {

struct Ending {
  std::error_code code;
  Counts settled;
};
const Ending endings[] = {
    {{}, {1, 0, 0}},
    {NetworkErrc::connection_reset, {0, 1, 0}},  // a retry makes a second attempt
    {make_error_code(std::errc::io_error), {0, 1, 0}},
    {PolicyErrc::cancelled, {0, 0, 1}},
    {PolicyErrc::bulkhead_full, {0, 0, 1}},
};

void throw_if(std::error_code code) {
  if (code) throw std::system_error{code};
}

Result result_of(std::error_code code) {
  if (code) return support::Unexpected{code};
  return 7;
}

/// What f leaves by; empty if it returns.
template <class F>
std::error_code thrown_by(F f) {
  try {
    f();
    return {};
  } catch (const std::exception&) {
    return Failure::from_current_exception().code();
  }
}

}  // namespace

TEST_CASE("B1 B10 a call is settled once, however it ends", "[B1][B10][F2]") {
  for (const auto& ending : endings) {
    for (const AnyPolicy& policy : one_of_each()) {
      CAPTURE(policy.name, ending.code);
      CHECK(thrown_by([&] { policy.call([&] { throw_if(ending.code); }); }) == ending.code);
      CHECK(policy.settled() == ending.settled);
      CHECK(policy.is_idle());
    }
    for (const AnyPolicy& policy : one_of_each()) {
      CAPTURE(policy.name, ending.code);
      const Result result = policy.call_for_result([&] { return result_of(ending.code); });
      CHECK((result.has_value() ? std::error_code{} : result.error()) == ending.code);
      CHECK(policy.settled() == ending.settled);
      CHECK(policy.is_idle());
    }
  }
}

TEST_CASE("B1 B10 a call within another policy's is settled once, and so is the other", "[B1][B10][F2]") {
  for (const auto& [code, settled] : endings) {
    for (std::size_t i = 0; i < one_of_each().size(); ++i) {
      for (const AnyPolicy& inner : one_of_each()) {
        const AnyPolicy outer = one_of_each()[i];
        // A retry's second attempt would come while the breaker is open.
        if (outer.cancels && inner.name == ExecuteProbe::name && code == NetworkErrc::connection_reset)
          continue;
        CAPTURE(outer.name, inner.name, code);
        std::uint64_t calls = 0;
        const auto call_inner = [&, code = code] {
          ++calls;
          inner.call([&] { throw_if(code); });
        };
        CHECK(thrown_by([&] { outer.call(call_inner); }) == code);
        CHECK(outer.settled() == settled);
        CHECK(inner.settled() ==
              Counts{calls * settled.success, calls * settled.failure, calls * settled.ignored});
        CHECK(outer.is_idle());
        CHECK(inner.is_idle());
      }
    }
  }
}

#if HAS_FORCED_UNWINDING
TEST_CASE("F4 a thread that ends within a call leaves nothing behind", "[F4]") {
  for (const auto end : support::all_ends) {
    for (std::size_t i = 0; i < one_of_each().size(); ++i) {
      for (const AnyPolicy& inner : one_of_each()) {
        const AnyPolicy outer = one_of_each()[i];
        if (outer.is_coroutine || inner.is_coroutine) continue;  // it would terminate the program
        CAPTURE(outer.name, inner.name);
        int calls = 0;
        const auto op = [&] {
          ++calls;
          end();
        };
        CHECK_FALSE(support::returns([&] { outer.call([&] { inner.call(op); }); }));
        CHECK(calls == 1);
        CHECK(outer.settled() == outer.unwound);
        CHECK(inner.settled() == inner.unwound);
        CHECK(outer.is_idle());
        CHECK(inner.is_idle());
      }
    }
  }
}
#endif

TEST_CASE("B9 R4 a refused call is not made and settles nothing", "[B9][R4]") {
  for (const AnyPolicy& policy : one_of_each()) {
    CAPTURE(policy.name);
    policy.refuse();
    int calls = 0;
    CHECK(thrown_by([&] { policy.call([&] { ++calls; }); }) == policy.refusal);
    CHECK(calls == 0);
    CHECK(policy.settled() == Counts{});
  }
}

TEST_CASE("B9 a rejection carried in a value allocates nothing", "[B9]") {
  for (const AnyPolicy& policy : one_of_each()) {
    if (policy.cancels || policy.is_coroutine) continue;
    CAPTURE(policy.name);
    policy.refuse();
    const AnyPolicy::ResultOp op = [] { return 7; };
    int refused = 0;
    CHECK(support::allocations_of([&] {
            for (int i = 0; i < 20; ++i)
              refused += policy.call_for_result(op).error() == policy.refusal ? 1 : 0;
          }) == 0);
    CHECK(refused == 20);
  }
}

TEST_CASE("B10 R2 the last exception passes through, as the same object", "[B10][R2]") {
  for (const auto& [code, settled] : endings) {
    for (const AnyPolicy& policy : one_of_each()) {
      if (!code) continue;
      CAPTURE(policy.name, code);
      std::exception_ptr last;
      try {
        policy.call([&, code = code] {
          last = std::make_exception_ptr(std::system_error{code});
          std::rethrow_exception(last);
        });
        FAIL("nothing was thrown");
      } catch (const std::system_error&) {
        CHECK(std::current_exception() == last);
      }
    }
  }
}

#if defined(__linux__)
namespace {
std::atomic<int> clock_readings{0};
}  // namespace

/// Takes the place of the C library's, which every clock of the standard library reads.
extern "C" int clock_gettime(clockid_t clock, timespec* time) noexcept {
  ++clock_readings;
  return static_cast<int>(::syscall(SYS_clock_gettime, clock, time));
}

TEST_CASE("T3 a policy reads no clock but the one that it was given", "[T3]") {
  const auto readings_of = [](auto f) {
    const int before = clock_readings;
    f();
    return clock_readings - before;
  };
  REQUIRE(readings_of([] { (void)std::chrono::system_clock::now(); }) == 1);
  REQUIRE(readings_of([] { (void)std::chrono::steady_clock::now(); }) == 1);
  for (const auto& ending : endings) {
    for (const AnyPolicy& policy : one_of_each()) {
      CAPTURE(policy.name, ending.code);
      const auto op = [&] { throw_if(ending.code); };
      CHECK(readings_of([&] {
              for (int i = 0; i < 10; ++i) {
                (void)thrown_by([&] { policy.call(op); });
                (void)thrown_by([&] { policy.call_for_result([&] { return result_of(ending.code); }); });
              }
              (void)policy.is_idle();
              (void)policy.settled();
              policy.refuse();
              (void)thrown_by([&] { policy.call(op); });
            }) == 0);
    }
  }
}
#endif
