// async_gateway/upstreams.hpp: the services that the gateway calls, on loopback and on the same thread. They
// speak as much HTTP as the gateway does.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <asio.hpp>

namespace upstreams {

using asio::ip::tcp;

/// What a service does with one request.
struct Reply {
  std::chrono::milliseconds delay;
  int status = 200;
};

/// What a service does with its n-th request, n = 1, 2, …
using Plan = std::function<Reply(int n)>;

inline asio::awaitable<void> answer(tcp::socket socket, Reply reply) {
  std::string request;
  co_await asio::async_read_until(socket, asio::dynamic_buffer(request), "\r\n\r\n", asio::use_awaitable);
  asio::steady_timer timer{socket.get_executor(), reply.delay};
  co_await timer.async_wait(asio::use_awaitable);
  const std::string_view text = reply.status == 200 ? "fresh" : "out of order";
  const std::string response =
      fmt::format("HTTP/1.0 {} -\r\nContent-Length: {}\r\n\r\n{}", reply.status, text.size(), text);
  co_await asio::async_write(socket, asio::buffer(response), asio::use_awaitable);
}

inline asio::awaitable<void> listen(tcp::acceptor acceptor, Plan plan) {
  for (int n = 1;; ++n) {
    tcp::socket socket = co_await acceptor.async_accept(asio::use_awaitable);
    const asio::any_io_executor executor = acceptor.get_executor();
    co_spawn(executor, answer(std::move(socket), plan(n)), asio::detached);
  }
}

/// Starts a service; where it listens.
inline tcp::endpoint start(asio::io_context& context, Plan plan) {
  tcp::acceptor acceptor{context, {asio::ip::address_v4::loopback(), 0}};
  const tcp::endpoint endpoint = acceptor.local_endpoint();
  co_spawn(context, listen(std::move(acceptor), std::move(plan)), asio::detached);
  return endpoint;
}

}  // namespace upstreams
