#include <fusebox/circuit_breaker.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#if defined(__unix__)
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#endif

#include "catch.hpp"
#include "support/breaker_states.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using support::Breaker;
using support::Counts;
using support::counts_of;
using support::trip;
using support::trip_and_wait;

TEST_CASE("B1 a permit is move-only, never throws and converts to bool explicitly", "[B1]") {
  STATIC_REQUIRE_FALSE(std::is_copy_constructible_v<Permit> || std::is_copy_assignable_v<Permit>);
  STATIC_REQUIRE(std::is_nothrow_move_constructible_v<Permit> && std::is_nothrow_move_assignable_v<Permit>);
  STATIC_REQUIRE(std::is_nothrow_default_constructible_v<Permit> && std::is_nothrow_destructible_v<Permit>);
  STATIC_REQUIRE(std::is_constructible_v<bool, const Permit&> && !std::is_convertible_v<const Permit&, bool>);
  STATIC_REQUIRE(noexcept(static_cast<bool>(std::declval<const Permit&>())));
  STATIC_REQUIRE(noexcept(std::declval<Permit&>().success()));
  STATIC_REQUIRE(noexcept(std::declval<Permit&>().failure()));
  STATIC_REQUIRE(noexcept(std::declval<Permit&>().ignore()));
  STATIC_REQUIRE(noexcept(std::declval<Permit&>().report(Outcome::success)));
  STATIC_REQUIRE(noexcept(try_acquire(std::declval<std::shared_ptr<Breaker>>())));
}

TEST_CASE("B1 the permits of breakers with different clocks are of one type", "[B1]") {
  CircuitBreaker<> on_system_time{"a"};
  Breaker on_fake_time{"b"};
  std::vector<Permit> permits;
  permits.push_back(on_system_time.try_acquire());
  permits.push_back(on_fake_time.try_acquire());
  for (Permit& permit : permits) permit.success();
  CHECK(on_system_time.stats().success_count == 1);
  CHECK(on_fake_time.stats().success_count == 1);
}

TEST_CASE("B1 each report is counted as what it says", "[B1]") {
  Breaker breaker{"b"};
  breaker.try_acquire().success();
  CHECK(counts_of(breaker) == Counts{1, 0, 0});
  breaker.try_acquire().failure();
  CHECK(counts_of(breaker) == Counts{1, 1, 0});
  breaker.try_acquire().ignore();
  CHECK(counts_of(breaker) == Counts{1, 1, 1});
  breaker.try_acquire().report(Outcome::success);
  CHECK(counts_of(breaker) == Counts{2, 1, 1});
  breaker.try_acquire().report(Outcome::failure);
  CHECK(counts_of(breaker) == Counts{2, 2, 1});
  breaker.try_acquire().report(Outcome::ignored);
  CHECK(counts_of(breaker) == Counts{2, 2, 2});
}

TEST_CASE("B1 the first report counts, later ones do nothing", "[B1]") {
  for (const Outcome first : {Outcome::success, Outcome::failure, Outcome::ignored}) {
    for (const Outcome later : {Outcome::success, Outcome::failure, Outcome::ignored}) {
      CAPTURE(to_string(first), to_string(later));
      Breaker breaker{"b"};
      Breaker once{"once"};
      {
        Permit permit = breaker.try_acquire();
        permit.report(first);
        for (int i = 0; i < 10; ++i) permit.report(later);
        once.try_acquire().report(first);
      }
      CHECK(counts_of(breaker) == counts_of(once));
      CHECK(breaker.state() == State::closed);
    }
  }
}

TEST_CASE("B1 a report does not change whether the permit was admitted", "[B1]") {
  Breaker breaker{"b"};
  Permit permit = breaker.try_acquire();
  CHECK(permit);
  permit.success();
  CHECK(permit);
}

TEST_CASE("B1 destruction without a report is ignore()", "[B1]") {
  Breaker breaker{"b", {.failure_threshold = 1, .success_threshold = 1}};
  {
    const Permit dropped = breaker.try_acquire();
  }
  CHECK(counts_of(breaker) == Counts{0, 0, 1});
  trip_and_wait(breaker);
  {
    const Permit dropped = breaker.try_acquire();
  }
  CHECK(breaker.state() == State::half_open);
  CHECK(counts_of(breaker) == Counts{0, 1, 2});
  CHECK(breaker.try_acquire());
}

