// fusebox/adapters/libpq/config.hpp: pq::ConnectionConfig, and deadlines as timeouts of PostgreSQL (H62).
#pragma once
// IWYU pragma: private, include <fusebox/adapters/libpq.hpp>

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include <fusebox/clock.hpp>
#include <fusebox/detail/validate.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace pq {

/// What is left until `deadline`, at most `longest`, for `SET statement_timeout`: milliseconds, rounded up,
/// at least 1, at most 24 hours. PostgreSQL takes 0 for "no limit".
[[nodiscard]] inline int statement_timeout_of(const Deadline& deadline,
                                              std::chrono::nanoseconds longest = no_timeout) {
  using std::chrono::milliseconds;
  const std::chrono::nanoseconds left =
      std::min({deadline.remaining(), longest, std::chrono::nanoseconds{std::chrono::hours{24}}});
  return static_cast<int>(std::max(std::chrono::ceil<milliseconds>(left), milliseconds{1}).count());
}

/// The same for `connect_timeout` in the connection string: whole seconds, at least 2, which is libpq's
/// least.
[[nodiscard]] inline int connect_timeout_of(const Deadline& deadline,
                                            std::chrono::nanoseconds longest = no_timeout) {
  return std::max(2, (statement_timeout_of(deadline, longest) + 999) / 1000);
}

/// Where a Connection leads to. validate() says what is accepted (C3).
struct ConnectionConfig {
  std::string conninfo = {};  ///< as for PQconnectdb: "host=db.example dbname=shop"
  std::chrono::nanoseconds connect_timeout =
      std::chrono::seconds{2};  ///< does not limit the look-up of the host
  std::chrono::nanoseconds statement_timeout =
      std::chrono::seconds{30};                                       ///< of each statement, on the client
  std::chrono::nanoseconds cancel_timeout = std::chrono::seconds{1};  ///< for the server to end a statement
  std::vector<std::string> on_connect = {};                           ///< statements for each new connection
};

}  // namespace pq

namespace detail {

/// The stop of a call, and that of the transaction in which it is made.
struct LibpqStops {
  StopToken of_call = {};
  StopToken of_transaction = {};

  [[nodiscard]] bool requested() const noexcept {
    return of_call.stop_requested() || of_transaction.stop_requested();
  }
  [[nodiscard]] bool possible() const noexcept {
    return of_call.stop_possible() || of_transaction.stop_possible();
  }
};

[[nodiscard]] inline Problem check(const pq::ConnectionConfig& config) noexcept {
  if (!is_positive_duration(config.connect_timeout))
    return problem("connect_timeout", positive_duration_rule, config.connect_timeout);
  if (!is_positive_duration(config.statement_timeout))
    return problem("statement_timeout", positive_duration_rule, config.statement_timeout);
  if (!is_positive_duration(config.cancel_timeout))
    return problem("cancel_timeout", positive_duration_rule, config.cancel_timeout);
  return {};
}

}  // namespace detail

namespace pq {

/// What is wrong with the first wrong field: its name, its rule and its value (C2). Empty for a good config.
[[nodiscard]] inline std::string validate(const ConnectionConfig& config) {
  return fusebox::detail::to_text("pq::ConnectionConfig", fusebox::detail::check(config));
}

}  // namespace pq

FUSEBOX_END_NAMESPACE
