// support/connection.hpp: a TCP connection that never blocks.
#pragma once

#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fusebox/error_code.hpp>

namespace support {

class Connection {
 public:
  Connection() = default;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() { close(); }

  int fd() const { return fd_; }
  bool is_open() const { return fd_ >= 0; }

  /// Begins to connect; an error if it has failed at once.
  std::error_code open(const ::sockaddr_in& address) {
    close();
    fd_ = ::socket(AF_INET, SOCK_STREAM, 0);
    if (fd_ < 0) return last_error();
    ::fcntl(fd_, F_SETFL, O_NONBLOCK);
    const auto* const any_address = reinterpret_cast<const ::sockaddr*>(&address);
    const bool fails = ::connect(fd_, any_address, sizeof address) != 0 && errno != EINPROGRESS;
    return fails ? last_error() : std::error_code{};
  }

  /// What has arrived, or why nothing will, such as a connection that failed.
  std::error_code receive(std::string& text) {
    text.resize(1024);
    const auto size = ::recv(fd_, text.data(), text.size(), 0);
    text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    if (size < 0) return last_error();
    return size == 0 ? make_error_code(fusebox::NetworkErrc::connection_reset) : std::error_code{};
  }

  void close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }

 private:
  static std::error_code last_error() { return {errno, std::generic_category()}; }

  int fd_ = -1;
};

}  // namespace support
