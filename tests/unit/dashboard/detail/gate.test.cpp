#include <fusebox/dashboard/detail/gate.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "catch.hpp"

using namespace fusebox::detail;

namespace {

using Fields = std::vector<std::pair<std::string, std::string>>;

bool accepts(const Fields& fields, const std::vector<std::string>& origins = {}) {
  return is_same_origin(ActionHeaders{fields}, origins);
}

/// A field of Boost.Beast, as far as it is read.
struct BeastField {
  std::string_view name, text;
  [[nodiscard]] std::string_view name_string() const { return name; }
  [[nodiscard]] std::string_view value() const { return text; }
};

}  // namespace

TEST_CASE("H74 which hosts are names of this machine", "[H74]") {
  for (const std::string_view host :
       {"localhost", "LOCALHOST:80", "127.0.0.1", "127.0.0.1:8080", "[::1]", "[::1]:443"})
    CHECK(is_loopback(host));
  for (const std::string_view host :
       {"", "localhost.evil.example", "127.0.0.1.evil.example", "evil.example", "127.0.0.2",
        "localhost:", "localhost:80a", "localhost@evil.example", "[::1]x", "::1", "10.0.0.1"})
    CHECK_FALSE(is_loopback(host));
}

TEST_CASE("H74 without a list, a page of this machine may act on itself only", "[H74]") {
  CHECK(accepts({{"Host", "127.0.0.1:8080"}, {"Origin", "http://127.0.0.1:8080"}}));
  CHECK(accepts({{"host", "localhost"}, {"ORIGIN", "https://localhost"}, {"Sec-Fetch-Site", "same-origin"}}));
  CHECK_FALSE(accepts({}));
  CHECK_FALSE(accepts({{"Host", "127.0.0.1:8080"}}));
  CHECK_FALSE(accepts({{"Origin", "http://127.0.0.1:8080"}}));
  CHECK_FALSE(accepts({{"Host", "127.0.0.1:8080"}, {"Origin", "http://127.0.0.1:9090"}}));
  CHECK_FALSE(accepts({{"Host", "127.0.0.1:8080"}, {"Origin", "http://localhost:8080"}}));
  CHECK_FALSE(accepts({{"Host", "127.0.0.1:8080"}, {"Origin", "null"}}));
  CHECK_FALSE(accepts({{"Host", "127.0.0.1:8080"}, {"Origin", "file://127.0.0.1:8080"}}));
  // DNS rebinding: the attacker's name leads here.
  CHECK_FALSE(accepts({{"Host", "evil.example"}, {"Origin", "http://evil.example"}}));
  // Another site says so itself, or a field is there twice.
  CHECK_FALSE(
      accepts({{"Host", "localhost"}, {"Origin", "http://localhost"}, {"Sec-Fetch-Site", "same-site"}}));
  CHECK_FALSE(
      accepts({{"Host", "localhost"}, {"Origin", "http://localhost"}, {"Origin", "http://localhost"}}));
  CHECK_FALSE(accepts({{"Host", "localhost"},
                       {"Origin", "http://localhost"},
                       {"Sec-Fetch-Site", "cross-site"},
                       {"Sec-Fetch-Site", "same-origin"}}));
  CHECK_FALSE(accepts({{"Host", "localhost"}, {"Host", "localhost"}, {"Origin", "http://localhost"}}));
}

TEST_CASE("H74 with a list, an origin in it may act, and no other", "[H74]") {
  const std::vector<std::string> origins{"https://ops.example"};
  CHECK(accepts({{"Host", "10.0.0.7:8080"}, {"Origin", "https://ops.example"}}, origins));
  CHECK_FALSE(accepts({{"Host", "ops.example"}, {"Origin", "http://ops.example"}}, origins));
  CHECK_FALSE(accepts({{"Host", "ops.example"}, {"Origin", "https://ops.example.evil.example"}}, origins));
  CHECK_FALSE(accepts({{"Host", "localhost"}, {"Origin", "http://localhost"}}, origins));
  CHECK_FALSE(accepts({{"Host", "ops.example"}}, origins));
  CHECK(accepts({{"Host", "ops.example"}, {"Origin", "https://ops.example"}}, {"https://Ops.Example"}));
  CHECK_FALSE(accepts({{"Host", "ops.example"}, {"Origin", "null"}}, {"null"}));
}

TEST_CASE("H74 fields like those of Boost.Beast are read", "[H74]") {
  const std::vector<BeastField> fields{
      {"Host", "localhost"}, {"Origin", "http://localhost"}, {"x-fusebox-ACTION", "reset"}};
  const ActionHeaders headers{fields};
  CHECK(is_same_origin(headers, {}));
  CHECK(headers.action.is("reset"));
  CHECK_FALSE(headers.action.is("force-open"));
}
