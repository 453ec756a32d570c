#include <fusebox/bulkhead.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <barrier>
#include <chrono>
#include <cstddef>
#include <memory>
#include <stop_token>
#include <thread>
#include <vector>

#include "catch.hpp"
#include "support/bulkhead.hpp"
#include "support/threads.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using support::FakeBulkhead;
using support::run_together;
using support::start_waiting;

namespace {

constexpr int thread_count = 8;
constexpr int rounds = 200;

}  // namespace

TEST_CASE("K1 of calls that come together exactly as many are admitted as there are slots", "[K1]") {
  FakeBulkhead bulkhead{"b", {.max_concurrent = 3}};
  for (int round = 1; round <= rounds; ++round) {
    std::array<Permit, thread_count> permits;
    run_together(thread_count, [&](int i) { permits[static_cast<std::size_t>(i)] = bulkhead.try_acquire(); });
    REQUIRE(std::count_if(permits.begin(), permits.end(), [](const Permit& p) { return bool{p}; }) == 3);
    run_together(thread_count, [&](int i) { permits[static_cast<std::size_t>(i)].success(); });
    REQUIRE(bulkhead.stats().in_use == 0);
    REQUIRE(bulkhead.stats().admitted == 3U * static_cast<unsigned>(round));
    REQUIRE(bulkhead.stats().rejected == 5U * static_cast<unsigned>(round));
  }
}

TEST_CASE("K1 what a call wrote the next one with its slot sees", "[K1]") {
  Bulkhead<> bulkhead{"b", {.max_concurrent = 1, .max_waiting = thread_count}};
  int plain = 0;  // nothing else orders the accesses
  run_together(thread_count, [&](int /*i*/) {
    for (int i = 0; i < 500; ++i) bulkhead.execute([&] { ++plain; });
  });
  CHECK(plain == thread_count * 500);
  CHECK(bulkhead.stats().admitted == thread_count * 500);
  CHECK(bulkhead.stats().rejected == 0);
  CHECK(bulkhead.stats().in_use == 0);
}

TEST_CASE("K3 a slot that comes back while the waiter's token is stopped is neither lost nor held twice",
          "[K3][K8]") {
  FakeBulkhead bulkhead{"b", {.max_concurrent = 1, .max_waiting = 1}, test::FakeClock::manual()};
  int admitted = 0;
  for (int round = 0; round < rounds; ++round) {
    Permit held = bulkhead.try_acquire();
    REQUIRE(held);
    std::stop_source stop;
    Permit handed;
    std::jthread waiting = start_waiting(bulkhead, [&] { handed = bulkhead.acquire(stop.get_token()); });
    run_together(2, [&](int i) {
      if (i == 0) held.success();
      if (i == 1) stop.request_stop();
    });
    waiting.join();
    REQUIRE(bulkhead.stats().in_use == (handed ? 1 : 0));
    REQUIRE(bulkhead.stats().waiting == 0);
    REQUIRE(bool{bulkhead.try_acquire()} != bool{handed});
    admitted += handed ? 1 : 0;
  }
  CAPTURE(admitted);
  CHECK(bulkhead.stats().in_use == 0);
}

TEST_CASE("K3 a slot that comes back while the wait times out is neither lost nor held twice", "[K3][K8]") {
  FakeBulkhead bulkhead{
      "b", {.max_concurrent = 1, .max_waiting = 1, .max_wait = 1s}, test::FakeClock::manual()};
  for (int round = 0; round < rounds; ++round) {
    Permit held = bulkhead.try_acquire();
    REQUIRE(held);
    Permit handed;
    std::jthread waiting = start_waiting(bulkhead, [&] { handed = bulkhead.acquire(); });
    run_together(2, [&](int i) {
      if (i == 0) held.success();
      if (i == 1) bulkhead.clock().advance(1s);
    });
    waiting.join();
    REQUIRE(bulkhead.stats().in_use == (handed ? 1 : 0));
    REQUIRE(bool{bulkhead.try_acquire()} != bool{handed});
  }
}

TEST_CASE("K6 a limit that moves while calls come and go is kept", "[K6]") {
  Bulkhead<> bulkhead{"b", {.max_concurrent = 1, .max_waiting = thread_count}};
  std::atomic<int> inside{0};
  std::atomic<int> most{0};
  run_together(thread_count, [&](int i) {
    for (int call = 0; call < 300; ++call) {
      if (i == 0) {
        bulkhead.set_limit(1 + call % 4);
        continue;
      }
      bulkhead.execute([&] {
        const int now = inside.fetch_add(1) + 1;
        int seen = most.load();
        while (seen < now && !most.compare_exchange_weak(seen, now)) {
        }
        inside.fetch_sub(1);
      });
    }
  });
  CHECK(most <= 4);
  CHECK(bulkhead.stats().in_use == 0);
  CHECK(bulkhead.stats().waiting == 0);
  CHECK(bulkhead.stats().admitted == (thread_count - 1) * 300);
}

TEST_CASE("K10 saturated and free alternate, whichever threads cause them", "[K10]") {
  FakeBulkhead bulkhead{"b", {.max_concurrent = 2}};
  std::vector<BulkheadEventKind> kinds;
  {
    const Subscription subscription =
        bulkhead.on_event([&](const BulkheadEvent& event) { kinds.push_back(event.kind); });
    run_together(thread_count, [&](int /*i*/) {
      for (int i = 0; i < 500; ++i) static_cast<void>(bulkhead.try_acquire());
    });
  }
  REQUIRE(kinds.size() % 2 == 0);
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    REQUIRE(kinds[i] == (i % 2 == 0 ? BulkheadEventKind::saturated : BulkheadEventKind::free));
  }
}

TEST_CASE("K9 permits of a shared bulkhead may be the last to hold it, on any thread", "[K9]") {
  for (int round = 0; round < rounds; ++round) {
    auto bulkhead = std::make_shared<FakeBulkhead>("b", BulkheadConfig{.max_concurrent = thread_count});
    const std::weak_ptr<FakeBulkhead> watched = bulkhead;
    std::array<Permit, thread_count> permits;
    for (Permit& permit : permits) permit = try_acquire(bulkhead);
    bulkhead.reset();
    run_together(thread_count, [&](int i) { permits[static_cast<std::size_t>(i)] = {}; });
    REQUIRE(watched.expired());
  }
}
