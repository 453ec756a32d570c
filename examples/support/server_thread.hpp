// support/server_thread.hpp: runs an httplib::Server on 127.0.0.1 while it lives.
#pragma once

#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>

#include <httplib.h>

namespace support {

class ServerThread {
 public:
  /// Port 0 is any free one. Throws std::runtime_error where the port is taken.
  explicit ServerThread(httplib::Server& server, int port = 0) : server_{server}, port_{port} {
    server.set_socket_options([](socket_t socket) {
      const int yes = 1;  // not SO_REUSEPORT: a port that is taken is refused
      ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    });
    server.set_keep_alive_max_count(1);  // an idle connection would hold up stop()
    if (port == 0) {
      port_ = server.bind_to_any_port("127.0.0.1");
    } else if (!server.bind_to_port("127.0.0.1", port)) {
      port_ = -1;
    }
    if (port_ < 0) throw std::runtime_error{"cannot listen on 127.0.0.1:" + std::to_string(port)};
    thread_ = std::thread{[&server] { server.listen_after_bind(); }};
    while (!server.is_running()) std::this_thread::sleep_for(std::chrono::milliseconds{1});
  }
  ServerThread(const ServerThread&) = delete;
  ServerThread& operator=(const ServerThread&) = delete;
  ~ServerThread() {
    server_.stop();
    thread_.join();
  }

  int port() const { return port_; }

 private:
  httplib::Server& server_;
  int port_;
  std::thread thread_;
};

}  // namespace support
