// A hedge without exceptions: the first success, failed values, the error of a stop in op's result, a budget.
#include <fusebox/hedge.hpp>
#include <fusebox/retry_budget.hpp>

#include <atomic>
#include <chrono>
#include <memory>
#include <stop_token>
#include <system_error>

#include "reduced/check.hpp"
#include "support/expected.hpp"

using namespace fusebox;
using namespace std::chrono_literals;

namespace {

void first_success() {
  auto policy = hedge({.delay = no_timeout, .max_hedges = 2});
  const auto copies = std::make_shared<std::atomic<int>>(0);
  const auto code = policy.execute(
      [copies] { return (*copies)++ < 2 ? std::make_error_code(std::errc::timed_out) : std::error_code{}; });
  CHECK(!code);
  CHECK(policy.stats().won_by_hedge == 1);
  CHECK(policy.stats().started == 2);
}

void all_fail() {
  RetryBudget<> budget{{.ratio = 0, .min_per_second = 0, .reserve = 1}};
  auto policy = hedge({.delay = no_timeout, .max_hedges = 5}, budget);
  const auto copies = std::make_shared<std::atomic<int>>(0);
  const auto result = policy.execute([copies] {
    return support::Expected<int, std::error_code>{
        support::Unexpected<std::error_code>{std::error_code{++*copies, std::generic_category()}}};
  });
  CHECK(!result.has_value());
  CHECK(result.error().value() == 1);
  CHECK(*copies == 2);
  CHECK(policy.stats().refused == 1);
}

void stopped() {
  auto policy = hedge({.delay = 0s});
  std::stop_source source;
  source.request_stop();
  const auto code = policy.execute([](std::stop_token) { return std::error_code{}; }, source.get_token());
  CHECK(code == PolicyErrc::cancelled);
}

}  // namespace

int main() {
  first_success();
  all_fail();
  stopped();
  return reduced::report();
}
