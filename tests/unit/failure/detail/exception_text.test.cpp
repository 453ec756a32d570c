#include <fusebox/failure.hpp>
#include <fusebox/failure/detail/exception_text.hpp>

#include <exception>
#include <stdexcept>
#include <string>

#include "catch.hpp"
#include "support/thrown.hpp"

using namespace fusebox;
using support::thrown;

namespace {

struct Both : std::runtime_error, std::logic_error {
  Both() : std::runtime_error{"run time"}, std::logic_error{"logic"} {}
};
struct DeepBoth : Both {};

struct Left : std::exception {
  [[nodiscard]] const char* what() const noexcept override { return "left"; }
};
struct Right : std::exception {
  [[nodiscard]] const char* what() const noexcept override { return "right"; }
};
struct LeftAndRight : Left, Right {};
struct Payload {
  virtual ~Payload() = default;
  long data[5] = {};
};
struct LateBases : Payload, Right, Left {};
struct VirtualLeft : virtual Left {};
struct VirtualBases : Payload, VirtualLeft, Right {};
struct Hidden : private Left {};
struct HiddenLeft : private Left, Right {};

struct Textless : std::exception {
  [[nodiscard]] const char* what() const noexcept override { return nullptr; }
};
struct TextlessApiError : ApiError {
  TextlessApiError() : ApiError{ErrorCode::gone, "gone"} {}
  [[nodiscard]] const char* what() const noexcept override { return nullptr; }
};
struct TextlessBoth : Textless, Right {};

}  // namespace

TEST_CASE("F8 an exception with several std::exception bases has the text of the first", "[F8]") {
  CHECK(thrown(Both{}).message() == "run time");
  CHECK(thrown(DeepBoth{}).message() == "run time");
#if FUSEBOX_DETAIL_WALK_BASES
  CHECK(thrown(LeftAndRight{}).message() == "left");
  CHECK(thrown(LateBases{}).message() == "right");
  CHECK(thrown(VirtualBases{}).message() == "left");
#endif
}

TEST_CASE("F8 an exception whose what() is null has a text all the same", "[F8]") {
  CHECK(thrown(Textless{}).message() == "exception without a text");
  CHECK(thrown(TextlessApiError{}).message() == "exception without a text");
  CHECK(TextlessApiError{}.message() == "gone");
  CHECK(Failure{TextlessApiError{}}.message() == "gone");
#if FUSEBOX_DETAIL_WALK_BASES
  CHECK(thrown(TextlessBoth{}).message() == "exception without a text");
#endif
}

TEST_CASE("F8 what is no std::exception for others is an unknown exception", "[F8]") {
  CHECK(thrown(Hidden{}).message() == "unknown exception");
#if FUSEBOX_DETAIL_WALK_BASES
  CHECK(thrown(HiddenLeft{}).message() == "right");
#endif
  CHECK(thrown(42).message() == "unknown exception");
  static const Left left;
  CHECK(thrown(&left).message() == "unknown exception");
}
