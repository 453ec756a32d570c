// support/station.hpp: a weather station: a small TCP server that sends its temperature to who connects.
#pragma once

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <string_view>
#include <thread>
#include <vector>

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace support {

class Station {
 public:
  enum class Mood {
    well,    // answers
    flaky,   // closes every other connection without an answer
    silent,  // never answers
    down,    // refuses connections
  };

  explicit Station(Mood mood) : mood_{mood}, listener_{::socket(AF_INET, SOCK_STREAM, 0)} {
    ::sockaddr_in address{};
    ::socklen_t size = sizeof address;
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* const any_address = reinterpret_cast<::sockaddr*>(&address);
    if (::bind(listener_, any_address, size) != 0 || ::getsockname(listener_, any_address, &size) != 0)
      throw std::runtime_error{"no free port on 127.0.0.1"};
    address_ = address;
    if (mood == Mood::down) return;  // bound, but not listening
    ::listen(listener_, 100);
    thread_ = std::thread{[this] { serve(); }};
  }
  Station(const Station&) = delete;
  Station& operator=(const Station&) = delete;
  ~Station() {
    ending_ = true;
    if (thread_.joinable()) thread_.join();
    for (const int connection : open_) ::close(connection);
    ::close(listener_);
  }

  const ::sockaddr_in& address() const { return address_; }

 private:
  void serve() {
    constexpr std::string_view answer = "21.5\n";
    for (int number = 1; !ending_;) {
      ::pollfd listener{listener_, POLLIN, 0};
      if (::poll(&listener, 1, 20) <= 0) continue;
      const int connection = ::accept(listener_, nullptr, nullptr);
      if (connection < 0) continue;
      if (mood_ == Mood::silent) {
        open_.push_back(connection);
        continue;
      }
      const bool answers = mood_ == Mood::well || number++ % 2 == 0;
      if (answers) ::send(connection, answer.data(), answer.size(), MSG_NOSIGNAL);
      ::close(connection);
    }
  }

  const Mood mood_;
  const int listener_;
  ::sockaddr_in address_{};
  std::atomic<bool> ending_{false};
  std::vector<int> open_;
  std::thread thread_;
};

}  // namespace support
