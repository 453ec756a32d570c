// support/server_thread.hpp: runs an httplib::Server on 127.0.0.1 until it is destroyed.
#pragma once

#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>

#include <httplib.h>
#include <pthread.h>

namespace support {

/// cpp-httplib parses some header fields with std::regex, which takes stack for every byte: up to 4 MB for a
/// Range field of 8 kB. Where the limit of the process (ulimit -s) is lower, a thread would crash.
inline void give_threads_enough_stack() {
#ifdef __linux__
  ::pthread_attr_t attributes;
  ::pthread_attr_init(&attributes);
  ::pthread_attr_setstacksize(&attributes, 32 * 1024 * 1024);
  ::pthread_setattr_default_np(&attributes);
  ::pthread_attr_destroy(&attributes);
#endif
}

class ServerThread {
 public:
  /// Port 0 stands for any free port. Throws std::runtime_error if the port is taken.
  explicit ServerThread(httplib::Server& server, int port = 0) : server_{server}, port_{port} {
    server.set_socket_options([](socket_t socket) {
      const int yes = 1;  // not SO_REUSEPORT, which would accept a taken port
      ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    });
    server.set_keep_alive_max_count(1);  // an idle connection would delay stop()
    if (port == 0) {
      port_ = server.bind_to_any_port("127.0.0.1");
    } else if (!server.bind_to_port("127.0.0.1", port)) {
      port_ = -1;
    }
    if (port_ < 0) throw std::runtime_error{"cannot listen on 127.0.0.1:" + std::to_string(port)};
    give_threads_enough_stack();
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
