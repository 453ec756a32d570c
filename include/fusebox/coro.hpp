// fusebox/coro.hpp: policies for coroutines, of any kind and any framework.
//
//   coro/task_traits.hpp   task_traits, what a policy must know of a coroutine type
//   coro/clock.hpp         AsyncClock, a clock whose sleep is awaited
//
// With this header included, execute() of every policy and of a Pipeline, retry_with_backoff() and
// try_retry_with_backoff() accept an op that returns a task, and return a task of the same kind (rules A1 to
// A10 in docs/rules.md):
//
//     Task<Order> order = breaker.execute(fetch_order);
//     Task<RetryResult<Order>> order = retry_with_backoff(fetch_order, retry_presets::quick, clock);
//
// Nothing has happened until the task runs. Its frame keeps op, a fallback and the options: moved, or copied
// from lvalues. Policies are kept by reference; by std::shared_ptr if that is how they are held.
//
// g++ 12 destroys twice a lambda with captures that is written inside a statement with co_await: name it
// first.
#pragma once

#include <fusebox/coro/clock.hpp>  // IWYU pragma: export
#include <fusebox/coro/detail/run.hpp>
#include <fusebox/coro/task_traits.hpp>  // IWYU pragma: export
