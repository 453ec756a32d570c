#include <fusebox/detail/native_thread.hpp>

#include <atomic>
#include <csignal>
#include <string>

#include "catch.hpp"

#if FUSEBOX_DETAIL_PTHREADS

namespace {

struct Seen {
  std::atomic<bool> has_ended{false};
  bool blocks_interrupts = false;
  bool blocks_faults = false;
  std::string name;
};

void* look(void* given) {
  auto& seen = *static_cast<Seen*>(given);
  ::sigset_t blocked;
  ::pthread_sigmask(SIG_SETMASK, nullptr, &blocked);
  seen.blocks_interrupts = ::sigismember(&blocked, SIGINT) == 1 && ::sigismember(&blocked, SIGTERM) == 1;
  seen.blocks_faults = ::sigismember(&blocked, SIGSEGV) == 1;
  fusebox::detail::name_this_thread("looking");
#if defined(__linux__)
  char name[16] = {};
  ::pthread_getname_np(::pthread_self(), name, sizeof name);
  seen.name = name;
#endif
  seen.has_ended = true;
  seen.has_ended.notify_one();
  return nullptr;
}

}  // namespace

TEST_CASE("D7 a thread of the library gets no signals but those that it causes", "[D7]") {
  Seen seen;
  ::sigset_t before;
  ::pthread_sigmask(SIG_SETMASK, nullptr, &before);
  REQUIRE(fusebox::detail::start_thread(&look, &seen) == 0);
  seen.has_ended.wait(false);
  CHECK(seen.blocks_interrupts);
  CHECK_FALSE(seen.blocks_faults);
#if defined(__linux__)
  CHECK(seen.name == "looking");
#endif
  ::sigset_t after;
  ::pthread_sigmask(SIG_SETMASK, nullptr, &after);
  CHECK(::sigismember(&after, SIGINT) == ::sigismember(&before, SIGINT));
  fusebox::detail::keep_loaded(reinterpret_cast<const void*>(&look));
}

#endif
