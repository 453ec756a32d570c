#include <fusebox/detail/cpu_index.hpp>

#include <thread>

#include "catch.hpp"

using fusebox::detail::cpu_index;

#if defined(__linux__)

#include <sched.h>

TEST_CASE("cpu_index is the number of the processor that this thread runs on") {
  ::cpu_set_t allowed;
  REQUIRE(::sched_getaffinity(0, sizeof allowed, &allowed) == 0);
  std::thread{[&] {
    for (unsigned cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
      if (!CPU_ISSET(cpu, &allowed)) continue;
      ::cpu_set_t one;
      CPU_ZERO(&one);
      CPU_SET(cpu, &one);
      if (::sched_setaffinity(0, sizeof one, &one) == 0) CHECK(cpu_index() == cpu);
    }
  }}.join();
}

#else

TEST_CASE("cpu_index is a number of the thread's own, which stays") {
  const unsigned here = cpu_index();
  unsigned elsewhere = here;
  std::thread{[&] { elsewhere = cpu_index(); }}.join();
  CHECK(cpu_index() == here);
  CHECK(elsewhere != here);
}

#endif
