// async_gateway/gateway.hpp: an upstream as the gateway sees it: a request to it, the policies around each
// request, and what is counted.
#pragma once

#include <fusebox/adapters/asio.hpp>
#include <fusebox/fusebox.hpp>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <stop_token>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <asio.hpp>

namespace gateway {

using namespace std::chrono_literals;
using asio::ip::tcp;

/// One HTTP request: the body of the response. Throws if it fails; hangs up if `stop` is stopped.
inline asio::awaitable<std::string> get(tcp::endpoint endpoint, std::stop_token stop) {
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  const auto socket = std::make_shared<tcp::socket>(executor);
  // A stop comes from the thread that ends limits; the socket belongs to this one.
  const auto hang_up = [executor, socket] { asio::post(executor, [socket] { socket->close(); }); };
  const std::stop_callback on_stop{stop, hang_up};

  co_await socket->async_connect(endpoint, asio::use_awaitable);
  const std::string request = "GET / HTTP/1.0\r\n\r\n";
  co_await asio::async_write(*socket, asio::buffer(request), asio::use_awaitable);
  std::string response;
  asio::error_code error;
  co_await asio::async_read(*socket, asio::dynamic_buffer(response),
                            asio::redirect_error(asio::use_awaitable, error));
  if (error && error != asio::error::eof) throw std::system_error{error};

  const std::string start = "HTTP/1.0 ";
  const int status = response.starts_with(start) ? std::atoi(response.c_str() + start.size()) : 502;
  if (status != 200)
    throw fusebox::ApiError{fusebox::ErrorCode{status}, fmt::format("the upstream answered {}", status)};
  co_return response.substr(response.find("\r\n\r\n") + 4);
}

/// These need no lock: all coroutines run on one thread.
struct Counts {
  int calls = 0;
  int retries = 0;
  int fallbacks = 0;
  std::vector<std::chrono::duration<double, std::milli>> durations;
};

using Breaker = fusebox::CircuitBreaker<>;
using Total = decltype(fusebox::total_timeout(1s));
using Attempt = decltype(fusebox::attempt_timeout(1s));

/// The policies around each call, the outermost first.
inline auto make_calls(Counts& counts, Total& total, Breaker& breaker, Attempt& attempt) {
  const auto copy = [&counts] {
    ++counts.fallbacks;
    return std::string{"a copy"};
  };
  const auto count = [&counts](int, const fusebox::Failure&, auto) { ++counts.retries; };
  const fusebox::RetryConfig twice{.max_retries = 2, .base_delay = 40ms, .max_delay = 1s};
  return compose(fusebox::fallback(copy), total, fusebox::retry(twice, fusebox::on_retry(count)), breaker,
                 attempt);
}

class Upstream {
 public:
  Upstream(std::string name, tcp::endpoint endpoint, std::chrono::milliseconds attempt_limit)
      : endpoint_{endpoint},
        total_{4 * attempt_limit},
        breaker_{std::move(name), {.failure_threshold = 20, .success_threshold = 1, .reset_timeout = 200ms}},
        attempt_{attempt_limit} {}

  /// One call: what the upstream answers, else a copy.
  asio::awaitable<std::string> call() {
    const auto began = std::chrono::steady_clock::now();
    // A name of its own: g++ 12 destroys twice a lambda with captures inside a statement with co_await.
    const auto op = [this](std::stop_token stop) { return get(endpoint_, std::move(stop)); };
    std::string text = co_await calls_.execute(op);
    ++counts_.calls;
    counts_.durations.push_back(std::chrono::steady_clock::now() - began);
    co_return text;
  }

  [[nodiscard]] const std::string& name() const { return breaker_.name(); }
  [[nodiscard]] const Counts& counts() const { return counts_; }
  [[nodiscard]] fusebox::CircuitBreakerStats breaker() const { return breaker_.stats(); }
  [[nodiscard]] std::uint64_t timeouts() const {
    return total_.stats().timed_out + attempt_.stats().timed_out;
  }
  [[nodiscard]] std::string explain() const { return fusebox::explain(calls_); }

 private:
  tcp::endpoint endpoint_;
  Counts counts_;
  Total total_;
  Breaker breaker_;
  Attempt attempt_;
  decltype(make_calls(counts_, total_, breaker_, attempt_)) calls_ =
      make_calls(counts_, total_, breaker_, attempt_);
};

}  // namespace gateway
