#include <fusebox/adapters/grpc/detail/rpc_status.hpp>

#include <random>
#include <string>
#include <string_view>

#include "catch.hpp"

using namespace fusebox;
using namespace std::chrono_literals;
using namespace std::string_view_literals;
using detail::read_duration;
using detail::read_pushback;
using detail::read_retry_delay;

namespace {

std::string field(unsigned number, std::string_view bytes) {
  std::string out;
  detail::write_bytes(out, number, bytes);
  return out;
}

constexpr std::string_view retry_info = "type.googleapis.com/google.rpc.RetryInfo";

std::string status_with(std::string_view type, std::string_view info) {
  return field(3, field(1, type) + field(2, info));
}

// As protoc writes it: code 14, message "busy", a RetryInfo of 1.5 s.
constexpr auto one_and_a_half =
    "\x08\x0e\x12\x04"
    "busy\x1a\x36\x0a\x28"
    "type.googleapis.com/google.rpc.RetryInfo"
    "\x12\x0a\x0a\x08\x08\x01\x10\x80\xca\xb5\xee\x01"sv;

}  // namespace

TEST_CASE("H52 the retry delay of a google.rpc.Status is read", "[H52]") {
  STATIC_REQUIRE(read_retry_delay(one_and_a_half) == 1500ms);
  CHECK(read_retry_delay(status_with(retry_info, field(1, "\x08\x02"))) == 2s);
  CHECK(read_retry_delay(status_with("any.host/google.rpc.RetryInfo", field(1, "\x10\x01"))) == 1ms);
  CHECK(read_retry_delay(status_with(retry_info, field(1, ""))) == 0ms);
  const std::string other = status_with("type.googleapis.com/google.rpc.DebugInfo", field(1, "\x08\x09"));
  CHECK_FALSE(read_retry_delay(other));
  const std::string two = status_with(retry_info, field(1, "\x08\x02"));
  const std::string five = status_with(retry_info, field(1, "\x08\x05"));
  CHECK(read_retry_delay(other + five + two) == 5s);
  CHECK(read_retry_delay(two + "\xf8\x01\x07" + five) == 5s);  // field 31 is unknown
}

TEST_CASE("H52 without a RetryInfo there is no delay", "[H52]") {
  STATIC_REQUIRE_FALSE(read_retry_delay(""));
  STATIC_REQUIRE_FALSE(read_retry_delay("\x08\x0e"));
  CHECK_FALSE(read_retry_delay(status_with(retry_info, "")));
  CHECK_FALSE(read_retry_delay(status_with("google.rpc.RetryInfo", field(1, "\x08\x05"))));
  CHECK_FALSE(read_retry_delay(status_with("a/google.rpc.RetryInfos", field(1, "\x08\x05"))));
}

TEST_CASE("H52 a delay is rounded up, and saturates", "[H52]") {
  STATIC_REQUIRE(read_duration("\x10\x01") == 1ms);
  STATIC_REQUIRE(read_duration("\x08\x01\x10\xc0\x84\x3d") == 1001ms);
  STATIC_REQUIRE(read_duration("\x08\xff\xff\xff\xff\xff\xff\xff\xff\x7f") ==
                 std::chrono::milliseconds::max());
  STATIC_REQUIRE(read_duration("\x08\x01\x08\x03") == 3s);  // the last one counts
}

TEST_CASE("H52 a negative delay, and one that is no Duration, is none", "[H52]") {
  STATIC_REQUIRE_FALSE(read_duration("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"));  // -1 s
  STATIC_REQUIRE_FALSE(read_duration("\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"));
  STATIC_REQUIRE_FALSE(read_duration("\x10\x80\x94\xeb\xdc\x03"));  // 1e9 ns
}

TEST_CASE("H52 bytes that are no protobuf have no delay", "[H52]") {
  const std::string good = status_with(retry_info, field(1, "\x08\x05"));
  for (const std::string_view bad :
       {"\x08"sv, "\x08\x80"sv, "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"sv,
        "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"sv, "\x12\x05text"sv, "\x0d\x01\x02\x03"sv,
        "\x09\x01\x02\x03\x04\x05\x06\x07"sv, "\x0b"sv, "\x0c"sv, "\x0f"sv, "\x00\x01"sv,
        "\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"sv, "\x80\x80\x80\x80\x10\x01"sv}) {
    CAPTURE(bad.size(), static_cast<int>(bad.front()));
    CHECK_FALSE(read_retry_delay(good + std::string{bad}));
  }
  CHECK(read_retry_delay(good + std::string{"\x0d\x01\x02\x03\x04\x09\x01\x02\x03\x04\x05\x06\x07\x08"}) ==
        5s);
}

TEST_CASE("H52 every prefix, and changed bytes, are read without harm", "[H52]") {
  for (std::size_t size = 0; size < one_and_a_half.size(); ++size) {
    const std::string cut{one_and_a_half.substr(0, size)};  // of its own, for AddressSanitizer
    CHECK_FALSE(read_retry_delay(cut));
  }
  std::mt19937 random{17};
  std::size_t found = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string bytes{one_and_a_half};
    for (auto changes = 1 + random() % 4; changes > 0; --changes) {
      bytes[random() % bytes.size()] = static_cast<char>(random());
    }
    const auto delay = read_retry_delay(bytes);
    found += delay ? 1U : 0U;
    if (delay && *delay < 0ms) FAIL("a negative delay");
  }
  CHECK(found > 0);
}

TEST_CASE("H52 H53 what a server writes is what protobuf writes, and is read back", "[H52][H53]") {
  CHECK(detail::write_rpc_status(14, "busy", 1500ms) == one_and_a_half);
  for (const auto delay : {0ms, 1ms, 999ms, 60'000ms}) {
    CHECK(read_retry_delay(detail::write_rpc_status(8, std::string(300, 'x'), delay)) == delay);
  }
  CHECK(read_retry_delay(detail::write_rpc_status(8, "", std::chrono::milliseconds::max())) ==
        std::chrono::seconds{315'576'000'000});
}

TEST_CASE("H51 a pushback is a signed 32-bit number without leading zeros, else it asks for no retry",
          "[H51]") {
  STATIC_REQUIRE(read_pushback("0") == 0ms);
  STATIC_REQUIRE(read_pushback("250") == 250ms);
  STATIC_REQUIRE(read_pushback("2147483647") == 2'147'483'647ms);
  for (const char* text : {"", "-1", "-2147483648", "-0", "+5", " 5", "5 ", "007", "1.5", "1e3", "soon",
                           "2147483648", "99999999999999999999999"}) {
    CAPTURE(text);
    CHECK(read_pushback(text) < 0ms);
  }
}
