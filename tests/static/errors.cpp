// E1 to E5 and F9: how the error enums belong to <system_error>, and what the error classes promise at
// compile time.
#include <fusebox/api_error.hpp>
#include <fusebox/failure.hpp>

#include <chrono>
#include <exception>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>

namespace {

using namespace fusebox;

static_assert(std::is_same_v<std::underlying_type_t<ErrorCode>, int>);

template <class E>
inline constexpr bool is_code = std::is_error_code_enum_v<E> && std::is_convertible_v<E, std::error_code> &&
                                !std::is_error_condition_enum_v<E>;
static_assert(is_code<ErrorCode>);
static_assert(is_code<NetworkErrc>);
static_assert(is_code<PolicyErrc>);
static_assert(std::is_error_condition_enum_v<ErrorCategory>);
static_assert(std::is_convertible_v<ErrorCategory, std::error_condition>);
static_assert(!std::is_error_code_enum_v<ErrorCategory>);
static_assert(!std::is_convertible_v<ErrorCategory, std::error_code>);
static_assert(!std::is_error_code_enum_v<Outcome>);

// Copying and slicing never throw. Errors are made of nothing more than they need, and by no implicit
// conversion.
template <class E>
inline constexpr bool copies_nothrow =
    std::is_nothrow_copy_constructible_v<E> && std::is_nothrow_copy_assignable_v<E> &&
    std::is_nothrow_move_constructible_v<E> && std::is_nothrow_move_assignable_v<E> &&
    std::is_nothrow_destructible_v<E> && std::is_nothrow_constructible_v<ApiError, const E&>;
static_assert(copies_nothrow<ApiError>);
static_assert(copies_nothrow<RejectedError>);
static_assert(copies_nothrow<CircuitOpenError>);
static_assert(copies_nothrow<BulkheadFullError>);
static_assert(copies_nothrow<RateLimitedError>);
static_assert(copies_nothrow<ThrottledError>);
static_assert(copies_nothrow<TimeoutError>);
static_assert(copies_nothrow<CancelledError>);

static_assert(!std::is_default_constructible_v<ApiError>);
static_assert(!std::is_default_constructible_v<RejectedError>);
static_assert(std::is_default_constructible_v<CircuitOpenError>);
static_assert(std::is_default_constructible_v<TimeoutError>);
static_assert(std::is_default_constructible_v<CancelledError>);
static_assert(std::is_constructible_v<ApiError, ErrorCode, const char*>);
static_assert(std::is_constructible_v<ApiError, ErrorCode, std::string>);
static_assert(!std::is_constructible_v<ApiError, int>);
static_assert(!std::is_constructible_v<ApiError, int, const char*>);
static_assert(!std::is_constructible_v<ApiError, std::string>);
static_assert(!std::is_convertible_v<ErrorCode, ApiError>);
static_assert(!std::is_convertible_v<const char*, TimeoutError>);
static_assert(!std::is_convertible_v<std::string, CircuitOpenError>);
static_assert(!std::is_convertible_v<ApiError, RejectedError>);
static_assert(!std::is_convertible_v<ApiError, CircuitOpenError>);

// E4: only the library makes a RejectedError.
static_assert(!std::is_constructible_v<RejectedError, PolicyErrc>);
static_assert(!std::is_constructible_v<RejectedError, std::string>);

// The with_ functions of lvalues and of rvalues return the type of the error.
template <class E>
inline constexpr bool is_fluent =
    std::is_same_v<decltype(std::declval<const E&>().with_category(ErrorCategory::network)), E> &&
    std::is_same_v<decltype(std::declval<const E&>().with_details("text")), E> &&
    std::is_same_v<decltype(std::declval<const E&>().with_request_id("id")), E> &&
    std::is_same_v<decltype(std::declval<E>().with_path("/path")), E> &&
    std::is_same_v<decltype(std::declval<E>().with_retry_after(std::chrono::seconds{1})), E> &&
    std::is_same_v<decltype(std::declval<E>().with_timestamp({})), E> &&
    std::is_same_v<decltype(std::declval<E>().from_upstream("service")), E>;
static_assert(is_fluent<ApiError>);
static_assert(is_fluent<RejectedError>);
static_assert(is_fluent<CircuitOpenError>);
static_assert(is_fluent<BulkheadFullError>);
static_assert(is_fluent<RateLimitedError>);
static_assert(is_fluent<ThrottledError>);
static_assert(is_fluent<TimeoutError>);
static_assert(is_fluent<CancelledError>);

// The getters never throw.
static_assert(noexcept(std::declval<const ApiError&>().code()));
static_assert(noexcept(std::declval<const ApiError&>().category()));
static_assert(noexcept(std::declval<const ApiError&>().reason()));
static_assert(noexcept(std::declval<const ApiError&>().details()));
static_assert(noexcept(std::declval<const ApiError&>().timestamp()));
static_assert(noexcept(std::declval<const ApiError&>().retry_after()));
static_assert(noexcept(std::declval<const ApiError&>().request_id()));
static_assert(noexcept(std::declval<const ApiError&>().path()));
static_assert(noexcept(std::declval<const ApiError&>().is_upstream()));
static_assert(noexcept(std::declval<const ApiError&>().upstream()));
static_assert(noexcept(std::declval<const RejectedError&>().name()));

// ErrorDetails comes from any string.
static_assert(std::is_convertible_v<const char*, ErrorDetails>);
static_assert(std::is_convertible_v<const char (&)[5], ErrorDetails>);
static_assert(std::is_convertible_v<std::string, ErrorDetails>);
static_assert(std::is_convertible_v<std::string_view, ErrorDetails>);
static_assert(!std::is_convertible_v<int, ErrorDetails>);
static_assert(std::is_default_constructible_v<ErrorDetails>);

// A Failure: cheap to make, a value, and never made by accident.
static_assert(noexcept(Failure::from_current_exception()));
static_assert(!std::is_convertible_v<std::error_code, Failure>);
static_assert(!std::is_convertible_v<ApiError, Failure>);
static_assert(std::is_constructible_v<Failure, ApiError>);
static_assert(std::is_constructible_v<Failure, CircuitOpenError>);
static_assert(std::is_constructible_v<Failure, std::error_code>);
static_assert(!std::is_default_constructible_v<Failure>);
static_assert(std::is_copy_constructible_v<Failure> && std::is_copy_assignable_v<Failure>);
static_assert(std::is_nothrow_move_constructible_v<Failure>);
static_assert(
    std::is_same_v<decltype(std::declval<const Failure&>().exception()), const std::exception_ptr&>);
static_assert(noexcept(std::declval<const Failure&>().exception()));
static_assert(noexcept(std::declval<const Failure&>().code()));
static_assert(noexcept(std::declval<const Failure&>().category()));
static_assert(noexcept(std::declval<const Failure&>().status()));
static_assert(noexcept(std::declval<const Failure&>().retry_after()));
static_assert(noexcept(std::declval<const Failure&>().is_rejection()));
static_assert(noexcept(std::declval<const Failure&>().is_cancellation()));
static_assert(noexcept(std::declval<const Failure&>().is_timeout()));
static_assert(noexcept(std::declval<const Failure&>().is_transient()));
static_assert(std::is_same_v<decltype(std::declval<Failure&>().message()), std::string>);

}  // namespace
