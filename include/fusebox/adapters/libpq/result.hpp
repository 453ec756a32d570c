// fusebox/adapters/libpq/result.hpp: pq::Result, what a call of libpq left (H61).
#pragma once
// IWYU pragma: private, include <fusebox/adapters/libpq.hpp>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>

#include <libpq-fe.h>
#include <netdb.h>

#include <fusebox/adapters/libpq/sqlstate.hpp>
#include <fusebox/api_error.hpp>
#include <fusebox/clock.hpp>
#include <fusebox/detail/macros.hpp>
#include <fusebox/detail/no_destroy.hpp>
#include <fusebox/detail/upstream_error.hpp>
#include <fusebox/error_code.hpp>
#include <fusebox/failure.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// The category of what libpq refuses without asking the server, such as a second command before the first
/// has ended.
class FUSEBOX_API LibpqErrorCategory final : public std::error_category {
 public:
  [[nodiscard]] const char* name() const noexcept override { return "libpq"; }
  [[nodiscard]] std::string message(int) const override { return "libpq refused the call"; }
};

[[nodiscard]] FUSEBOX_API inline const std::error_category& libpq_category() noexcept {
  static const NoDestroy<LibpqErrorCategory> category;
  return *category;
}

/// Why a connection could not be made; libpq gives only a text. Whatever the reason, nothing was processed.
[[nodiscard]] inline std::error_code libpq_connect_code(std::string_view text) {
  const auto has = [text](std::string_view part) { return text.find(part) != std::string_view::npos; };
  for (const int value : {EAI_NONAME, EAI_AGAIN, EAI_FAIL}) {
    if (has(::gai_strerror(value))) return make_error_code(NetworkErrc::host_not_found);
  }
  if (has(std::generic_category().message(ETIMEDOUT))) return make_error_code(NetworkErrc::timed_out);
  return make_error_code(NetworkErrc::connection_refused);
}

/// The SQLSTATE in the text of a failed connection, if the verbosity of its errors is PQERRORS_VERBOSE:
/// "…FATAL:  57P03: the database system is starting up". Empty if there is none.
[[nodiscard]] constexpr std::string_view sql_state_in(std::string_view text) noexcept {
  for (std::size_t at = text.rfind(":  "); at != std::string_view::npos && at != 0;
       at = text.rfind(":  ", at - 1)) {
    const std::string_view state = text.substr(at + 3, 5);
    if (sql_state_number(state) != 0 && text.substr(at + 8, 2) == ": ") return state;
  }
  return {};
}

/// A text of libpq without its line end, and without what follows the message itself.
[[nodiscard]] inline std::string first_line(std::string_view text) {
  return std::string{text.substr(0, text.find('\n'))};
}

}  // namespace detail

namespace pq {

/// What a statement left: the PGresult, which it owns, or why there is none. Movable.
class Result {
 public:
  /// Takes over `result`, which a call of libpq on `connection` has just returned. Reads the state of the
  /// connection now: without an SQLSTATE it says what happened. A null connection is a lack of memory.
  Result(const PGconn* connection, PGresult* result) : result_{result} {
    if (ok()) return;
    const char* const state = result != nullptr ? ::PQresultErrorField(result, PG_DIAG_SQLSTATE) : nullptr;
    const char* const primary =
        result != nullptr ? ::PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) : nullptr;
    text_ = primary != nullptr
                ? primary
                : fusebox::detail::first_line(result != nullptr ? ::PQresultErrorMessage(result)
                                                                : ::PQerrorMessage(connection));
    if (state != nullptr && fusebox::detail::sql_state_number(state) != 0) {
      state_ = state;
    } else if (connection == nullptr) {
      code_ = std::make_error_code(std::errc::not_enough_memory);
    } else if (::PQstatus(connection) == CONNECTION_BAD) {
      code_ = make_error_code(NetworkErrc::connection_reset);
    } else {
      code_ = {1, fusebox::detail::libpq_category()};
    }
    is_lost_ = connection == nullptr || ::PQstatus(connection) == CONNECTION_BAD ||
               fusebox::detail::sql_state_kind(state_).ends_session;
    const char* const standby =
        connection != nullptr ? ::PQparameterStatus(connection, "in_hot_standby") : nullptr;
    is_on_standby_ = standby != nullptr && std::string_view{standby} == "on";
  }
  /// A statement that was not sent, or whose end nobody waited for.
  explicit Result(std::error_code code) : Result{code, code.message()} {}
  Result(std::error_code code, std::string text) : code_{code}, text_{std::move(text)} {}
  /// An SQLSTATE that came without a PGresult.
  Result(std::string_view state, std::string text) : state_{state}, text_{std::move(text)} {}

  /// Did the statement succeed?
  [[nodiscard]] bool ok() const noexcept {
    switch (::PQresultStatus(result_.get())) {
      case PGRES_BAD_RESPONSE:
      case PGRES_FATAL_ERROR:  // also of a null result
      case PGRES_PIPELINE_ABORTED: return false;
      default: return true;
    }
  }
  /// Null if libpq gave no result.
  [[nodiscard]] PGresult* get() const noexcept { return result_.get(); }
  [[nodiscard]] int rows() const noexcept { return ::PQntuples(result_.get()); }
  [[nodiscard]] int columns() const noexcept { return ::PQnfields(result_.get()); }
  /// A value as text; std::nullopt for null and for a place that is not there. It lives as long as the
  /// Result.
  [[nodiscard]] std::optional<std::string_view> value(int row, int column) const noexcept {
    const bool is_there = row >= 0 && row < rows() && column >= 0 && column < columns();
    if (!is_there || ::PQgetisnull(result_.get(), row, column) != 0) return std::nullopt;
    return std::string_view{::PQgetvalue(result_.get(), row, column),
                            static_cast<std::size_t>(::PQgetlength(result_.get(), row, column))};
  }

