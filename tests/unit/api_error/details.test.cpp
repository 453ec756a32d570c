#include <fusebox/api_error.hpp>

#if defined(INCLUDE_NLOHMANN_JSON_HPP_) || defined(NLOHMANN_JSON_VERSION_MAJOR) || \
    defined(RAPIDJSON_MAJOR_VERSION) || defined(BOOST_JSON_HPP)
#error "api_error.hpp forces a JSON library on its users (E3)"
#endif

#include <array>
#include <initializer_list>
#include <list>
#include <map>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

#include "catch.hpp"

using namespace fusebox;
using Kind = ErrorDetails::Kind;
using Fields = std::vector<ErrorDetails::Field>;

namespace {

/// As a parameter of type ErrorDetails takes it.
ErrorDetails details(ErrorDetails given) { return given; }

struct OwnString {
  std::string text;
  operator std::string_view() const { return text; }  // NOLINT(*-explicit-*)
};

struct NameAndText {
  std::string_view first;
  std::string second;
};

}  // namespace

TEST_CASE("E3 ErrorDetails are absent by default", "[E3]") {
  for (const auto& absent : {ErrorDetails{}, details({}), ErrorDetails()}) {
    CHECK(absent.kind() == Kind::absent);
    CHECK(absent.is_absent());
    CHECK(absent.text().empty());
    CHECK(absent.fields().empty());
  }
  static_assert(std::is_nothrow_default_constructible_v<ErrorDetails>);
}

TEST_CASE("E3 any string is a text", "[E3]") {
  const std::string string = "out of stock";
  const std::string_view view = std::string_view{"out of stock, sorry"}.substr(0, 12);
  const char* const pointer = string.c_str();
  char array[] = "out of stock";
  for (const auto& text :
       {details("out of stock"), details(string), details(std::string{string}), details(view),
        details(pointer), details(array), details(OwnString{string}), ErrorDetails{"out of stock"},
        ErrorDetails{string}, ErrorDetails{view}, ErrorDetails(string)}) {
    CHECK(text.kind() == Kind::text);
    CHECK_FALSE(text.is_absent());
    CHECK(text.text() == "out of stock");
    CHECK(text.fields().empty());
  }
}

TEST_CASE("E3 a text is copied, and may be empty or hold any byte", "[E3]") {
  std::string string = "before";
  const auto text = details(string);
  string = "after!";
  CHECK(text.text() == "before");
  CHECK(details("").kind() == Kind::text);
  CHECK_FALSE(details("").is_absent());
  CHECK(details(std::string_view{"a\0b", 3}).text().size() == 3);
}

TEST_CASE("E3 an initializer list of name and message is an object of fields", "[E3]") {
  CHECK(details({{"email", "Invalid"}}).fields() == Fields{{"email", "Invalid"}});
  CHECK(details({{"a", "1"}, {"b", "2"}}).fields() == Fields{{"a", "1"}, {"b", "2"}});
  CHECK(details({{"a", "1"}, {"b", "2"}, {"c", "3"}}).fields() == Fields{{"a", "1"}, {"b", "2"}, {"c", "3"}});
  const ErrorDetails one{{"email", "Invalid"}};
  const ErrorDetails two = {{"a", "1"}, {"b", "2"}};
  CHECK(one.kind() == Kind::fields);
  CHECK(one.fields().size() == 1);
  CHECK(two.kind() == Kind::fields);
  CHECK(two.fields().size() == 2);
  CHECK(two.text().empty());
}

TEST_CASE("E3 the names and messages of an initializer list may be any strings", "[E3]") {
  const std::string name = "email";
  const char* const message = "Invalid";
  const std::string_view view = "view";
  CHECK(details({{name, message}, {view, name + "!"}, {std::string{"c"}, view}}).fields() ==
        Fields{{"email", "Invalid"}, {"view", "email!"}, {"c", "view"}});
  CHECK(details({{"", ""}}).fields() == Fields{{"", ""}});
}

