#include <fusebox/circuit_breaker/detail/state_word.hpp>

#include <cstdint>
#include <limits>

#include "catch.hpp"
#include "support/breaker_states.hpp"

using namespace fusebox;
using detail::StateWord;

namespace {

constexpr std::uint32_t last_generation = std::numeric_limits<std::uint32_t>::max();
constexpr std::uint64_t config_marks =
    StateWord::timed | StateWord::windowed | StateWord::waits_finely | StateWord::rated;
constexpr std::uint64_t config_number_bits = 0xf000'0000;
constexpr std::uint64_t admission_marks = StateWord::rejected | StateWord::nested;

/// Does f(word, state, streak) hold for every state, combination of marks and some streaks?
template <class F>
constexpr bool for_all_words(F f) {
  for (const State state : support::all_states) {
    for (std::uint64_t marks = 0; marks < 256; ++marks) {
      for (const std::uint64_t number : {0ULL, 9ULL << 28U}) {
        for (const std::uint32_t streak : {0U, 1U, 0xffffU}) {
          if (!f(StateWord{state, 5, streak}.marked((marks << 20U) | number), state, streak)) return false;
        }
      }
    }
  }
  return true;
}

constexpr bool has(StateWord word, std::uint64_t mark) { return (word.bits() & mark) != 0; }

}  // namespace

TEST_CASE("N2 the bit picture of a state word", "[N2]") {
  STATIC_REQUIRE(sizeof(StateWord) == sizeof(std::uint64_t));
  STATIC_REQUIRE(StateWord{State::closed, 0, 0}.bits() == 0);
  STATIC_REQUIRE(StateWord{State::open, 0xabcd'ef01, 0x2345}.bits() == 0xabcd'ef01'0001'2345);
  STATIC_REQUIRE(StateWord{State::half_open, 0, 0}.bits() == 0x0002'0000);
  STATIC_REQUIRE(StateWord{State::forced_open, 0, 0}.bits() == 0x0003'0000);
  STATIC_REQUIRE(StateWord{State::disabled, last_generation, 0xffff}.bits() == 0xffff'ffff'0004'ffff);
  STATIC_REQUIRE(StateWord::rejected == 0x0010'0000);
  STATIC_REQUIRE(StateWord::nested == 0x0020'0000);
  STATIC_REQUIRE(StateWord::timed == 0x0040'0000);
  STATIC_REQUIRE(StateWord::windowed == 0x0080'0000);
  STATIC_REQUIRE(StateWord::waits_finely == 0x0100'0000);
  STATIC_REQUIRE(StateWord::rated == 0x0200'0000);
  STATIC_REQUIRE(StateWord::recovering == 0x0400'0000);
  STATIC_REQUIRE(StateWord::observed == 0x0800'0000);
  STATIC_REQUIRE(StateWord{0x9000'0000}.config_number() == 9);
  STATIC_REQUIRE(StateWord{detail::Admission{0x1234'0002'0007, 99}}.bits() == 0x1234'0002'0007);
}

TEST_CASE("N2 the fields of a state word are read back, whatever is marked", "[N2]") {
  STATIC_REQUIRE(for_all_words([](StateWord word, State state, std::uint32_t streak) {
    return word.state() == state && word.generation() == 5 && word.failure_streak() == streak &&
           word.probe_slot() == streak && word.is_rejected() == has(word, StateWord::rejected) &&
           word.is_nested() == has(word, StateWord::nested) &&
           word.is_timed() == has(word, StateWord::timed) &&
           word.is_observed() == has(word, StateWord::observed) &&
           word.is_recovering() == has(word, StateWord::recovering) &&
           word.is_waiting_finely() == has(word, StateWord::waits_finely);
  }));
}

TEST_CASE("N2 a question that is one mask and one comparison agrees with the fields", "[N2]") {
  STATIC_REQUIRE(for_all_words([](StateWord word, State state, std::uint32_t) {
    const bool closed = state == State::closed;
    const bool timed = has(word, StateWord::timed);
    const bool observed = has(word, StateWord::observed);
    const bool recovering = has(word, StateWord::recovering);
    return word.is_closed() == closed && word.needs_start() == (timed || observed) &&
           word.admits_at_once() == (closed && !timed && !observed && !recovering) &&
           word.is_closed_and_timed() == (closed && !observed && !recovering) &&
           word.is_closed_without_rates() == (closed && !timed && !observed && !has(word, StateWord::rated));
  }));
  STATIC_REQUIRE(for_all_words([](StateWord word, State state, std::uint32_t) {
    return word.is_open_coarse() == (state == State::open && !has(word, StateWord::waits_finely));
  }));
  STATIC_REQUIRE(for_all_words([](StateWord word, State state, std::uint32_t streak) {
    const bool only = state == State::closed && streak == 0 &&
                      !has(word, admission_marks | StateWord::observed | StateWord::recovering);
    const bool windowed = has(word, StateWord::windowed);
    return word.success_only_counts() == (only && !windowed && !word.is_timed()) &&
           word.success_only_enters_windows() == (only && (windowed || word.is_timed()));
  }));
  STATIC_REQUIRE(for_all_words([](StateWord word, State state, std::uint32_t) {
    const bool half_open = state == State::half_open;
    return word.is_half_open() == half_open && word.is_probe() == (half_open && !has(word, admission_marks));
  }));
}

TEST_CASE("N2 a transition begins the next generation, and keeps what the config and on_call() ask for",
          "[N2]") {
  STATIC_REQUIRE(for_all_words([](StateWord word, State, std::uint32_t) {
    const StateWord next = word.next(State::half_open, 3);
    return next == StateWord{State::half_open, 6, 3}.marked(
                       word.bits() & (config_marks | config_number_bits | StateWord::observed));
  }));
  STATIC_REQUIRE(StateWord{State::closed, last_generation, 0}.next(State::open, 1) ==
                 StateWord{State::open, 0, 1});
}

TEST_CASE("B13 a failure streak stays at 65535 and touches nothing else of the word", "[B13]") {
  STATIC_REQUIRE(for_all_words([](StateWord word, State state, std::uint32_t) {
    const auto with = [word](std::uint32_t streak) { return word.with_failure_streak(streak); };
    return with(0) == StateWord{state, 5, 0}.marked(word.bits() & 0xfff0'0000) &&
           with(65'535).failure_streak() == 65'535 && with(65'536) == with(65'535) &&
           with(last_generation) == with(65'535) && word.with_probe_slot(7) == with(7);
  }));
}

TEST_CASE("B19 another config changes its own bits of the word, and no others", "[B19]") {
  STATIC_REQUIRE(for_all_words([](StateWord word, State state, std::uint32_t streak) {
    const StateWord next = word.with_config(StateWord::timed | StateWord::rated, 16 + 3);
    const std::uint64_t kept = word.bits() & (admission_marks | StateWord::observed | StateWord::recovering);
    return next == StateWord{state, 5, streak}.marked(kept | StateWord::timed | StateWord::rated |
                                                      (3ULL << 28U)) &&
           next.config_number() == 3 && word.with_config(next.config_bits()) == next;
  }));
}

TEST_CASE("B2 two words that differ in the streak alone", "[B2]") {
  constexpr StateWord word{State::closed, 5, 3};
  STATIC_REQUIRE(word.is_but_for_streak(word.with_failure_streak(9)));
  STATIC_REQUIRE_FALSE(word.is_but_for_streak(word.marked(StateWord::observed)));
  STATIC_REQUIRE_FALSE(word.is_but_for_streak(word.next(State::closed, 3)));
  STATIC_REQUIRE(word.marked(StateWord::recovering).without(StateWord::recovering) == word);
}
