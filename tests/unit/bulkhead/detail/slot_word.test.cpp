#include <fusebox/bulkhead/detail/slot_word.hpp>

#include <cstdint>

#include "catch.hpp"

using namespace fusebox;
using detail::SlotWord;

namespace {

constexpr std::uint64_t last_admitted = ((std::uint64_t{1} << 31U) - 1) << SlotWord::admitted_shift;

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