TEST_CASE("B1 a permit that an exception destroys is ignored and frees its slot", "[B1]") {
  Breaker breaker{"b", {.failure_threshold = 1}};
  trip_and_wait(breaker);
  CHECK_THROWS_AS(
      [&] {
        const Permit lost = breaker.try_acquire();
        throw std::runtime_error{"lost"};
      }(),
      std::runtime_error);
  CHECK(breaker.state() == State::half_open);
  CHECK(breaker.stats().ignored_count == 1);
  CHECK(breaker.try_acquire());
}

TEST_CASE("B1 a refusal is false, and its reports do nothing", "[B1]") {
  for (const State state : {State::open, State::forced_open}) {
    Breaker breaker{"b", {.failure_threshold = 1}};
    support::bring_to(breaker, state);
    const Counts before = counts_of(breaker);
    {
      Permit refused = breaker.try_acquire();
      CHECK_FALSE(refused);
      refused.success();
      refused.failure();
      refused.ignore();
      refused.report(Outcome::failure);
      CHECK_FALSE(refused);
    }
    CHECK(counts_of(breaker) == before);
    CHECK(breaker.stats().rejected_count == 1);
    CHECK(breaker.state() == state);
  }
}

TEST_CASE("B1 a default-constructed permit is a refusal", "[B1]") {
  Permit permit;
  CHECK_FALSE(permit);
  permit.success();
  CHECK_FALSE(permit);
}

TEST_CASE("B1 a moved-from permit is a refusal, and the new one reports", "[B1]") {
  Breaker breaker{"b"};
  Permit first = breaker.try_acquire();
  {
    Permit second = std::move(first);
    CHECK(second);
    CHECK_FALSE(first);  // NOLINT(bugprone-use-after-move)
    first.failure();
    CHECK(counts_of(breaker) == Counts{});
    second.success();
    CHECK(counts_of(breaker) == Counts{1, 0, 0});
  }
  CHECK(counts_of(breaker) == Counts{1, 0, 0});
}

TEST_CASE("B1 a reported permit stays reported when it is moved", "[B1]") {
  Breaker breaker{"b"};
  Permit first = breaker.try_acquire();
  first.success();
  Permit second = std::move(first);
  CHECK(second);
  second.failure();
  CHECK(counts_of(breaker) == Counts{1, 0, 0});
}

TEST_CASE("B1 move assignment ignores the permit that it replaces, at once", "[B1]") {
  Breaker one{"one"};
  Breaker two{"two"};
  Permit permit = one.try_acquire();
  permit = two.try_acquire();
  CHECK(counts_of(one) == Counts{0, 0, 1});
  CHECK(permit);
  permit.success();
  CHECK(counts_of(one) == Counts{0, 0, 1});
  CHECK(counts_of(two) == Counts{1, 0, 0});
  permit = Permit{};
  CHECK_FALSE(permit);
  CHECK(counts_of(two) == Counts{1, 0, 0});
}

TEST_CASE("B1 assigning a refusal over a probe frees its slot", "[B1]") {
  Breaker breaker{"b", {.failure_threshold = 1}};
  trip_and_wait(breaker);
  Permit probe = breaker.try_acquire();
  CHECK(probe);
  probe = Permit{};
  CHECK(breaker.try_acquire());
}

TEST_CASE("B1 assigning a permit to itself leaves it as it is", "[B1]") {
  Breaker breaker{"b"};
  Permit permit = breaker.try_acquire();
  Permit& same = permit;
  permit = std::move(same);
  CHECK(permit);
  CHECK(counts_of(breaker) == Counts{});
  permit.failure();
  CHECK(counts_of(breaker) == Counts{0, 1, 0});
}

TEST_CASE("B1 permits can be swapped and stored", "[B1]") {
  Breaker one{"one"};
  Breaker two{"two"};
  Permit a = one.try_acquire();
  Permit b = two.try_acquire();
  std::swap(a, b);
  a.failure();
  b.success();
  CHECK(counts_of(one) == Counts{1, 0, 0});
  CHECK(counts_of(two) == Counts{0, 1, 0});
  std::vector<Permit> many;
  for (int i = 0; i < 100; ++i) many.push_back(one.try_acquire());
  for (Permit& permit : many) permit.success();
  many.clear();
  CHECK(counts_of(one) == Counts{101, 0, 0});
}

