// The values of the error enums, how they belong to <system_error>, and what the error classes promise.
#include <fusebox/api_error.hpp>

#include <stdexcept>
#include <string_view>
#include <system_error>
#include <type_traits>

#include <fusebox/failure.hpp>

namespace {

using namespace fusebox;

static_assert(std::is_same_v<std::underlying_type_t<ErrorCode>, int>);
static_assert(static_cast<int>(ErrorCode::validation_error) == 400);
static_assert(ErrorCode::bad_request == ErrorCode::validation_error);
static_assert(static_cast<int>(ErrorCode::unauthorized) == 401);
static_assert(static_cast<int>(ErrorCode::forbidden) == 403);
static_assert(static_cast<int>(ErrorCode::not_found) == 404);
static_assert(static_cast<int>(ErrorCode::method_not_allowed) == 405);
static_assert(static_cast<int>(ErrorCode::request_timeout) == 408);
static_assert(static_cast<int>(ErrorCode::conflict) == 409);
static_assert(static_cast<int>(ErrorCode::gone) == 410);
static_assert(static_cast<int>(ErrorCode::payload_too_large) == 413);
static_assert(static_cast<int>(ErrorCode::unprocessable_content) == 422);
static_assert(static_cast<int>(ErrorCode::rate_limit_exceeded) == 429);
static_assert(static_cast<int>(ErrorCode::internal_server_error) == 500);
static_assert(static_cast<int>(ErrorCode::not_implemented) == 501);
static_assert(static_cast<int>(ErrorCode::bad_gateway) == 502);
static_assert(static_cast<int>(ErrorCode::service_unavailable) == 503);
static_assert(static_cast<int>(ErrorCode::gateway_timeout) == 504);

// From 1, so that none of them is an error_condition or error_code that says "no error".
static_assert(static_cast<int>(ErrorCategory::validation) == 1);
static_assert(static_cast<int>(ErrorCategory::authentication) == 2);
static_assert(static_cast<int>(ErrorCategory::authorization) == 3);
static_assert(static_cast<int>(ErrorCategory::not_found) == 4);
static_assert(static_cast<int>(ErrorCategory::rate_limit) == 5);
static_assert(static_cast<int>(ErrorCategory::external_service) == 6);
static_assert(static_cast<int>(ErrorCategory::internal) == 7);
static_assert(static_cast<int>(ErrorCategory::network) == 8);
static_assert(static_cast<int>(NetworkErrc::connection_reset) != 0);
static_assert(static_cast<int>(NetworkErrc::timed_out) != 0);
static_assert(static_cast<int>(NetworkErrc::host_not_found) != 0);
static_assert(static_cast<int>(NetworkErrc::connection_refused) != 0);
static_assert(static_cast<int>(PolicyErrc::circuit_open) != 0);
static_assert(static_cast<int>(PolicyErrc::bulkhead_full) != 0);
static_assert(static_cast<int>(PolicyErrc::rate_limited) != 0);
static_assert(static_cast<int>(PolicyErrc::timed_out) != 0);
static_assert(static_cast<int>(PolicyErrc::cancelled) != 0);

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

// Constant expressions.
static_assert(to_string(ErrorCategory::external_service) == std::string_view{"external_service"});
static_assert(category_of(404) == ErrorCategory::not_found);
static_assert(category_of(ErrorCode::bad_gateway) == ErrorCategory::external_service);
static_assert(http_status(ErrorCategory::network) == 500);
static_assert(is_retryable_status(503) && !is_retryable_status(501));
static_assert(is_retryable(ErrorCode::request_timeout) && !is_retryable(ErrorCode::conflict));
static_assert(noexcept(to_string(ErrorCode::gone)) && noexcept(category_of(0)) && noexcept(http_status({})));

// The hierarchy.
static_assert(std::is_base_of_v<std::runtime_error, ApiError>);
static_assert(std::is_convertible_v<ApiError*, std::runtime_error*>);
static_assert(std::is_convertible_v<RejectedError*, ApiError*>);
static_assert(std::is_convertible_v<CircuitOpenError*, RejectedError*>);
static_assert(std::is_convertible_v<BulkheadFullError*, RejectedError*>);
static_assert(std::is_convertible_v<RateLimitedError*, RejectedError*>);
static_assert(std::is_convertible_v<TimeoutError*, ApiError*>);
static_assert(std::is_convertible_v<CancelledError*, ApiError*>);
static_assert(!std::is_base_of_v<RejectedError, TimeoutError>);
static_assert(!std::is_base_of_v<RejectedError, CancelledError>);

// Copying never throws; each is made of nothing more than it needs, and by no implicit conversion.
template <class E>
inline constexpr bool copies_nothrow =
    std::is_nothrow_copy_constructible_v<E> && std::is_nothrow_copy_assignable_v<E> &&
    std::is_nothrow_move_constructible_v<E> && std::is_nothrow_move_assignable_v<E>;
static_assert(copies_nothrow<ApiError>);
static_assert(copies_nothrow<RejectedError>);
static_assert(copies_nothrow<CircuitOpenError>);
static_assert(copies_nothrow<BulkheadFullError>);
static_assert(copies_nothrow<RateLimitedError>);
static_assert(copies_nothrow<TimeoutError>);
static_assert(copies_nothrow<CancelledError>);

static_assert(!std::is_default_constructible_v<ApiError>);
static_assert(!std::is_default_constructible_v<RejectedError>);
static_assert(std::is_default_constructible_v<TimeoutError>);
static_assert(std::is_default_constructible_v<CancelledError>);
static_assert(std::is_constructible_v<ApiError, ErrorCode, const char*>);
static_assert(std::is_constructible_v<ApiError, ErrorCode, std::string>);
static_assert(!std::is_constructible_v<ApiError, int, const char*>);
static_assert(!std::is_convertible_v<ErrorCode, ApiError>);
static_assert(!std::is_convertible_v<const char*, TimeoutError>);
static_assert(!std::is_convertible_v<std::string, CircuitOpenError>);
static_assert(!std::is_convertible_v<ApiError, CircuitOpenError>);

// Built fluently, on lvalues and on rvalues, and a derived error stays what it is.
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
static_assert(is_fluent<TimeoutError>);
static_assert(is_fluent<CancelledError>);

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
static_assert(!std::is_convertible_v<std::error_code, Failure>);
static_assert(std::is_same_v<decltype(std::declval<Failure&>().message()), std::string>);

}  // namespace
