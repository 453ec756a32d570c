#include <fusebox/retry.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <chrono>
#include <tuple>

#include "catch.hpp"
#include "support/retry.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using detail::RetryTable;

namespace {

template <class... Options>
constexpr const RetryTable& table_of(const Options&...) {
  return detail::retry_table<detail::RetryPack<typename detail::Referred<const Options>::type...>>;
}

}  // namespace

TEST_CASE("R17 a table has a function for each option given, and none for others", "[R17]") {
  const RetryTable& none = detail::no_retry_options;
  CHECK((none.clock == nullptr && none.sleep == nullptr && none.accepts == nullptr && none.delay == nullptr));
  CHECK((none.random == nullptr && none.withdraw == nullptr && none.on_retry == nullptr));
  const RetryTable& accepting = table_of(retry_if([](const Failure&) { return true; }));
  CHECK((accepting.accepts != nullptr && accepting.clock == nullptr && accepting.on_give_up == nullptr));
  const RetryTable& clocked = table_of(test::FakeClock{}, linear(1s));
  CHECK((clocked.clock != nullptr && clocked.sleep != nullptr && clocked.wall_now != nullptr));
  CHECK((clocked.delay != nullptr && clocked.accepts == nullptr));
}

TEST_CASE("R13 a table has deposit and give_back if the budget has them", "[R13]") {
  struct Bare {
    bool try_withdraw() { return true; }
  };
  struct Full {
    bool try_withdraw(const Failure&) { return true; }
    void deposit() {}
    void give_back() {}
  };
  const RetryTable& bare = detail::retry_table<detail::RetryPack<Bare&>>;
  CHECK((bare.withdraw != nullptr && bare.deposit == nullptr && bare.give_back == nullptr));
  const RetryTable& full = detail::retry_table<detail::RetryPack<Full&>>;
  CHECK((full.withdraw != nullptr && full.deposit != nullptr && full.give_back != nullptr));
}

TEST_CASE("R9 a pack refers to its options but copies a generator that was given by value", "[R9]") {
  test::FakeClock clock;
  auto random = with_random(support::Script{{1, 2, 3}});
  using Pack =
      detail::RetryPack<detail::Referred<test::FakeClock>::type, detail::Referred<decltype(random)>::type>;
  Pack pack{std::tuple<test::FakeClock&, decltype(random)>{clock, random}};
  const RetryTable& table = detail::retry_table<Pack>;
  CHECK(table.random(&pack) == 1);
  CHECK(table.random(&pack) == 2);
  CHECK(random.generator.draws() == 0);
  CHECK(table.clock(&pack) == detail::ClockRef{clock});
}