TEST_CASE("B1 a permit may be reported on another thread", "[B1]") {
  Breaker breaker{"b", {.failure_threshold = 1, .success_threshold = 1}};
  trip_and_wait(breaker);
  Permit probe = breaker.try_acquire();
  std::thread{[permit = std::move(probe)]() mutable { permit.success(); }}.join();
  CHECK(breaker.state() == State::closed);
  CHECK(counts_of(breaker) == Counts{1, 1, 0});
}

TEST_CASE("B1 a permit from a shared_ptr keeps its breaker alive until it is gone", "[B1]") {
  auto breaker = std::make_shared<Breaker>("b");
  const std::weak_ptr<Breaker> watch = breaker;
  {
    Permit permit = try_acquire(breaker);
    CHECK(permit);
    breaker.reset();
    REQUIRE_FALSE(watch.expired());
    permit.success();
    CHECK(watch.lock()->stats().success_count == 1);
  }
  CHECK(watch.expired());
}

TEST_CASE("B1 a dropped permit that keeps its breaker alive reports before it releases the breaker", "[B1]") {
  auto breaker = std::make_shared<Breaker>("b");
  const std::weak_ptr<Breaker> watch = breaker;
  Permit permit = try_acquire(std::move(breaker));
  REQUIRE_FALSE(watch.expired());
  Permit moved = std::move(permit);
  REQUIRE_FALSE(watch.expired());
  moved = Permit{};
  CHECK(watch.expired());
}

TEST_CASE("B1 a probe may close a breaker that only the probe keeps alive", "[B1]") {
  auto breaker =
      std::make_shared<Breaker>("b", CircuitBreakerConfig{.failure_threshold = 1, .success_threshold = 1});
  std::vector<State> seen;
  const auto subscription =
      breaker->on_state_change([&](const StateChange& change) { seen.push_back(change.to); });
  trip_and_wait(*breaker);
  Permit probe = try_acquire(breaker);
  const std::weak_ptr<Breaker> watch = breaker;
  breaker.reset();
  probe.success();
  CHECK(seen == std::vector<State>{State::open, State::half_open, State::closed});
  probe = Permit{};
  CHECK(watch.expired());
}

TEST_CASE("B1 a refusal from a shared_ptr keeps nothing alive", "[B1]") {
  auto breaker = std::make_shared<Breaker>("b");
  breaker->force_open();
  const std::weak_ptr<Breaker> watch = breaker;
  const Permit refused = try_acquire(breaker);
  CHECK_FALSE(refused);
  CHECK(breaker->stats().rejected_count == 1);
  breaker.reset();
  CHECK(watch.expired());
}

TEST_CASE("B1 a null shared_ptr gives a refusal", "[B1]") {
  Permit permit = try_acquire(std::shared_ptr<Breaker>{});
  CHECK_FALSE(permit);
  permit.success();
}

TEST_CASE("B1 a reported permit may outlive its breaker", "[B1]") {
  Permit permit;
  {
    Breaker breaker{"b"};
    permit = breaker.try_acquire();
    permit.success();
  }
  permit.failure();
  CHECK(permit);
}

#if defined(__unix__) && !defined(NDEBUG)
TEST_CASE("B1 debug builds assert that no permit outlives its breaker", "[B1]") {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const ::pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    std::signal(SIGABRT, SIG_DFL);
    ::dup2(ends[1], STDERR_FILENO);
    auto breaker = std::make_unique<Breaker>("b");
    const Permit permit = breaker->try_acquire();
    breaker.reset();
    ::_exit(0);
  }
  ::close(ends[1]);
  std::string said;
  char buffer[512];
  for (::ssize_t size = 0; (size = ::read(ends[0], buffer, sizeof buffer)) > 0;) {
    said.append(buffer, static_cast<std::size_t>(size));
  }
  ::close(ends[0]);
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFSIGNALED(status));
  CHECK(WTERMSIG(status) == SIGABRT);
  CHECK(said.find("a Permit outlives its breaker") != std::string::npos);
}
#endif
