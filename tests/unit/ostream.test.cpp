#include <fusebox/ostream.hpp>

#include <iomanip>
#include <sstream>
#include <string>

#include "catch.hpp"

using namespace fusebox;

namespace {
template <class E>
std::string written(E value) {
  std::ostringstream out;
  out << value;
  return out.str();
}
}  // namespace

TEST_CASE("R15 every public enum is written as its to_string()", "[R15]") {
  CHECK(written(ErrorCode::not_found) == to_string(ErrorCode::not_found));
  CHECK(written(ErrorCategory::external_service) == "external_service");
  CHECK(written(NetworkErrc::connection_reset) == to_string(NetworkErrc::connection_reset));
  CHECK(written(PolicyErrc::circuit_open) == to_string(PolicyErrc::circuit_open));
  CHECK(written(Outcome::ignored) == "ignored");
  CHECK(written(Jitter::proportional) == "proportional");
  CHECK(written(StopReason::budget_exhausted) == "budget_exhausted");
  CHECK(written(State::half_open) == to_string(State::half_open));
  CHECK(written(StateChangeReason::failure_threshold) == "failure_threshold");
}

TEST_CASE("R15 a value without a name is unknown", "[R15]") {
  CHECK(written(static_cast<StopReason>(99)) == "unknown");
  CHECK(written(static_cast<Jitter>(99)) == "unknown");
}

TEST_CASE("R15 width and fill work as for strings, and streams chain", "[R15]") {
  std::ostringstream out;
  out << std::setw(8) << std::setfill('.') << Outcome::failure << ' ' << Jitter::none << '!';
  CHECK(out.str() == ".failure none!");
}