TEST_CASE("E3 a sequence of pairs is an object of fields in its order", "[E3]") {
  const std::vector<std::pair<std::string, std::string>> vector{{"b", "2"}, {"a", "1"}, {"b", "3"}};
  const std::vector<std::pair<const char*, std::string_view>> views{{"b", "2"}, {"a", "1"}, {"b", "3"}};
  const std::list<std::pair<std::string, const char*>> list{{"b", "2"}, {"a", "1"}, {"b", "3"}};
  const std::array<std::pair<std::string_view, std::string_view>, 3> array{
      {{"b", "2"}, {"a", "1"}, {"b", "3"}}};
  const std::initializer_list<std::pair<const char*, const char*>> braces{{"b", "2"}, {"a", "1"}, {"b", "3"}};
  const std::vector<NameAndText> own{{"b", "2"}, {"a", "1"}, {"b", "3"}};
  for (const auto& fields :
       {details(vector), details(views), details(list), details(array), details(braces), details(own)}) {
    CHECK(fields.kind() == Kind::fields);
    CHECK(fields.fields() == Fields{{"b", "2"}, {"a", "1"}, {"b", "3"}});
  }
}

TEST_CASE("E3 a map is an object of fields in its order", "[E3]") {
  const std::map<std::string, std::string> map{{"b", "2"}, {"a", "1"}};
  CHECK(details(map).fields() == Fields{{"a", "1"}, {"b", "2"}});
  const std::map<std::string_view, const char*, std::greater<>> backwards{{"a", "1"}, {"b", "2"}};
  CHECK(details(backwards).fields() == Fields{{"b", "2"}, {"a", "1"}});
  const std::multimap<std::string, std::string> multimap{{"a", "1"}, {"a", "2"}};
  CHECK(details(multimap).fields() == Fields{{"a", "1"}, {"a", "2"}});
}

TEST_CASE("E3 an unordered_map is an object of fields in some order", "[E3]") {
  const std::unordered_map<std::string, std::string> map{{"a", "1"}, {"b", "2"}, {"c", "3"}};
  const auto fields = details(map);
  CHECK(fields.kind() == Kind::fields);
  CHECK(std::map<std::string, std::string>(fields.fields().begin(), fields.fields().end()) ==
        std::map<std::string, std::string>{{"a", "1"}, {"b", "2"}, {"c", "3"}});
  CHECK(fields.fields().size() == 3);
}

TEST_CASE("E3 an object without fields is not absent", "[E3]") {
  const std::map<std::string, std::string> none;
  CHECK(details(none).kind() == Kind::fields);
  CHECK_FALSE(details(none).is_absent());
  CHECK(details(none).fields().empty());
}

TEST_CASE("E3 raw JSON is kept as the caller wrote it", "[E3]") {
  const std::string raw = R"({ "missing": ["a", "b"] })";
  const auto json = ErrorDetails::json(raw);
  CHECK(json.kind() == Kind::json);
  CHECK_FALSE(json.is_absent());
  CHECK(json.text() == raw);
  CHECK(json.fields().empty());
  CHECK(ErrorDetails::json("").kind() == Kind::json);
}

TEST_CASE("E3 ErrorDetails come from strings and fields only", "[E3]") {
  static_assert(!std::is_constructible_v<ErrorDetails, int>);
  static_assert(!std::is_constructible_v<ErrorDetails, std::vector<std::string>>);
  static_assert(!std::is_constructible_v<ErrorDetails, std::vector<int>>);
  static_assert(!std::is_constructible_v<ErrorDetails, std::map<std::string, int>>);
  static_assert(!std::is_constructible_v<ErrorDetails, std::map<int, std::string>>);
  static_assert(!std::is_constructible_v<ErrorDetails, const char*, const char*>);
  SUCCEED();
}

TEST_CASE("E3 details are equal if kind and content are", "[E3]") {
  const ErrorDetails all[] = {{},
                              "1",
                              "2",
                              ErrorDetails::json("1"),
                              ErrorDetails::json("2"),
                              {{"a", "1"}},
                              {{"a", "2"}},
                              {{"b", "1"}},
                              {{"a", "1"}, {"b", "2"}},
                              {{"b", "2"}, {"a", "1"}},
                              details(std::map<std::string, std::string>{})};
  for (const auto& left : all) {
    for (const auto& right : all) CHECK((left == right) == (&left == &right));
  }
  CHECK(details("1") == details(std::string{"1"}));
}
