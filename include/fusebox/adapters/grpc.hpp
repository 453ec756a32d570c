// fusebox/adapters/grpc.hpp: how calls of gRPC end, as failures, and errors of a gRPC server.
//
//   failure_traits<grpc::Status>    an operation may return a grpc::Status as it is
//   grpc_result, GrpcResult         a status with the pushback that the server's trailers hold
//   set_deadline, CancelOnStop      the limits of a call around a grpc::ClientContext
//   to_grpc_status                  the grpc::Status that a server answers for an error
//   add_retry_pushback              asks the client to wait, or not to retry
//   grpc_category                   the std::error_category of grpc::StatusCode
//
// Needs gRPC C++; protobuf is not needed.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <exception>
#include <iterator>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <grpc/support/time.h>
#include <grpcpp/client_context.h>
#include <grpcpp/support/status.h>

#include <fusebox/adapters/grpc/detail/rpc_status.hpp>
#include <fusebox/api_error.hpp>
#include <fusebox/clock.hpp>
#include <fusebox/detail/no_destroy.hpp>
#include <fusebox/error_code.hpp>
#include <fusebox/error_response/detail/error_for_client.hpp>
#include <fusebox/failure.hpp>

#if FUSEBOX_DETAIL_STOP_TOKEN
#include <stop_token>
#endif

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// What a status code means to a caller.
struct GrpcCode {
  std::string_view name;
  int status;         ///< the HTTP status that google.rpc.Code names; 0 if the failure must have none
  bool is_transient;  ///< may a retry help?
};

/// By grpc::StatusCode. UNKNOWN, INTERNAL and DATA_LOSS have no status here: they are failures, but no 500
/// that is retried.
inline constexpr GrpcCode grpc_codes[] = {
    {"OK", 200, false},
    {"CANCELLED", 503, false},
    {"UNKNOWN", 0, false},
    {"INVALID_ARGUMENT", 400, false},
    {"DEADLINE_EXCEEDED", 504, true},
    {"NOT_FOUND", 404, false},
    {"ALREADY_EXISTS", 409, false},
    {"PERMISSION_DENIED", 403, false},
    {"RESOURCE_EXHAUSTED", 429, true},
    {"FAILED_PRECONDITION", 400, false},
    {"ABORTED", 409, false},
    {"OUT_OF_RANGE", 400, false},
    {"UNIMPLEMENTED", 501, false},
    {"INTERNAL", 0, false},
    {"UNAVAILABLE", 503, true},
    {"DATA_LOSS", 0, false},
    {"UNAUTHENTICATED", 401, false},
};

/// A code that is in no list, such as a newer one, is UNKNOWN.
[[nodiscard]] constexpr const GrpcCode& grpc_code(int value) noexcept {
  const bool is_known = value >= 0 && value < static_cast<int>(std::size(grpc_codes));
  return grpc_codes[is_known ? value : static_cast<int>(::grpc::StatusCode::UNKNOWN)];
}

class FUSEBOX_API GrpcErrorCategory final : public std::error_category {
 public:
  [[nodiscard]] const char* name() const noexcept override { return "grpc"; }
  [[nodiscard]] std::string message(int value) const override {
    return "gRPC " + std::string{grpc_code(value).name};
  }
  [[nodiscard]] std::error_condition default_error_condition(int value) const noexcept override {
    switch (value) {
      case static_cast<int>(::grpc::StatusCode::CANCELLED): return std::errc::operation_canceled;
      case static_cast<int>(::grpc::StatusCode::DEADLINE_EXCEEDED): return std::errc::timed_out;
      default: return {value, *this};
    }
  }
};

/// The same numbers for a failure that must not be retried, whatever its code.
class FUSEBOX_API GrpcFinalCategory final : public std::error_category {
 public:
  [[nodiscard]] const char* name() const noexcept override { return "grpc.final"; }
  [[nodiscard]] std::string message(int value) const override {
    return "gRPC " + std::string{grpc_code(value).name} + " (no retry helps)";
  }
};

[[nodiscard]] FUSEBOX_API inline const std::error_category& grpc_final_category() noexcept {
  static const NoDestroy<GrpcFinalCategory> category;
  return *category;
}

