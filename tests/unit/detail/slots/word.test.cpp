#include <fusebox/detail/slots/word.hpp>

#include <cstdint>

#include "catch.hpp"

using namespace fusebox;
using detail::SlotWord;

namespace {

constexpr std::uint64_t last_admitted = ((std::uint64_t{1} << 29U) - 1) << SlotWord::admitted_shift;

}  // namespace

TEST_CASE("K1 the parts of the word do not touch each other", "[K1]") {
  constexpr std::uint64_t word =
      3 * SlotWord::one_admitted + SlotWord::saturated + 65'535 * SlotWord::one_waiting + 65'535;
  STATIC_REQUIRE(SlotWord::in_use(word) == 65'535);
  STATIC_REQUIRE(SlotWord::waiting(word) == 65'535);
  STATIC_REQUIRE(SlotWord::admitted(word) == 3);
  STATIC_REQUIRE(SlotWord::in_use(word - 65'535) == 0);
  STATIC_REQUIRE(SlotWord::waiting(word - 65'535 * SlotWord::one_waiting) == 0);
  STATIC_REQUIRE(SlotWord::admitted(word - SlotWord::saturated) == 3);
}

TEST_CASE("K1 K2 a word admits below the limit while nobody waits", "[K1][K2]") {
  STATIC_REQUIRE(SlotWord::admits(0, 1));
  STATIC_REQUIRE_FALSE(SlotWord::admits(1, 1));
  STATIC_REQUIRE(SlotWord::admits(65'534, 65'535));
  STATIC_REQUIRE_FALSE(SlotWord::admits(65'535, 65'535));
  STATIC_REQUIRE_FALSE(SlotWord::admits(SlotWord::one_waiting, 65'535));
  STATIC_REQUIRE(SlotWord::admits(SlotWord::saturated + last_admitted, 1));
  STATIC_REQUIRE(SlotWord::releases_at_once(65'535 + last_admitted));
  STATIC_REQUIRE_FALSE(SlotWord::releases_at_once(1 + SlotWord::one_waiting));
  STATIC_REQUIRE_FALSE(SlotWord::releases_at_once(1 + 65'535 * SlotWord::one_waiting));
  STATIC_REQUIRE_FALSE(SlotWord::releases_at_once(1 + SlotWord::saturated));
}

TEST_CASE("P18 the lowest priority that waits touches no other part of the word", "[P18]") {
  constexpr std::uint64_t others =
      5 * SlotWord::one_admitted + SlotWord::saturated + 7 * SlotWord::one_waiting + 3;
  STATIC_REQUIRE(SlotWord::lowest(others) == Priority::critical);
  constexpr std::uint64_t word = SlotWord::with_lowest(others, Priority::background);
  STATIC_REQUIRE(SlotWord::lowest(word) == Priority::background);
  STATIC_REQUIRE(word - others == std::uint64_t{3} << SlotWord::lowest_shift);
  STATIC_REQUIRE(SlotWord::lowest(SlotWord::with_lowest(word, Priority::sheddable)) == Priority::sheddable);
  STATIC_REQUIRE(SlotWord::with_lowest(word, Priority::critical) == others);
  STATIC_REQUIRE(SlotWord::admitted(word) == 5);
}
