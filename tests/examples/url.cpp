// The examples' parsers: one host has one spelling, and hostile texts are refused by the name of their part.
#include "support/url.hpp"

#include <chrono>
#include <random>
#include <string>
#include <string_view>

#include "catch.hpp"
#include "support/arguments.hpp"

using namespace std::string_literals;
using support::parse_url;

namespace {

/// "host port path", or the problem.
std::string parts(std::string_view text) {
  const auto url = parse_url(text);
  return url ? url->host + ' ' + std::to_string(url->port) + ' ' + url->path : url.problem();
}

bool refuses(std::string_view text, std::string_view part) {
  const auto url = parse_url(text);
  return !url && url.problem().find(part) != std::string::npos;
}

std::string repeat(std::string_view text, int times) {
  std::string result;
  for (int i = 0; i < times; ++i) result += text;
  return result;
}

}  // namespace

TEST_CASE("a host has one spelling") {
  for (const char* text :
       {"http://a.example", "http://A.example/", "HTTP://a.EXAMPLE./", "http://a.example:80",
        "http://a.example:", "http://a.example.:0080/", "http://a.example#top"}) {
    CHECK(parts(text) == "a.example 80 /");
  }
  for (const char* text : {"http://[2001:db8::1]:8080/", "http://[2001:0DB8:0:0:0:0:0:1]:8080"}) {
    CHECK(parts(text) == "2001:db8::1 8080 /");
  }
  CHECK(parts("http://127.0.0.1.:65535") == "127.0.0.1 65535 /");
}

TEST_CASE("names that RFC 1123 allows are hosts") {
  for (const std::string& host : {"a"s, "3com"s, "4f2a9c"s, "a-b.xn--bcher-kva"s, "1.a"s, "0x.a"s,
                                  repeat("a", 63), repeat("a.", 126) + "a"}) {
    CHECK(parts("http://" + host) == host + " 80 /");
    CHECK(parts("http://" + host + ".") == host + " 80 /");
  }
}

TEST_CASE("the path begins at its slash or its question mark, and ends at the fragment") {
  CHECK(parts("http://a/b?c=d@e:f#g?h") == "a 80 /b?c=d@e:f");
  CHECK(parts("http://a?b/c") == "a 80 /?b/c");
  CHECK(parts("http://a/%0d%0a") == "a 80 /%0d%0a");
  CHECK(parts("http://a/" + repeat("b", 1999)) == "a 80 /" + repeat("b", 1999));
}

TEST_CASE("other schemes are refused") {
  for (const char* text :
       {"", "a", "a.example", "ftp://a", "https://a", "http:a", "http:/a", " http://a", "://a"}) {
    CHECK(refuses(text, "http://host:port/path"));
  }
}

TEST_CASE("user info is refused, and not repeated") {
  for (const char* text : {"http://me@a", "http://me:secret@a:80/", "http://@a", "http://:@a", "http://b\\@a",
                           "http://a:80@b", "http://[::1]@a"}) {
    CHECK(refuses(text, "user"));
    CHECK_FALSE(refuses(text, "secret"));
  }
}

TEST_CASE("hosts that are no name and no address are refused") {
  for (const std::string& host : {""s,
                                  "."s,
                                  ".."s,
                                  ".a"s,
                                  "a.."s,
                                  "a..b"s,
                                  "-a"s,
                                  "a-"s,
                                  "a.-b"s,
                                  "a-.b"s,
                                  "a_b"s,
                                  "a b"s,
                                  "a%41"s,
                                  "a%00"s,
                                  "a%0d%0a"s,
                                  "a\\b"s,
                                  "a,b"s,
                                  "a\xC3\xA4"s,
                                  "a\xFF"s,
                                  repeat("a", 64),
                                  repeat("a", 6000),
                                  repeat("a.", 126) + "aa",
                                  repeat("a.", 3000)}) {
    CHECK(refuses("http://" + host + "/", "host"));
  }
  for (int byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    const bool ends_host = c == '/' || c == '?' || c == '#' || c == ':' || c == '@';
    const bool in_name = support::is_digit(c) || (support::lower(c) >= 'a' && support::lower(c) <= 'z') ||
                         c == '-' || c == '.';
    if (!ends_host) CHECK(refuses("http://a"s + c + "b.example:80/", "host") == !in_name);
  }
}

