// examples/async_gateway: 1,000 visitors call three services at once, over real sockets, on one thread. One
// service is well, one is out of order at first, one answers some requests too late. gateway.hpp has the
// policies around the calls and the call itself, upstreams.hpp the services.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <fstream>
#include <string>

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>
#include <asio.hpp>

#include "gateway.hpp"
#include "support/arguments.hpp"
#include "support/terminal.hpp"
#include "upstreams.hpp"

using namespace std::chrono_literals;
using gateway::Upstream;
using upstreams::Reply;

namespace {

constexpr int visitors = 1'000;
constexpr int calls_each = 5;

/// The visitors, and how many of them wait for an answer.
struct Crowd {
  int still_here = visitors;
  int waiting = 0;
  int most_waiting = 0;
};

/// One of the 1,000 coroutines: some calls, with pauses between them.
asio::awaitable<void> visit(asio::io_context& context, Upstream& upstream, Crowd& crowd, int number) {
  asio::steady_timer pause{context};
  for (int i = 0; i < calls_each; ++i) {
    crowd.most_waiting = std::max(crowd.most_waiting, ++crowd.waiting);
    const std::string text = co_await upstream.call();
    --crowd.waiting;
    pause.expires_after(200ms + (number * 7 + i * 31) % 200 * 1ms);
    co_await pause.async_wait(asio::use_awaitable);
  }
  if (--crowd.still_here == 0) context.stop();
}

/// One line, again and again, for a terminal.
asio::awaitable<void> show_progress(std::array<Upstream, 3>& all, const Crowd& crowd) {
  asio::steady_timer timer{co_await asio::this_coro::executor};
  for (;;) {
    fmt::print("\r{}{:4} in flight", support::time_stamp(), crowd.waiting);
    for (const Upstream& upstream : all) {
      const fusebox::State state = upstream.breaker().state;
      fmt::print(" | {} {}{}", upstream.name(), upstream.counts().calls,
                 state == fusebox::State::closed ? "" : fmt::format(" {}", state));
    }
    fmt::print("\033[K");  // to the end of the line: what the longer one before has left
    std::fflush(stdout);
    timer.expires_after(50ms);
    co_await timer.async_wait(asio::use_awaitable);
  }
}

void print_table(std::array<Upstream, 3>& all) {
  fmt::print("{:9} {:>6} {:>8} {:>8} {:>9} {:>9} {:>9} {:>10} {:>10} {:>7}  {}\n", "upstream", "calls",
             "answered", "retries", "rejected", "timeouts", "fallback", "p50", "p99", "opened", "breaker");
  for (const Upstream& upstream : all) {
    const gateway::Counts& counts = upstream.counts();
    auto durations = counts.durations;
    std::ranges::sort(durations);
    const fusebox::CircuitBreakerStats breaker = upstream.breaker();
    fmt::print("{:9} {:6} {:8} {:8} {:9} {:9} {:9} {:7.1f} ms {:7.1f} ms {:7}  {}\n", upstream.name(),
               counts.calls, counts.calls - counts.fallbacks, counts.retries, breaker.rejected_count,
               upstream.timeouts(), counts.fallbacks, durations[durations.size() / 2].count(),
               durations[durations.size() * 99 / 100].count(), breaker.opened_count, breaker.state);
  }
}

/// How many threads this process has, if the system says so.
std::string thread_count() {
  std::ifstream status{"/proc/self/status"};
  for (std::string word; status >> word;) {
    if (word == "Threads:" && status >> word) return "; threads of the process: " + word;
  }
  return {};
}

/// Two sockets for each visitor, one here and one in the service: more than many systems allow unless asked.
bool allow_sockets(rlim_t count) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return false;
  limit.rlim_cur = std::max(limit.rlim_cur, count);
  return ::setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

}  // namespace

int main(int argc, char** argv) {
  support::Arguments{"1,000 concurrent calls to three services, on one thread."}.parse(argc, argv);
  if (!allow_sockets(2 * visitors + 100)) {
    fmt::print(stderr, "async_gateway: more than {} open files are not allowed; see ulimit -n\n",
               2 * visitors);
    return 1;
  }

  asio::io_context context{1};
  const auto healthy = [](int n) { return Reply{5ms + n % 20 * 1ms}; };
  const auto out_of_order_at_first = [](int n) { return Reply{5ms, n <= visitors / 3 + 1 ? 503 : 200}; };
  const auto slow = [](int n) { return Reply{n % 10 == 0 ? 1min : 20ms}; };
  std::array<Upstream, 3> all{Upstream{"catalog", upstreams::start(context, healthy), 30s},
                              Upstream{"payments", upstreams::start(context, out_of_order_at_first), 30s},
                              Upstream{"reviews", upstreams::start(context, slow), 1s}};
  fmt::print("The policies around each call of reviews:\n{}\n", all[2].explain());

  Crowd crowd;
  for (int i = 0; i < visitors; ++i)
    co_spawn(context, visit(context, all[static_cast<std::size_t>(i) % 3], crowd, i), asio::detached);
  const bool is_terminal = ::isatty(STDOUT_FILENO) == 1;
  if (is_terminal) co_spawn(context, show_progress(all, crowd), asio::detached);
  const auto began = std::chrono::steady_clock::now();
  context.run();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;

  if (is_terminal) fmt::print("\n\n");
  print_table(all);
  fmt::print("\n{} calls in {:.1f} s, up to {} at once{}\n", visitors * calls_each, took.count(),
             crowd.most_waiting, thread_count());
}
