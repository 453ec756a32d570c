#include <fusebox/failure.hpp>
#include <fusebox/failure/detail/caught_as.hpp>

#include <exception>
#include <filesystem>
#include <ios>
#include <stdexcept>
#include <string>
#include <system_error>

#include "catch.hpp"
#include "support/thrown.hpp"

using namespace fusebox;
using support::thrown;

namespace {

struct Payload {
  virtual ~Payload() = default;
  long data[5] = {};
};
struct LateApiError : Payload, ApiError {
  LateApiError() : ApiError{ErrorCode::conflict, "late"} {}
};
struct DeepLateApiError : LateApiError {};
struct SecretApiError : private ApiError {
  SecretApiError() : ApiError{ErrorCode::conflict, "secret"} {}
};
struct VirtualSystemError : virtual std::system_error {
  VirtualSystemError() : std::system_error{std::make_error_code(std::errc::timed_out)} {}
};
struct Diamond : VirtualSystemError, Payload {
  Diamond() : std::system_error{std::make_error_code(std::errc::timed_out)} {}
};
struct CodeOnTheSide : Payload, std::error_code {
  CodeOnTheSide() : std::error_code{std::make_error_code(std::errc::broken_pipe)} {}
};
struct FirstCode : std::error_code {};
struct SecondCode : std::error_code {};
struct Ambiguous : FirstCode, SecondCode {};
struct Both : std::system_error, ApiError {
  Both() : std::system_error{ENOENT, std::generic_category()}, ApiError{ErrorCode::gone, "gone"} {}
};

}  // namespace

TEST_CASE("F9 a known error is found in what derives from it, wherever it lies", "[F9]") {
  CHECK(thrown(LateApiError{}).status() == 409);
  CHECK(thrown(DeepLateApiError{}).status() == 409);
  CHECK(thrown(VirtualSystemError{}).code() == std::errc::timed_out);
  CHECK(thrown(Diamond{}).code() == std::errc::timed_out);
  CHECK(thrown(CodeOnTheSide{}).code() == std::errc::broken_pipe);
  CHECK(thrown(std::ios_base::failure{"stream"}).code() == std::io_errc::stream);
  CHECK(thrown(std::filesystem::filesystem_error{"open", std::make_error_code(std::errc::io_error)}).code() ==
        std::errc::io_error);
}

TEST_CASE("F9 an ApiError comes before a std::system_error of the same exception", "[F9]") {
  CHECK(thrown(Both{}).status() == 410);
}

TEST_CASE("F9 a base that no handler would take is not found", "[F9]") {
  CHECK_FALSE(thrown(SecretApiError{}).code());
  CHECK_FALSE(thrown(Ambiguous{}).code());
  const LateApiError pointed_to;
  CHECK_FALSE(thrown(&pointed_to).code());
  CHECK_FALSE(thrown(&pointed_to).status());
  CHECK_FALSE(thrown(std::errc::timed_out).code());
}

#if FUSEBOX_DETAIL_WALK_BASES
namespace {

/// What a handler for a const T& receives; null if there is none.
template <class T>
const void* caught_by_handler(const std::exception_ptr& exception) {
  try {
    std::rethrow_exception(exception);
  } catch (const T& error) {
    return &error;
  } catch (...) {
    return nullptr;
  }
}

template <class T>
void check_as_handler(const std::exception_ptr& exception) {
  CHECK(static_cast<const void*>(detail::caught_as<T>(exception)) == caught_by_handler<T>(exception));
}

template <class E>
void check_like_handlers(const E& error) {
  const std::exception_ptr exception = thrown(error).exception();
  check_as_handler<ApiError>(exception);
  check_as_handler<std::system_error>(exception);
  check_as_handler<std::error_code>(exception);
  check_as_handler<std::exception>(exception);
  check_as_handler<std::nested_exception>(exception);
  check_as_handler<ConfigError>(exception);
}

}  // namespace

TEST_CASE("F9 caught_as finds the very object that a handler receives", "[F9]") {
  check_like_handlers(ApiError{ErrorCode::gone, "gone"});
  check_like_handlers(CircuitOpenError{"b"});
  check_like_handlers(LateApiError{});
  check_like_handlers(DeepLateApiError{});
  check_like_handlers(SecretApiError{});
  check_like_handlers(VirtualSystemError{});
  check_like_handlers(Diamond{});
  check_like_handlers(CodeOnTheSide{});
  check_like_handlers(Ambiguous{});
  check_like_handlers(Both{});
  check_like_handlers(ConfigError{"text"});
  check_like_handlers(std::runtime_error{"text"});
  check_like_handlers(std::string{"text"});
  check_like_handlers(42);
  check_like_handlers(std::make_error_code(std::errc::io_error));
  static const LateApiError pointed_to;
  check_like_handlers(&pointed_to);
}

TEST_CASE("F9 caught_as sees through a rethrown exception", "[F9]") {
  try {
    try {
      throw LateApiError{};
    } catch (...) {
      std::rethrow_exception(std::current_exception());
    }
  } catch (const ApiError& error) {
    CHECK(detail::caught_as<ApiError>(std::current_exception()) == &error);
  }
}
#endif
