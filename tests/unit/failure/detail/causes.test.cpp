#include <fusebox/failure.hpp>
#include <fusebox/failure/detail/causes.hpp>

#include <cstdint>
#include <memory>
#include <optional>

#include "catch.hpp"

using namespace fusebox;
using detail::Cause;
using detail::Causes;

namespace {

Cause cause(int status) {
  return std::make_shared<const std::optional<Failure>>(Failure::from_status(status));
}
int status(const Cause& cause) { return cause ? cause->value().status().value() : 0; }

}  // namespace

TEST_CASE("B18 a cause is that of the last opening up to a generation", "[B18]") {
  Causes causes;
  CHECK(causes.at(5) == nullptr);
  causes.put(10, cause(500));
  causes.put(20, nullptr);
  causes.put(30, cause(503));
  CHECK(causes.at(9) == nullptr);
  CHECK(status(causes.at(10)) == 500);
  CHECK(status(causes.at(19)) == 500);
  CHECK(causes.at(20) == nullptr);
  CHECK(causes.at(29) == nullptr);
  CHECK(status(causes.at(1000)) == 503);
}

TEST_CASE("B18 the last eight openings are remembered", "[B18]") {
  Causes causes;
  for (int i = 1; i <= 9; ++i) causes.put(static_cast<std::uint32_t>(10 * i), cause(500 + i));
  CHECK(causes.at(19) == nullptr);
  for (int i = 2; i <= 9; ++i) CHECK(status(causes.at(static_cast<std::uint32_t>(10 * i))) == 500 + i);
}

TEST_CASE("B18 generations wrap around", "[B18]") {
  Causes causes;
  causes.put(0xffff'fff0, cause(500));
  causes.put(5, cause(503));
  CHECK(status(causes.at(0xffff'fff5)) == 500);
  CHECK(status(causes.at(4)) == 500);
  CHECK(status(causes.at(6)) == 503);
}
