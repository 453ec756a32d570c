// D8: limits and what happens to a process: fork, exit, a module that is unloaded. Exports no symbols, so
// that a module runs timers of its own.
#include "catch.hpp"

#include <dlfcn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fusebox/timeout.hpp>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;

namespace {

/// True if a limit stops an op that would take an hour.
bool limits_work() {
  try {
    fusebox::with_timeout(1ms, [](std::stop_token token) {
      if (!fusebox::SystemClock{}.sleep_for(1h, token)) throw fusebox::CancelledError{};
    });
  } catch (const fusebox::TimeoutError&) {
    return true;
  }
  return false;
}

/// The exit status of a fork that runs `child`, or nothing if it does not end in a minute.
template <class F>
std::optional<int> status_of_fork(F child) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::alarm(60);  // kills it
    child();
    ::_exit(99);
  }
  int status = 0;
  if (pid < 0 || ::waitpid(pid, &status, 0) != pid || !WIFEXITED(status)) return std::nullopt;
  return WEXITSTATUS(status);
}

bool works_in_fork() {
  return status_of_fork([] { ::_exit(limits_work() ? 0 : 1); }) == 0;
}

/// Uses limits when it is destroyed, at the end of the process, and then ends it.
struct AtTheEnd {
  AtTheEnd() = default;
  AtTheEnd(const AtTheEnd&) = delete;
  AtTheEnd& operator=(const AtTheEnd&) = delete;
  ~AtTheEnd() { ::_exit(limits_work() ? 7 : 8); }
};

}  // namespace

TEST_CASE("D8 the child of a fork starts a thread of its own, and so does its child", "[D8][fork]") {
  CHECK(works_in_fork());  // nothing has run before
  CHECK(limits_work());
  CHECK(works_in_fork());
  CHECK(status_of_fork([] { ::_exit(limits_work() && works_in_fork() ? 0 : 1); }) == 0);
  CHECK(limits_work());
}

TEST_CASE("D8 a fork inside an op: its limit stays behind, and others work", "[D8][fork]") {
  const bool is_stopped_in_parent = fusebox::with_timeout(20ms, [](std::stop_token token) {
    CHECK(works_in_fork());
    CHECK(status_of_fork([&] { ::_exit(fusebox::SystemClock{}.sleep_for(50ms, token) ? 0 : 1); }) == 0);
    return !fusebox::SystemClock{}.sleep_for(1h, token);
  });
  CHECK(is_stopped_in_parent);
}

TEST_CASE("D8 a fork while other threads arm limits leaves no lock behind", "[D8][fork]") {
  std::atomic<bool> ends{false};
  std::vector<std::jthread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      while (!ends) fusebox::with_timeout(100us, [](std::stop_token) {});
    });
  }
  int worked = 0;
  for (int i = 0; i < 50; ++i) worked += works_in_fork() ? 1 : 0;
  ends = true;
  CHECK(worked == 50);
}

TEST_CASE("D8 running limits hold up no exit, and static destructors may use limits", "[D8][exit]") {
  const auto before = std::chrono::steady_clock::now();
  const auto status = status_of_fork([] {
    static const AtTheEnd at_the_end;
    std::thread{[] {
      fusebox::with_timeout(1h, [](std::stop_token token) { fusebox::SystemClock{}.sleep_for(2h, token); });
    }}.detach();
    limits_work();
    std::exit(0);
  });
  CHECK(status == 7);
  CHECK(std::chrono::steady_clock::now() - before < 30s);
}

TEST_CASE("D8 a module that has started the thread stays", "[D8][dlclose]") {
  void* const module = ::dlopen(TIMEOUT_MODULE_PATH, RTLD_NOW | RTLD_LOCAL);
  REQUIRE(module != nullptr);
  const auto use_limits = reinterpret_cast<bool (*)()>(::dlsym(module, "use_limits"));
  REQUIRE(use_limits != nullptr);
  CHECK(use_limits());
  CHECK(::dlclose(module) == 0);
  // Its thread wakes meanwhile, and runs what was unmapped if the module was unloaded.
  std::this_thread::sleep_for(50ms);
  CHECK(::dlopen(TIMEOUT_MODULE_PATH, RTLD_NOW | RTLD_LOCAL | RTLD_NOLOAD) != nullptr);
}

TEST_CASE("D8 a module that has armed no limit can be unloaded", "[D8][dlclose_unused]") {
  void* const module = ::dlopen(TIMEOUT_MODULE_PATH, RTLD_NOW | RTLD_LOCAL);
  REQUIRE(module != nullptr);
  CHECK(::dlclose(module) == 0);
  CHECK(::dlopen(TIMEOUT_MODULE_PATH, RTLD_NOW | RTLD_LOCAL | RTLD_NOLOAD) == nullptr);
}