/// The status code in place of an HTTP status.
[[nodiscard]] constexpr ::grpc::StatusCode grpc_code_of_http(int status) noexcept {
  switch (status) {
    case 401: return ::grpc::StatusCode::UNAUTHENTICATED;
    case 403: return ::grpc::StatusCode::PERMISSION_DENIED;
    case 404:
    case 410: return ::grpc::StatusCode::NOT_FOUND;
    case 408:
    case 504: return ::grpc::StatusCode::DEADLINE_EXCEEDED;
    case 409: return ::grpc::StatusCode::ABORTED;
    case 429: return ::grpc::StatusCode::RESOURCE_EXHAUSTED;
    case 405:
    case 501: return ::grpc::StatusCode::UNIMPLEMENTED;
    case 502:
    case 503: return ::grpc::StatusCode::UNAVAILABLE;
    default:
      return status >= 400 && status < 500 ? ::grpc::StatusCode::INVALID_ARGUMENT
                                           : ::grpc::StatusCode::INTERNAL;
  }
}

}  // namespace detail

/// The category of grpc::StatusCode: `std::error_code{grpc::StatusCode::ABORTED, grpc_category()}`. CANCELLED
/// equals std::errc::operation_canceled, DEADLINE_EXCEEDED equals std::errc::timed_out. One object per
/// process.
[[nodiscard]] FUSEBOX_API inline const std::error_category& grpc_category() noexcept {
  static const detail::NoDestroy<detail::GrpcErrorCategory> category;
  return *category;
}

/// How a call ended, and what the server asks of a retry (H51).
struct GrpcResult {
  ::grpc::Status status;
  /// The wait that the trailers ask for, if any; negative for no retry at all.
  std::optional<std::chrono::milliseconds> pushback;

  [[nodiscard]] bool ok() const { return status.ok(); }
};

/// The status with the grpc-retry-pushback-ms in the trailers of `context`, whose call has ended (gRFC A6). A
/// text that is no number, and more than one field, ask for no retry.
[[nodiscard]] inline GrpcResult grpc_result(::grpc::Status status, const ::grpc::ClientContext& context) {
  GrpcResult result{std::move(status), std::nullopt};
  if (result.ok()) return result;
  const auto [first, last] = context.GetServerTrailingMetadata().equal_range("grpc-retry-pushback-ms");
  if (first == last) return result;
  const bool is_only = std::next(first) == last;
  const std::string_view text{first->second.data(), first->second.size()};
  result.pushback = is_only ? detail::read_pushback(text) : std::chrono::milliseconds{-1};
  return result;
}

namespace detail {

/// Is a message above the size limit of the client or of the server? Then the call may have been executed,
/// and no retry makes the message smaller.
[[nodiscard]] inline bool is_too_large(const ::grpc::Status& status) {
  return status.error_code() == ::grpc::StatusCode::RESOURCE_EXHAUSTED &&
         status.error_message().find("message larger than max") != std::string::npos;
}

[[nodiscard]] inline std::optional<Failure> grpc_failure(const ::grpc::Status& status,
                                                         std::optional<std::chrono::milliseconds> pushback) {
  if (status.ok()) return std::nullopt;
  const int value = status.error_code();
  if (value == ::grpc::StatusCode::CANCELLED) return Failure{make_error_code(PolicyErrc::cancelled)};
  const GrpcCode& code = grpc_code(value);
  const bool is_final = pushback && *pushback < std::chrono::milliseconds::zero();
  if ((code.is_transient && is_final) || is_too_large(status))
    return Failure{std::error_code{value, grpc_final_category()}};
  if (code.status == 0) return Failure{std::error_code{value, grpc_category()}};
  std::string text{"gRPC "};
  text.append(code.name).append(status.error_message().empty() ? "" : ": ").append(status.error_message());
  ApiError error{static_cast<ErrorCode>(code.status), text, std::error_code{value, grpc_category()},
                 SystemClock{}.wall_now()};
  std::optional<std::chrono::milliseconds> wait = detail::read_retry_delay(status.error_details());
  if (pushback && !is_final) wait = std::max(*pushback, wait.value_or(*pushback));
  if (wait) error = error.with_retry_after(*wait);
  return Failure{error.from_upstream({})};
}

}  // namespace detail

