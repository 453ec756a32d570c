#include <fusebox/detail/budget.hpp>

#include <memory>
#include <system_error>

#include "catch.hpp"

using namespace fusebox;

namespace {

struct Plain {
  bool permits = true;
  bool try_withdraw() const { return permits; }
};
struct Asking {
  int calls = 0;
  int deposits = 0;
  int returned = 0;
  int failures = 0;
  bool try_withdraw(const Failure& failure) const { return failure.code() == std::errc::timed_out; }
  void on_call() { ++calls; }
  void deposit() { ++deposits; }
  void give_back() { ++returned; }
  void on_failure(const Failure& /*failure*/) { ++failures; }
};
struct None {};
template <class B>
concept HasOnCall = requires(B& budget) { budget.on_call(); };

const Failure timed_out{std::make_error_code(std::errc::timed_out)};
const Failure refused{std::make_error_code(std::errc::connection_refused)};

}  // namespace

TEST_CASE("R6 a budget is asked in the way that it has", "[R6]") {
  STATIC_REQUIRE(detail::IsBudget<Plain>::value);
  STATIC_REQUIRE(detail::IsBudget<Asking>::value);
  STATIC_REQUIRE_FALSE(detail::IsBudget<None>::value);
  STATIC_REQUIRE(detail::IsSharedBudget<std::shared_ptr<Plain>>::value);
  STATIC_REQUIRE_FALSE(detail::IsSharedBudget<std::shared_ptr<None>>::value);
  Plain plain;
  CHECK(detail::withdraw_from(plain, refused));
  plain.permits = false;
  CHECK_FALSE(detail::withdraw_from(plain, timed_out));
  Asking asking;
  CHECK(detail::withdraw_from(asking, timed_out));
  CHECK_FALSE(detail::withdraw_from(asking, refused));
}

TEST_CASE("R6 a budget that is kept alive has the members of what it keeps", "[R6]") {
  const auto asking = std::make_shared<Asking>();
  detail::SharedBudget<Asking> shared{asking};
  CHECK(shared.try_withdraw(timed_out));
  CHECK_FALSE(shared.try_withdraw(refused));
  shared.on_call();
  shared.deposit();
  shared.give_back();
  shared.on_failure(refused);
  CHECK(asking->calls + asking->deposits + asking->returned + asking->failures == 4);
  STATIC_REQUIRE_FALSE(HasOnCall<detail::SharedBudget<Plain>>);
  STATIC_REQUIRE(HasOnCall<detail::SharedBudget<Asking>>);
}