  /// The SQLSTATE of a failure that PostgreSQL reported; else empty.
  [[nodiscard]] const std::string& sql_state() const noexcept { return state_; }
  /// What went wrong, as PostgreSQL or libpq says it: perhaps in several lines. For a log take
  /// failure()->message() (E8). Empty after a success.
  [[nodiscard]] const std::string& message() const noexcept { return text_; }
  /// std::nullopt after a success (H60, H61).
  [[nodiscard]] std::optional<Failure> failure() const {
    if (ok()) return std::nullopt;
    if (state_ == "25006" && is_on_standby_) return undone(state_);
    Failure failure = state_.empty() ? Failure{code_} : failure_of_sql_state(state_, text_);
    const bool is_refusal = failure.retry_after() || failure.code() == std::errc::connection_refused ||
                            failure.code() == NetworkErrc::host_not_found;
    const bool may_have_happened =
        failure.is_transient() && !is_refusal && code_ != make_error_code(PolicyErrc::timed_out);
    if (!is_undone_ || !may_have_happened) return failure;
    // A Failure with the code of a timeout has no status, and R7 asks for one: 40000 transaction_rollback.
    return undone(failure.is_timeout() ? "40000" : state_.empty() ? "08006" : state_);
  }
  /// Must the connection be replaced? Also after a write that a standby refused: behind its address may be
  /// another server by now.
  [[nodiscard]] bool needs_reconnect() const noexcept {
    return is_lost_ || (state_ == "25006" && is_on_standby_);
  }

 private:
  friend class Connection;

  /// Transient, and without effect.
  [[nodiscard]] Failure undone(std::string_view state) const {
    ApiError error{ErrorCode::service_unavailable, text_, pq::sql_state(state), SystemClock{}.wall_now()};
    return Failure{error.with_retry_after(std::chrono::milliseconds{0})};
  }

  struct ClearResult {
    void operator()(PGresult* result) const noexcept { ::PQclear(result); }
  };

  std::unique_ptr<PGresult, ClearResult> result_;
  std::string state_;
  std::error_code code_;
  std::string text_;
  bool is_lost_ = false;        // the connection
  bool is_on_standby_ = false;  // a server that follows another one
  bool is_undone_ = false;      // failed before the COMMIT of its transaction was sent
};

/// The Result of a call of your own, to be returned by an operation:
///
///     return pq::result_of(connection, PQexec(connection, "SELECT 1"));
[[nodiscard]] inline Result result_of(const PGconn* connection, PGresult* result) {
  return {connection, result};
}

}  // namespace pq

namespace detail {

/// Why `connection` could not be made.
[[nodiscard]] inline pq::Result libpq_connect_failure(const PGconn* connection, const std::string& conninfo) {
  const std::string text = ::PQerrorMessage(connection);
  PQconninfoOption* const options = ::PQconninfoParse(conninfo.c_str(), nullptr);
  ::PQconninfoFree(options);
  if (options == nullptr) return pq::Result{{1, libpq_category()}, first_line(text)};
  const std::string_view state = sql_state_in(text);
  if (!state.empty()) return pq::Result{state, first_line(text)};
  if (::PQconnectionNeedsPassword(connection) != 0) {
    return pq::Result{std::string_view{"28P01"}, first_line(text)};
  }
  const std::error_code code = libpq_connect_code(text);
  if (code == NetworkErrc::timed_out) return pq::Result{std::string_view{"08001"}, first_line(text)};
  return pq::Result{code, first_line(text)};
}

/// Sends a cancel request, on a thread of its own: PQcancel waits for the server, which may hang. The thread
/// owns all that it uses, so that it may outlive the connection. Ready once it has ended; invalid if there is
/// no thread.
[[nodiscard]] inline std::future<void> libpq_cancel(PGconn* connection) {
  std::unique_ptr<PGcancel, void (*)(PGcancel*)> cancel{::PQgetCancel(connection), &::PQfreeCancel};
  if (!cancel) return {};
  FUSEBOX_DETAIL_TRY {
    std::promise<void> ended;
    std::future<void> end = ended.get_future();
    std::thread{[cancel = std::move(cancel), ended = std::move(ended)]() mutable {
      char text[256];
      static_cast<void>(::PQcancel(cancel.get(), text, sizeof text));
      ended.set_value();
    }}.detach();
    return end;
  }
  FUSEBOX_DETAIL_CATCH_ALL { return {}; }
}

/// Has the cancel request ended, at the latest until `deadline`?
[[nodiscard]] inline bool libpq_has_ended(const std::future<void>& cancel, const Deadline& deadline) {
  constexpr std::chrono::nanoseconds longest = std::chrono::hours{24};
  return cancel.valid() &&
         cancel.wait_for(std::min(deadline.remaining(), longest)) == std::future_status::ready;
}

}  // namespace detail

template <>
struct failure_traits<pq::Result> {
  [[nodiscard]] static std::optional<Failure> failure(const pq::Result& result) { return result.failure(); }
};

/// The error to throw for a failed statement of `service`, marked with from_upstream (E5); std::nullopt if
/// the statement succeeded.
[[nodiscard]] inline std::optional<ApiError> upstream_error(const pq::Result& result, std::string service) {
  return detail::upstream_error(result.failure(), service, result.message());
}

FUSEBOX_END_NAMESPACE
