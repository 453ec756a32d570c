// J8: the pool across forks, the end of the process, and the end of the module that started it.
#include <fusebox/hedge.hpp>

#include <dlfcn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <thread>
#include <vector>

#include "catch.hpp"

using namespace std::chrono_literals;

namespace {

/// A call whose primary fails, so that two copies run.
bool hedges_work() {
  auto policy = fusebox::hedge({.delay = fusebox::no_timeout});
  const auto copies = std::make_shared<std::atomic<int>>(0);
  const int won = policy.execute([copies] {
    const int copy = (*copies)++;
    if (copy == 0) throw std::runtime_error{"the primary"};
    return copy;
  });
  return won == 1;
}

template <class F>
int status_of_fork(F in_child) {
  const ::pid_t child = ::fork();
  if (child == 0) {
    in_child();
    ::_exit(9);
  }
  int status = -1;
  if (::waitpid(child, &status, 0) != child || !WIFEXITED(status)) return -1;
  return WEXITSTATUS(status);
}
bool works_in_fork() {
  return status_of_fork([] { ::_exit(hedges_work() ? 0 : 1); }) == 0;
}

/// Its destructor runs at the end of the process.
struct AtTheEnd {
  ~AtTheEnd() {
    if (hedges_work()) ::_exit(7);
  }
};

}  // namespace

TEST_CASE("J8 the child of a fork has a pool of its own, and so has its child", "[J8][fork]") {
  CHECK(works_in_fork());  // nothing has run before
  CHECK(hedges_work());
  CHECK(works_in_fork());
  CHECK(status_of_fork([] { ::_exit(hedges_work() && works_in_fork() ? 0 : 1); }) == 0);
}

TEST_CASE("J8 a fork while other threads hedge calls leaves no lock behind", "[J8][fork]") {
  std::atomic<bool> ends{false};
  std::vector<std::jthread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      while (!ends) hedges_work();
    });
  }
  int worked = 0;
  for (int i = 0; i < 30; ++i) worked += works_in_fork() ? 1 : 0;
  ends = true;
  CHECK(worked == 30);
}

TEST_CASE("J8 running copies hold up no exit, and static destructors may hedge", "[J8][exit]") {
  const auto before = std::chrono::steady_clock::now();
  const auto status = status_of_fork([] {
    static const AtTheEnd at_the_end;
    std::thread{[] {
      auto policy = fusebox::hedge();
      policy.execute([] { std::this_thread::sleep_for(1h); });
    }}.detach();
    hedges_work();
    std::exit(0);
  });
  CHECK(status == 7);
  CHECK(std::chrono::steady_clock::now() - before < 30s);
}

TEST_CASE("J8 a module that has hedged a call stays", "[J8][dlclose]") {
  void* const module = ::dlopen(HEDGE_MODULE_PATH, RTLD_NOW | RTLD_LOCAL);
  REQUIRE(module != nullptr);
  const auto hedge_a_call = reinterpret_cast<int (*)()>(::dlsym(module, "hedge_a_call"));
  REQUIRE(hedge_a_call != nullptr);
  CHECK(hedge_a_call() == 7);
  CHECK(::dlclose(module) == 0);
  // Its threads would come back to what was unmapped.
  std::this_thread::sleep_for(50ms);
  CHECK(::dlopen(HEDGE_MODULE_PATH, RTLD_NOW | RTLD_LOCAL | RTLD_NOLOAD) != nullptr);
}