/// The failure of a status (H50); std::nullopt for OK. Its code is that of grpc_category(), its text that of
/// the status, its Retry-After the delay of a google.rpc.RetryInfo in the details. A message above a size
/// limit is not retried: its category is `grpc.final`.
template <>
struct failure_traits<::grpc::Status> {
  [[nodiscard]] static std::optional<Failure> failure(const ::grpc::Status& status) {
    return detail::grpc_failure(status, std::nullopt);
  }
};

/// The same with the pushback. The longer wait counts, if there are two. After a negative pushback a failure
/// that would be transient is not: it has the category `grpc.final`.
template <>
struct failure_traits<GrpcResult> {
  [[nodiscard]] static std::optional<Failure> failure(const GrpcResult& result) {
    return detail::grpc_failure(result.status, result.pushback);
  }
};

/// Ends the call of `context`, which has not begun, with DEADLINE_EXCEEDED at `deadline`: by what is left of
/// it, so that any clock will do. Does nothing for a deadline that never comes.
inline void set_deadline(::grpc::ClientContext& context, const Deadline& deadline) {
  if (deadline.is_never()) return;
  const std::chrono::nanoseconds left = deadline.remaining();
  // gRPC rounds up to milliseconds, in which a call to a near server may succeed.
  const std::chrono::nanoseconds in =
      left > std::chrono::nanoseconds::zero() ? left : std::chrono::nanoseconds{std::chrono::seconds{-1}};
  context.set_deadline(
      ::gpr_time_add(::gpr_now(GPR_CLOCK_MONOTONIC), ::gpr_time_from_nanos(in.count(), GPR_TIMESPAN)));
}

#if FUSEBOX_DETAIL_STOP_TOKEN
/// Cancels the call of `context` once `token` is stopped, also before the call. Destroy it after the call has
/// ended and before `context`.
class CancelOnStop {
 public:
  CancelOnStop(::grpc::ClientContext& context, StopToken token)
      : on_stop_{std::move(token), Cancel{&context}} {}

 private:
  struct Cancel {
    ::grpc::ClientContext* context;
    void operator()() const { context->TryCancel(); }
  };
  std::stop_callback<Cancel> on_stop_;
};
#else
class CancelOnStop {
 public:
  CancelOnStop(::grpc::ClientContext& /*context*/, StopToken /*token*/) {}
  CancelOnStop(const CancelOnStop&) = delete;
  CancelOnStop& operator=(const CancelOnStop&) = delete;
};
#endif

/// What a server answers for `error` (H53): the status code in place of its HTTP status, its text, and a
/// google.rpc.RetryInfo in the details if it has a Retry-After. An error from upstream becomes a generic one
/// (H4).
[[nodiscard]] inline ::grpc::Status to_grpc_status(const ApiError& error) {
  const ApiError shown = error.is_upstream() ? detail::generic_error(error) : error;
  const ::grpc::StatusCode code = detail::grpc_code_of_http(static_cast<int>(shown.code()));
  const std::string text = shown.message();
  if (!shown.retry_after()) return {code, text};
  const auto wait = std::max(*shown.retry_after(), std::chrono::milliseconds::zero());
  return {code, text, detail::write_rpc_status(code, text, wait)};
}

/// The same for any exception, without leaking internals (H4).
[[nodiscard]] inline ::grpc::Status to_grpc_status(const std::exception_ptr& exception) {
  return to_grpc_status(detail::error_for_client(exception));
}

/// The same for a failure: of an exception as above; of a value always a generic error.
[[nodiscard]] inline ::grpc::Status to_grpc_status(const Failure& failure) {
  if (failure.exception()) return to_grpc_status(failure.exception());
  const ApiError error = detail::OwnError::of(failure);
  return to_grpc_status(detail::generic_error(detail::gateway_code(failure), &error));
}

/// Asks the client of `context`, a server context, to wait before it retries; a negative wait asks for no
/// retry. Rounded up to milliseconds, at most about 24 days.
template <class ServerContext, class Rep, class Period>
void add_retry_pushback(ServerContext& context, std::chrono::duration<Rep, Period> wait) {
  const std::chrono::milliseconds most{std::numeric_limits<std::int32_t>::max()};
  const bool is_final = wait < std::chrono::duration<Rep, Period>::zero();
  const auto pushback =
      is_final ? std::chrono::milliseconds{-1} : std::min(detail::to_milliseconds(wait), most);
  context.AddTrailingMetadata("grpc-retry-pushback-ms", std::to_string(pushback.count()));
}

FUSEBOX_END_NAMESPACE
