#include <fusebox/detail/unwinding.hpp>

#include <exception>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "support/boost_unwinding.hpp"
#include "support/forced_unwinding.hpp"

using namespace fusebox;
using detail::caught_exception;
using detail::run_to_end;

namespace {

/// What a handler for `thrown` sees; true if it must go on.
template <class T>
bool goes_on(T thrown) {
  try {
    throw std::move(thrown);
  } catch (...) {
    return caught_exception() == nullptr;
  }
}

struct forced_unwind {};  // NOLINT(readability-identifier-naming)

}  // namespace

TEST_CASE("F4 an exception of any type is caught, but not what ends a fiber of Boost", "[F4]") {
  CHECK_FALSE(goes_on(1));
  CHECK_FALSE(goes_on(std::string{"text"}));
  CHECK_FALSE(goes_on(forced_unwind{}));
  CHECK(goes_on(boost::context::detail::forced_unwind{}) == FUSEBOX_DETAIL_CXXABI);
  CHECK(goes_on(boost::coroutines::detail::forced_unwind{}) == FUSEBOX_DETAIL_CXXABI);
}

TEST_CASE("F4 a caught exception is the current one", "[F4]") {
  try {
    throw 7;
  } catch (...) {
    CHECK(caught_exception() == std::current_exception());
  }
}

TEST_CASE("F4 steps are taken in order, until one says that it was the last", "[F4]") {
  std::vector<int> taken;
  const auto step = [&] {
    taken.push_back(static_cast<int>(taken.size()));
    return taken.size() < 3;
  };
  run_to_end(step);
  CHECK(taken == std::vector{0, 1, 2});
}

TEST_CASE("F4 the steps after one that ends a fiber are taken, and the exception goes on", "[F4]") {
  int taken = 0;
  const auto step = [&] {
    if (++taken == 2) throw boost::context::detail::forced_unwind{};
    return taken < 5;
  };
  CHECK_THROWS_AS(run_to_end(step), boost::context::detail::forced_unwind);
  CHECK(taken == 5);
}

#if HAS_FORCED_UNWINDING
TEST_CASE("F4 the steps after one that ends the thread are taken, whatever the others do", "[F4]") {
  for (const auto end : support::all_ends) {
    for (const bool in_handler : {false, true}) {
      CAPTURE(in_handler);
      int taken = 0;
      int held = 0;
      struct Counted {
        int* count;
        explicit Counted(int& of) : count{&of} { ++of; }
        Counted(const Counted& other) : count{other.count} { ++*count; }
        ~Counted() { --*count; }
      };
      const auto step = [&] {
        ++taken;
        if (taken == 2 || taken == 3 || taken == 4) end();
        return taken < 5;
      };
      CHECK_FALSE(support::returns([&] {
        if (!in_handler) return run_to_end(step);
        try {
          throw Counted{held};
        } catch (const Counted&) {
          run_to_end(step);
        }
      }));
      CHECK(taken == 5);
      CHECK(held == 0);
    }
  }
}

TEST_CASE("F4 what ends a thread is not caught", "[F4]") {
  bool goes_on = false;
  CHECK_FALSE(support::returns([&] {
    try {
      support::end_by_exit();
    } catch (...) {
      goes_on = caught_exception() == nullptr;
      throw;
    }
  }));
  CHECK(goes_on);
}
#endif