TEST_CASE("other spellings of an address are refused") {
  for (const char* host : {"1", "127.1", "127.0.1", "2130706433", "0x7f000001", "0X7F.1", "0x", "0x.", "a.1",
                           "1.0x1", "256.0.0.1", "01.0.0.1", "1.2.3.4.5"}) {
    CHECK(refuses("http://"s + host, "host"));
  }
  for (const std::string& host :
       {"::1"s,    "[::1"s,        "::1]"s,     "[]"s,     "[[::1]]"s,   "[::1]]"s,     "[::1]x"s,
        "x[::1]"s, "[127.0.0.1]"s, "[a]"s,      "[:::1]"s, "[12345::]"s, "[::1%25lo]"s, "[::1%lo]"s,
        "[v1.a]"s, "[::1\0]"s,     "[::1\0x]"s, "[ ::1]"s, "[::1\r\n]"s, "[::1]."s}) {
    CHECK_FALSE(parse_url("http://" + host + "/"));
  }
}

TEST_CASE("ports outside of 1 to 65535 are refused") {
  for (const std::string& port : {"0"s, "65536"s, "-1"s, "+80"s, " 80"s, "80 "s, "8o"s, "0x50"s, "80:80"s,
                                  "80\0"s, "18446744073709551696"s, repeat("9", 6000)}) {
    CHECK(refuses("http://a:" + port + "/", "port"));
    CHECK(refuses("http://[::1]:" + port + "/", "port"));
  }
}

TEST_CASE("paths with blanks, control bytes or too many bytes are refused") {
  for (const std::string& path : {"/\r\nX: y"s, "/\n"s, "/\0"s, "/a b"s, "/\t"s, "/\x7F"s, "/\xC3\xA4"s,
                                  "?\r"s, "/" + repeat("a", 2000)}) {
    CHECK(refuses("http://a" + path, "path"));
  }
}

TEST_CASE("what is accepted is printable, and parses to itself") {
  constexpr std::string_view alphabet{"aZ09-.:@[]/?#%\\_ \r\n\0\x7F\xC3", 22};
  std::mt19937 random{1};
  int accepted = 0;
  for (int i = 0; i < 100'000; ++i) {
    std::string text = "http://";
    for (auto length = random() % 12; length > 0; --length) text += alphabet[random() % alphabet.size()];
    const auto url = parse_url(text);
    if (!url) continue;
    ++accepted;
    const bool ipv6 = url->host.find(':') != std::string::npos;
    const std::string again = (ipv6 ? "http://[" + url->host + "]" : "http://" + url->host) + ":" +
                              std::to_string(url->port) + url->path;
    CHECK(parts(again) == parts(text));
    for (const char c : again) CHECK((c > ' ' && c <= '~'));
  }
  CHECK(accepted > 1000);
}

TEST_CASE("a number is the whole text, within its limits") {
  CHECK(support::parse_number("007", 0, 9) == 7);
  CHECK(support::parse_number("-5", -9, 9) == -5);
  for (const std::string& text : {""s, " 1"s, "1 "s, "+1"s, "1.0"s, "1e1"s, "0x1"s, "1\0"s, "10"s, "-1"s,
                                  "99999999999999999999"s, "-99999999999999999999"s}) {
    CHECK_FALSE(support::parse_number(text, 0, 9));
  }
}

TEST_CASE("a time is above 0 and at most a day") {
  using namespace std::chrono_literals;
  CHECK(support::parse_duration("1ms") == 1ms);
  CHECK(support::parse_duration("86400s") == 24h);
  CHECK(support::parse_duration("1440m") == 24h);
  for (const char* text : {"", "ms", "s", "m", "0s", "-1s", "1", "1h", "1 s", "86401s", "1441m", "86400001ms",
                           "9223372036854775807m", "1.5s", "infs", "1sm"}) {
    CHECK_FALSE(support::parse_duration(text));
  }
}
