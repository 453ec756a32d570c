// Where exceptions are off, what would be thrown ends the process, and says what was wrong.
#include <fusebox/circuit_breaker.hpp>
#include <fusebox/registry.hpp>
#include <fusebox/retry.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <csignal>
#include <string>

#include <sys/wait.h>
#include <unistd.h>

#include "reduced/check.hpp"
#include "support/expected.hpp"
#include "support/retry.hpp"

using namespace fusebox;
using namespace std::chrono_literals;

namespace {

/// What a child that aborts in f() writes to stderr; something else where it ends otherwise.
template <class F>
std::string last_words(F f) {
  int ends[2];
  if (::pipe(ends) != 0) return "no pipe";
  const ::pid_t child = ::fork();
  if (child == 0) {
    ::dup2(ends[1], STDERR_FILENO);
    f();
    ::_exit(0);
  }
  ::close(ends[1]);
  std::string text;
  char buffer[256];
  for (::ssize_t n; (n = ::read(ends[0], buffer, sizeof buffer)) > 0;)
    text.append(buffer, static_cast<std::size_t>(n));
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT ? text : "did not abort: " + text;
}

void refused_configs() {
  CHECK(last_words([] { CircuitBreaker<>{""}; }) ==
        "fusebox: CircuitBreaker.name must not be empty, got \"\"\n");
  CHECK(last_words([] { CircuitBreaker<>{"a", {.success_threshold = 0}}; }) ==
        "fusebox: CircuitBreakerConfig.success_threshold must be in [1, 65535], got 0\n");
  CHECK(last_words([] {
          CircuitBreakerRegistry<>{{.max_breakers = 0}};
        }).starts_with("fusebox: RegistryConfig.max_breakers must be "));
  CHECK(last_words([] {
          (void)try_retry_with_backoff(support::Flaky{}, {.multiplier = 0.5});
        }).starts_with("fusebox: RetryConfig.multiplier must be "));
  CHECK(last_words([] {
          test::FakeClock{}.advance(-1ns);
        }).starts_with("fusebox: FakeClock.advance duration must be at least 0"));
}

void a_value_that_is_not_there() {
  CircuitBreaker breaker{"a", {.failure_threshold = 1}, test::FakeClock{}};
  breaker.force_open();
  CHECK(last_words([&] {
          const auto rejected = breaker.execute([] { return try_retry_with_backoff(support::Flaky{}); });
          CHECK(!rejected.has_value());
          (void)rejected.value();
        }).starts_with("fusebox: "));
}

}  // namespace

int main() {
  refused_configs();
  a_value_that_is_not_there();
  return reduced::report();
}
