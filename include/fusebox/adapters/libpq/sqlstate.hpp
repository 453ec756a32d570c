// fusebox/adapters/libpq/sqlstate.hpp: what the SQLSTATEs of PostgreSQL stand for (H60). Needs no libpq.
#pragma once
// IWYU pragma: private, include <fusebox/adapters/libpq.hpp>

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <fusebox/api_error.hpp>
#include <fusebox/clock.hpp>
#include <fusebox/detail/no_destroy.hpp>
#include <fusebox/error_code.hpp>
#include <fusebox/failure.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// What an SQLSTATE, or a class of them, says.
struct SqlStateKind {
  std::string_view state;  ///< all five characters, or the first two
  ErrorCode status;        ///< of the Failure: 500, 503 and 504 are transient (E10)
  bool is_undone;  ///< surely without effect: the statement was refused, or its transaction rolled back
  bool ends_session = false;  ///< the connection is of no use any more
};

// See https://www.postgresql.org/docs/current/errcodes-appendix.html
inline constexpr SqlStateKind sql_state_kinds[] = {
    // whole states first
    {"08P01", ErrorCode::bad_request, true},                 // protocol_violation: also wrong parameters
    {"25P03", ErrorCode::service_unavailable, true, true},   // idle_in_transaction_session_timeout
    {"40002", ErrorCode::conflict, true},                    // transaction_integrity_constraint_violation
    {"40003", ErrorCode::service_unavailable, false},        // statement_completion_unknown
    {"42501", ErrorCode::forbidden, true},                   // insufficient_privilege
    {"55006", ErrorCode::service_unavailable, true},         // object_in_use
    {"55P03", ErrorCode::service_unavailable, true},         // lock_not_available
    {"57014", ErrorCode::gateway_timeout, true},             // query_canceled
    {"57P01", ErrorCode::service_unavailable, false, true},  // admin_shutdown: a COMMIT may have been done
    {"57P02", ErrorCode::service_unavailable, false, true},  // crash_shutdown
    {"57P03", ErrorCode::service_unavailable, true, true},   // cannot_connect_now
    {"57P04", ErrorCode::not_found, true, true},             // database_dropped
    {"57P05", ErrorCode::service_unavailable, true, true},   // idle_session_timeout
    {"58P01", ErrorCode::internal_server_error, true},       // undefined_file
    {"58P02", ErrorCode::internal_server_error, true},       // duplicate_file
    // then classes
    {"08", ErrorCode::service_unavailable, false, true},  // connection exception
    {"23", ErrorCode::conflict, true},                    // integrity constraint violation
    {"28", ErrorCode::unauthorized, true},                // invalid authorization specification
    {"3D", ErrorCode::not_found, true},                   // invalid catalog name: no such database
    {"40", ErrorCode::service_unavailable, true},         // transaction rollback: 40001, 40P01
    {"53", ErrorCode::service_unavailable, true},         // insufficient resources
    {"57", ErrorCode::service_unavailable, false},        // operator intervention
    {"58", ErrorCode::service_unavailable, false},        // system error
    {"72", ErrorCode::service_unavailable, true},         // snapshot failure
    {"F0", ErrorCode::internal_server_error, true},       // configuration file error
    {"HV", ErrorCode::internal_server_error, false},      // foreign data wrapper error
    {"XX", ErrorCode::internal_server_error, false},      // internal error
};

/// Any other class is for the caller: the statement or its data are wrong.
inline constexpr SqlStateKind sql_state_of_callers{"", ErrorCode::bad_request, true};

/// An SQLSTATE as a number with base 36; 0 if it is none.
[[nodiscard]] constexpr int sql_state_number(std::string_view state) noexcept {
  if (state.size() != 5) return 0;
  int number = 0;
  for (const char c : state) {
    const bool is_digit = c >= '0' && c <= '9';
    if (!is_digit && (c < 'A' || c > 'Z')) return 0;
    number = 36 * number + (is_digit ? c - '0' : c - 'A' + 10);
  }
  return number;
}

[[nodiscard]] constexpr const SqlStateKind& sql_state_kind(std::string_view state) noexcept {
  if (sql_state_number(state) == 0) return sql_state_of_callers;  // no SQLSTATE: nothing says what happened
  for (const SqlStateKind& kind : sql_state_kinds) {
    if (state.starts_with(kind.state)) return kind;
  }
  return sql_state_of_callers;
}

class FUSEBOX_API SqlStateCategory final : public std::error_category {
 public:
  [[nodiscard]] const char* name() const noexcept override { return "sqlstate"; }
  [[nodiscard]] std::string message(int value) const override {
    std::string state(5, '0');
    for (std::size_t i = state.size(); i-- != 0; value /= 36) {
      const int digit = value % 36;
      state[i] = static_cast<char>(digit < 10 ? '0' + digit : 'A' + digit - 10);
    }
    return "SQLSTATE " + state;
  }
  [[nodiscard]] std::error_condition default_error_condition(int value) const noexcept override {
    if (value == sql_state_number("57014")) return std::errc::timed_out;
    return {value, *this};
  }
};

}  // namespace detail

namespace pq {

/// The category of SQLSTATEs as error codes. One object per process.
[[nodiscard]] FUSEBOX_API inline const std::error_category& sql_state_category() noexcept {
  static const fusebox::detail::NoDestroy<fusebox::detail::SqlStateCategory> category;
  return *category;
}

/// An SQLSTATE as an error code, to compare with Failure::code(): `sql_state("40001")`. A text that is no
/// SQLSTATE gives a code without an error.
[[nodiscard]] inline std::error_code sql_state(std::string_view state) noexcept {
  return {fusebox::detail::sql_state_number(state), sql_state_category()};
}

/// The failure that an SQLSTATE stands for, with `text` for people (H60). For programs with another client
/// library too. May throw std::bad_alloc.
[[nodiscard]] inline Failure failure_of_sql_state(std::string_view state, std::string text) {
  const auto& kind = fusebox::detail::sql_state_kind(state);
  ApiError error{kind.status, std::move(text), sql_state(state), SystemClock{}.wall_now()};
  // A 503 with a Retry-After is what surely was not processed (R7).
  if (kind.status == ErrorCode::service_unavailable && kind.is_undone) {
    error = error.with_retry_after(std::chrono::milliseconds{0});
  }
  return Failure{std::move(error)};
}

}  // namespace pq

FUSEBOX_END_NAMESPACE
