#include <fusebox/detail/number_text.hpp>

#include <array>
#include <bit>
#include <charconv>
#include <clocale>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <string_view>
#include <utility>

#include "catch.hpp"

using namespace fusebox;

namespace {

template <class T>
std::string number(T value) {
  std::string out;
  detail::append_number(out, value);
  return out;
}

std::string without_to_chars(double value) {
  std::string out;
  detail::append_shortest(out, value);
  return out;
}

#if FUSEBOX_DETAIL_TO_CHARS
std::string with_to_chars(double value) {
  std::array<char, 32> text{};
  return {text.data(), std::to_chars(text.data(), text.data() + text.size(), value).ptr};
}

/// How many numbers are written in two ways, and one of them.
struct Differences {
  int count = 0;
  std::string example;

  void look_at(double value) {
    const std::string ours = without_to_chars(value);
    const std::string theirs = with_to_chars(value);
    if (ours == theirs) return;
    ++count;
    example = ours + " instead of " + theirs;
  }
};

std::uint64_t bits_of(std::mt19937_64& random, int count) { return random() >> (64 - count); }
int below(std::mt19937_64& random, int end) {
  return static_cast<int>(random() % static_cast<unsigned>(end));
}
#endif

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

}  // namespace

TEST_CASE("L1 whole numbers are written in full", "[L1]") {
  CHECK(number(0) == "0");
  CHECK(number(std::numeric_limits<long long>::min()) == "-9223372036854775808");
  CHECK(number(std::numeric_limits<unsigned long long>::max()) == "18446744073709551615");
}

TEST_CASE("L1 the shortest text of a double, by std::to_chars and without it", "[L1]") {
  const std::pair<double, const char*> examples[] = {
      {0.0, "0"},
      {-0.0, "-0"},
      {1.0, "1"},
      {-1.5, "-1.5"},
      {0.1, "0.1"},
      {0.3, "0.3"},
      {0.1 + 0.2, "0.30000000000000004"},
      {2.0 / 3, "0.6666666666666666"},
      {1.0 / 3, "0.3333333333333333"},
      {100, "100"},
      {1795896257.414, "1795896257.414"},
      // the shorter form; without an exponent if both are of one length
      {0.001, "0.001"},
      {0.0001, "1e-04"},
      {0.00012, "0.00012"},
      {0.000123, "0.000123"},
      {0.0000123, "1.23e-05"},
      {10'000, "10000"},
      {100'000, "1e+05"},
      {12'300'000, "12300000"},
      {1'230'000'000, "1.23e+09"},
      {1e100, "1e+100"},
      {1e-100, "1e-100"},
      // whole numbers beyond 2^53: all of their digits
      {18'014'398'509'481'984.0, "18014398509481984"},
      {36'893'488'147'419'103'232.0, "36893488147419103232"},
      {73'786'976'294'838'206'464.0, "73786976294838206464"},
      {1e22, "1e+22"},
      // a power of two: the nearest decimal of 16 digits is too far below, the next one is not
      {0x1p-44, "5.684341886080802e-14"},
      {0x1p-24, "5.960464477539063e-08"},
      {9007199254740993.0, "9007199254740992"},
      // the ends
      {std::numeric_limits<double>::max(), "1.7976931348623157e+308"},
      {std::numeric_limits<double>::min(), "2.2250738585072014e-308"},
      {0x0.fffffffffffffp-1022, "2.225073858507201e-308"},
      {std::numeric_limits<double>::denorm_min(), "5e-324"},
      {2 * std::numeric_limits<double>::denorm_min(), "1e-323"},
      {infinity, "inf"},
      {-infinity, "-inf"},
      {not_a_number, "nan"},
  };
  for (const auto& [value, text] : examples) {
    CHECK(number(value) == text);
    CHECK(without_to_chars(value) == text);
  }
}

#if FUSEBOX_DETAIL_TO_CHARS
TEST_CASE("L1 both ways write the same text of any double", "[L1]") {
  std::mt19937_64 random{13};
  Differences differences;
  for (int exponent = -1074; exponent < 1024; ++exponent) {
    const double power = std::ldexp(1.0, exponent);
    differences.look_at(power);
    differences.look_at(-power);
    differences.look_at(std::nextafter(power, 0));
    differences.look_at(std::nextafter(power, infinity));
    differences.look_at(std::ldexp(static_cast<double>(bits_of(random, 53)), exponent - 52));
  }
  for (int i = 0; i < 10'000; ++i) {
    const auto any = std::bit_cast<double>(random());
    if (!std::isnan(any)) differences.look_at(any);
    differences.look_at(std::bit_cast<double>(bits_of(random, 1 + below(random, 52))));  // subnormal
    differences.look_at(below(random, 1000) / (1.0 + below(random, 1000)));              // a rate
    differences.look_at(static_cast<double>(bits_of(random, 1 + below(random, 64))));    // whole
    differences.look_at(below(random, 100'000) * std::pow(10.0, below(random, 40) - 20));
  }
  INFO(differences.example);
  CHECK(differences.count == 0);
}
#endif

TEST_CASE("L1 a locale with a decimal comma changes nothing", "[L1]") {
  const std::string before = std::setlocale(LC_NUMERIC, nullptr);
  for (const char* name : {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "sv_SE.UTF-8", "ps_AF.UTF-8"}) {
    if (std::setlocale(LC_NUMERIC, name) == nullptr) continue;  // not installed
    CHECK(without_to_chars(0.25) == "0.25");
    CHECK(without_to_chars(1.2345678901234567e+20) == "123456789012345667584");
    CHECK(without_to_chars(-1.5e-300) == "-1.5e-300");
    CHECK(number(2.0 / 3) == "0.6666666666666666");
  }
  std::setlocale(LC_NUMERIC, before.c_str());
}

TEST_CASE("L1 the next larger number of as many digits carries nines", "[L1]") {
  const auto next = [](std::string_view digits) {
    detail::DecimalDigits number;
    for (const char digit : digits) number.digits[number.count++] = digit;
    number.step_up();
    return std::string{number.digits, digits.size()} + "e" + std::to_string(number.exponent);
  };
  CHECK(next("128") == "129e0");
  CHECK(next("129") == "130e0");
  CHECK(next("1999") == "2000e0");
  CHECK(next("999") == "100e1");
  CHECK(next("9") == "1e1");
}
