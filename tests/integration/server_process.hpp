// A server that a test program starts itself, so that it can end, pause and restart it in the middle of a
// call.
#pragma once

#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <pwd.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__linux__)
#include <sys/prctl.h>
#endif

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "catch.hpp"

namespace servers {

using namespace std::chrono_literals;

/// The user of servers that refuse to run as root; null if this program is no root.
inline const passwd* unprivileged_user() {
  if (::geteuid() != 0) return nullptr;
  const passwd* user = ::getpwnam("nobody");
  REQUIRE(user != nullptr);
  return user;
}

/// A folder in the folder for temporary files; it goes with this object.
class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "fusebox-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() {
    std::error_code error;
    std::filesystem::remove_all(path_, error);
  }

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string file(const std::string& name) const { return path_ + "/" + name; }
  [[nodiscard]] std::string text_of(const std::string& name) const {
    std::ifstream stream{file(name)};
    return {std::istreambuf_iterator<char>{stream}, {}};
  }
  void give_to(const passwd* user) const {
    if (user != nullptr) REQUIRE(::chown(path_.c_str(), user->pw_uid, user->pw_gid) == 0);
  }

 private:
  std::string path_;
};

/// A port on which nobody listens now.
inline int free_port() {
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  const bool is_bound = ::bind(socket, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                        ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  ::close(socket);
  REQUIRE(is_bound);
  return ntohs(address.sin_port);
}

/// A process whose output goes to a file. It gets `last_signal` when this object goes, and on Linux when the
/// thread that started it ends, however it ends.
class Process {
 public:
  Process(std::vector<std::string> command, const std::string& output, int last_signal = SIGKILL,
          const passwd* user = nullptr)
      : last_signal_{last_signal} {
    std::vector<char*> arguments;
    for (std::string& argument : command) arguments.push_back(argument.data());
    arguments.push_back(nullptr);
    [[maybe_unused]] const pid_t parent = ::getpid();
    pid_ = ::fork();
    REQUIRE(pid_ >= 0);
    if (pid_ > 0) return;
    const int file = ::open(output.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
    ::dup2(file, 1);
    ::dup2(file, 2);
    if (user != nullptr) {
      const bool is_other =
          ::setgroups(0, nullptr) == 0 && ::setgid(user->pw_gid) == 0 && ::setuid(user->pw_uid) == 0;
      if (!is_other) ::_exit(126);
    }
#if defined(__linux__)
    ::prctl(PR_SET_PDEATHSIG, last_signal);
    if (::getppid() != parent) ::_exit(126);
#endif
    ::execv(arguments[0], arguments.data());
    ::_exit(127);
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process() {
    signal(SIGCONT);
    signal(last_signal_);
    if (!has_ended_within(3s)) {
      signal(SIGKILL);
      has_ended_within(3s);
    }
  }

  void signal(int number) const {
    if (pid_ > 0) ::kill(pid_, number);
  }
  [[nodiscard]] int wait() {
    int status = -1;
    if (pid_ > 0) ::waitpid(pid_, &status, 0);
    pid_ = 0;
    return status;
  }
  bool has_ended_within(std::chrono::milliseconds time) {
    const auto end = std::chrono::steady_clock::now() + time;
    while (pid_ > 0 && ::waitpid(pid_, nullptr, WNOHANG) == 0) {
      if (std::chrono::steady_clock::now() > end) return false;
      std::this_thread::sleep_for(2ms);
    }
    pid_ = 0;
    return true;
  }

 private:
  pid_t pid_ = 0;
  int last_signal_;
};

/// Asks again until `condition()` is true, at most 10 s.
template <class Condition>
bool comes_true(Condition condition) {
  const auto end = std::chrono::steady_clock::now() + 10s;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(5ms);
  }
  return true;
}

/// A program that the test needs; CMake passes its path.
inline std::string program(const char* variable) {
  const char* const path = std::getenv(variable);
  INFO(variable << " is missing: ctest runs this program");
  REQUIRE(path != nullptr);
  return path;
}

}  // namespace servers
