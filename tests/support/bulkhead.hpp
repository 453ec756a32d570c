// support/bulkhead.hpp: a bulkhead on a fake clock, and calls that wait for it on threads of their own.
#pragma once

#include <fusebox/bulkhead.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <cstddef>
#include <thread>
#include <utility>
#include <vector>

namespace support {

using FakeBulkhead = fusebox::Bulkhead<fusebox::test::FakeClock>;
using BulkheadEvents = std::vector<fusebox::BulkheadEvent>;

/// Runs `call` on a thread, and returns once it sleeps in the queue of the bulkhead, whose clock must be
/// manual. `call` must leave Catch2's assertions to the caller.
template <class Call>
[[nodiscard]] std::jthread start_waiting(const FakeBulkhead& bulkhead, Call call) {
  const auto sleepers = static_cast<std::size_t>(bulkhead.stats().waiting);
  std::jthread thread{std::move(call)};
  bulkhead.clock().wait_for_sleepers(sleepers + 1);
  return thread;
}

[[nodiscard]] inline fusebox::Subscription record(FakeBulkhead& bulkhead, BulkheadEvents& events) {
  return bulkhead.on_event([&events](const fusebox::BulkheadEvent& event) { events.push_back(event); });
}

}  // namespace support
