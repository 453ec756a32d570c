// examples/pipeline.cpp: a checkout whose payment service is slow, then dead, then recovers. Five policies
// around one call say what they do. Time is that of a FakeClock: more than two minutes pass at once.
#include <fusebox/fusebox.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <chrono>
#include <random>
#include <string>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "support/arguments.hpp"
#include "support/terminal.hpp"

using namespace std::chrono_literals;
using support::Tone;

namespace {

const fusebox::test::FakeClock fake_clock;
const auto opening = fake_clock.now();

template <class... Args>
void tell(Tone tone, fmt::format_string<Args...> format, Args&&... args) {
  const std::chrono::duration<double> time = fake_clock.now() - opening;
  support::print_line(tone, fmt::format("{:6.1f} s  ", time.count()),
                      fmt::format(format, std::forward<Args>(args)...));
}

/// The payment service. It notices that the caller gives up, as a client with a stop token does.
std::string charge(const fusebox::Call& call) {
  const auto time = fake_clock.now() - opening;
  const bool slow = time >= 20s && time < 100s;
  if (time >= 50s && time < 80s) throw std::system_error{make_error_code(std::errc::connection_refused)};
  if (!fake_clock.sleep_for(slow ? 4s : 200ms, call.stop_token())) throw fusebox::CancelledError{};
  return "paid";
}

}  // namespace

int main(int argc, char** argv) {
  support::Arguments{"A checkout whose payment service is slow, then dead, then recovers."}.parse(argc, argv);

  fusebox::RetryBudget budget{"payments", {.ratio = 0.2, .min_per_second = 0, .reserve = 3}, fake_clock};
  fusebox::CircuitBreaker breaker{
      "payments", {.failure_threshold = 4, .success_threshold = 2, .reset_timeout = 15s}, fake_clock};
  auto in_all = fusebox::total_timeout(6s, fake_clock);
  auto each = fusebox::attempt_timeout(2s, fake_clock);

  // The outermost first: each line is around all lines below it.
  const auto payment =
      compose(fusebox::fallback([](const fusebox::Failure& failure) -> std::string {
                tell(Tone::warning, "    fallback, since {}", failure);
                return "order accepted, to be paid later";
              }),
              in_all,
              fusebox::retry({.max_retries = 2, .base_delay = 500ms}, budget, fake_clock,
                             fusebox::with_random(std::minstd_rand{1}),
                             fusebox::on_retry([](int attempt, const fusebox::Failure& failure, auto wait) {
                               tell(Tone::warning, "    retry: attempt {} failed, {}; next in {} ms", attempt,
                                    failure, support::in_ms(wait));
                             }),
                             fusebox::on_give_up([](const fusebox::RetryStats& stats) {
                               tell(Tone::bad, "    retry: given up after attempt {}, {}", stats.attempts,
                                    stats.stop_reason);
                             })),
              breaker, each);
  fmt::print("{}", explain(payment));

  const auto changes = breaker.on_state_change(
      [](const fusebox::StateChange& change) { tell(Tone::bad, "  * breaker {}", change); });
  const auto edges = budget.on_event([](const fusebox::RetryBudgetEvent& event) {
    tell(Tone::bad, "  * retry budget {}: {}", event.name, to_string(event.kind));
  });

  const std::pair<std::chrono::seconds, const char*> scenes[] = {
      {0s, "The payment service answers within 200 ms"},
      {20s, "It is slow: 4 s, twice the limit of an attempt"},
      {50s, "It is dead: connections are refused"},
      {80s, "It is back, but slow"},
      {100s, "It has recovered"}};
  const auto* scene = scenes;
  for (int order = 1; order <= 14; ++order) {
    const auto time = fake_clock.now() - opening;
    if (scene != std::end(scenes) && time >= scene->first) support::scene(scene++->second);
    tell(Tone::plain, "order {}", order);
    const std::string answer = payment.execute(charge);
    tell(answer == "paid" ? Tone::good : Tone::plain, "order {}: {}", order, answer);
    fake_clock.advance(order * 10s - (fake_clock.now() - opening));
  }

  support::scene("What each layer did");
  tell(Tone::plain, "total timeout: ended {} of {} calls", in_all.stats().timed_out, in_all.stats().calls);
  tell(Tone::plain, "retry budget: {} retries, {} refused", budget.stats().withdrawn, budget.stats().refused);
  tell(Tone::plain, "breaker: {}", breaker.stats());
  tell(Tone::plain, "attempt timeout: ended {} of {}", each.stats().timed_out, each.stats().calls);
}
