// support/upstream.hpp: an external service: a small HTTP server that misbehaves by a script.
#pragma once

#include <atomic>
#include <chrono>
#include <deque>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

#include <httplib.h>

#include "support/server_thread.hpp"

namespace support {

/// The answer to one request.
struct Reply {
  int status = 200;
  std::string body = {};
  std::optional<int> retry_after = std::nullopt;  // seconds
  std::chrono::nanoseconds delay{0};

  static Reply ok(std::string body = R"({"ok":true})") { return {.body = std::move(body)}; }
  static Reply moved() { return {.status = 302}; }
  static Reply not_found() { return {.status = 404}; }
  static Reply busy(std::optional<int> retry_after = std::nullopt) {
    return {.status = 503, .retry_after = retry_after};
  }
  static Reply slow(std::chrono::nanoseconds delay) { return {.delay = delay}; }
  static Reply garbage() { return {.body = "<html>Welcome to the airport's network</html>"}; }
};

class Upstream {
 public:
  Upstream() : reserved_{::socket(AF_INET, SOCK_STREAM, 0)} {
    // It has no routes, so every request ends here, read to its end. A route for every path would be a
    // std::regex, which needs the more stack the longer the path is.
    server_.set_error_handler(
        [this](const httplib::Request&, httplib::Response& response) { write(response); });
    server_.set_payload_max_length(64 * 1024);
    reserve_port();
    come_up();
  }
  Upstream(const Upstream&) = delete;
  Upstream& operator=(const Upstream&) = delete;
  ~Upstream() {
    go_down();
    ::close(reserved_);
  }

  int port() const { return port_; }

  /// One reply for each following request; the last one is repeated.
  void play(std::deque<Reply> script) {
    const std::lock_guard lock{mutex_};
    script_ = std::move(script);
  }

  /// From now on connections are refused.
  void go_down() {
    going_down_ = true;
    running_.reset();
    going_down_ = false;
  }
  void come_up() {
    if (!running_) running_.emplace(server_, port_);
  }

 private:
  /// Bound, but never listening: while the service is down, connections to its port are refused, and no
  /// other process can take the port.
  void reserve_port() {
    const int yes = 1;
    ::sockaddr_in address{};
    ::socklen_t size = sizeof address;
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* const any_address = reinterpret_cast<::sockaddr*>(&address);
    ::setsockopt(reserved_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (::bind(reserved_, any_address, size) != 0 || ::getsockname(reserved_, any_address, &size) != 0) {
      throw std::runtime_error{"no free port on 127.0.0.1"};
    }
    port_ = ntohs(address.sin_port);
  }

  Reply next_reply() {
    const std::lock_guard lock{mutex_};
    Reply reply = script_.front();
    if (script_.size() > 1) script_.pop_front();
    return reply;
  }

  void write(httplib::Response& response) {
    const Reply reply = next_reply();
    const auto end = std::chrono::steady_clock::now() + reply.delay;
    while (std::chrono::steady_clock::now() < end && !going_down_) {
      std::this_thread::sleep_for(std::chrono::milliseconds{10});
    }
    response.status = reply.status;
    response.set_content(reply.body, "application/json");
    if (reply.retry_after) response.set_header("Retry-After", std::to_string(*reply.retry_after));
  }

  socket_t reserved_;
  int port_ = 0;
  std::mutex mutex_;
  std::deque<Reply> script_{Reply::ok()};
  std::atomic<bool> going_down_{false};
  httplib::Server server_;
  std::optional<ServerThread> running_;
};

}  // namespace support
