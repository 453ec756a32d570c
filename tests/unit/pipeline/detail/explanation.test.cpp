#include <fusebox/pipeline/detail/explanation.hpp>

#include <chrono>
#include <limits>
#include <string>
#include <string_view>

#include "catch.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using detail::Explanation;

TEST_CASE("P16 an explanation puts the outermost line first and numbers it 1", "[P16]") {
  Explanation text;
  text.say("inner", "", "one");
  text.say("outer", "name", "two");
  CHECK(text.text() ==
        "1. outer 'name': two\n2. inner: one\nOne logical call calls op at most once, and nothing limits its "
        "time.\n");
}

TEST_CASE("P16 bounds multiply, add up and saturate", "[P16]") {
  Explanation text;
  CHECK(text.calls() == 1);
  CHECK(text.time() == no_timeout);
  text.delay(1s);
  CHECK(text.time() == no_timeout);
  text.limit(10s);
  text.limit(20s);
  CHECK(text.time() == 10s);
  text.repeat(3, 5s);
  CHECK(text.calls() == 3);
  CHECK(text.time() == 35s);
  text.delay(no_timeout);
  CHECK(text.time() == no_timeout);
  text.limit(1h);
  text.repeat(std::numeric_limits<std::uint64_t>::max() / 2, 0s);
  CHECK(text.calls() == 0);
  CHECK(text.time() == no_timeout);
  text.repeat(2, 0s);
  CHECK(text.calls() == 0);  // once unlimited, always
  CHECK(text.text().find("any number of times") != std::string::npos);
}

TEST_CASE("P16 the name of a type ends where the compiler goes on", "[P16]") {
  const auto name = [](std::string_view text) { return std::string{detail::name_at_front(text)}; };
  CHECK(name("U; std::string_view = std::basic_string_view<char>]") == "U");
  CHECK(name("U]") == "U");
  CHECK(name("U>(void)") == "U");
  CHECK(name("U>(void) noexcept") == "U");
  CHECK(name("Of<int [3]>]") == "Of<int [3]>");
  CHECK(name("f() [with T = int; U = long int]::Local; X = Y]") == "f() [with T = int; U = long int]::Local");
  CHECK(name("Of<';'>; X = Y]") == "Of<';'>");
  CHECK(name("Of<'\\'', ']'>]") == "Of<'\\'', ']'>");
  CHECK(name("(lambda at it's.cpp:1:2)]") == "(lambda at it's.cpp:1:2)");
  CHECK(name("Of<void (void)>>(void)") == "Of<void (void)>");
  CHECK(name("U") == "U");
  CHECK(name("") == "");
}

TEST_CASE("E8 explain() shows names as every text does", "[E8]") {
  Explanation text;
  text.say("kind", "a\n2. b\xff", "one");
  CHECK(text.text().find("1. kind 'a\xEF\xBF\xBD"
                         "2. b\xEF\xBF\xBD': one\n") == 0);
}

TEST_CASE("P16 the unit of what a layer sees", "[P16]") {
  Explanation text;
  CHECK(text.unit() == std::string{"logical call"});
  text.place(Explanation::SeenBy::attempt);
  CHECK(text.unit() == std::string{"attempt"});
  text.place(Explanation::SeenBy::call_of_own);
  CHECK(text.unit() == std::string{"call that the policy outside makes"});
}
