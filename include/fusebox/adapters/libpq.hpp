// fusebox/adapters/libpq.hpp: PostgreSQL by libpq: what statements leave, and a connection that mends itself.
//
//   pq::Connection                connects, keeps to deadlines, cancels, reconnects; whole transactions
//   adapters/libpq/config.hpp     pq::ConnectionConfig; deadlines as timeouts of PostgreSQL
//   adapters/libpq/result.hpp     pq::Result and result_of: what a call of libpq left; upstream_error
//   adapters/libpq/sqlstate.hpp   what the SQLSTATEs of PostgreSQL stand for
//
// Breakers and retries judge a pq::Result by themselves. Needs libpq 12 or newer.
#pragma once

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

#include <libpq-fe.h>
#include <poll.h>

#include <fusebox/adapters/libpq/config.hpp>    // IWYU pragma: export
#include <fusebox/adapters/libpq/result.hpp>    // IWYU pragma: export
#include <fusebox/adapters/libpq/sqlstate.hpp>  // IWYU pragma: export
#include <fusebox/clock.hpp>
#include <fusebox/detail/macros.hpp>
#include <fusebox/error_code.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace pq {

/// One connection to PostgreSQL. It connects when the first statement needs it, and anew once it is lost. For
/// one thread at a time.
class Connection {
 public:
  /// Throws ConfigError for a config that `validate` refuses. An invalid conninfo shows at the first
  /// statement.
  explicit Connection(ConnectionConfig config) : config_{std::move(config)} {
    fusebox::detail::throw_if("pq::ConnectionConfig", fusebox::detail::check(config_));
  }

  /// Runs SQL and waits for its end, not longer than statement_timeout or until `deadline`. Then, and when
  /// `token` is stopped, it sends a cancel request, and gives the connection up unless the server answers in
  /// cancel_timeout: the result is a timeout or a cancellation (H62). Without parameters `sql` may be several
  /// statements; the result is that of the last one, or of the first that failed. With parameters it is one
  /// statement with $1, $2, …; std::nullopt is null. A NUL byte is refused with 22021.
  [[nodiscard]] Result exec(const std::string& sql,
                            const std::vector<std::optional<std::string>>& parameters = {},
                            const Deadline& deadline = {}, const StopToken& token = {}) {
    const auto has_nul = [](const std::string& text) { return text.find('\0') != std::string::npos; };
    if (has_nul(sql) || std::any_of(parameters.begin(), parameters.end(),
                                    [&](const auto& text) { return text && has_nul(*text); })) {
      return Result{std::string_view{"22021"}, "a NUL byte, which libpq takes for the end of a text"};
    }
    return call(
        [&](PGconn* connection) {
          std::vector<const char*> values;
          for (const auto& parameter : parameters) values.push_back(parameter ? parameter->c_str() : nullptr);
          const int count = static_cast<int>(values.size());
          return count == 0 ? ::PQsendQuery(connection, sql.c_str())
                            : ::PQsendQueryParams(connection, sql.c_str(), count, nullptr, values.data(),
                                                  nullptr, nullptr, 0);
        },
        deadline, token);
  }

  /// The same for what is sent by a call of your own: `send(PGconn*)` calls one of the PQsend functions and
  /// returns what it returned.
  template <class Send>
  [[nodiscard]] Result call(Send&& send, const Deadline& deadline = {}, const StopToken& token = {}) {
    const Deadline end = earliest(deadline, limit_);
    const Stops stops{token, stop_};
    if (std::optional<Result> failed = prepare(end, stops)) return std::move(*failed);
    return run(send, end, stops);
  }

  /// Runs `op(Connection&)`, which returns a Result, between `begin` and COMMIT. `deadline` and `token` limit
  /// each statement of op too, besides limits of its own. Rolls back if op fails or throws. After a failure
  /// before the COMMIT nothing has happened, whatever failed: a retry of the whole with `.idempotent = false`
  /// repeats it. It does not repeat a COMMIT whose answer was lost (H63). Refused inside a transaction of
  /// this connection.
  template <class Op>
  [[nodiscard]] Result transaction(Op&& op, const Deadline& deadline = {}, const StopToken& token = {},
                                   const std::string& begin = "BEGIN ISOLATION LEVEL SERIALIZABLE");

  /// Null while not connected. Call disconnect() if you break it.
  [[nodiscard]] PGconn* get() const noexcept { return connection_.get(); }
  void disconnect() noexcept { connection_.reset(); }

 private:
  using Stops = fusebox::detail::LibpqStops;
  enum class End : unsigned char { answered, lost, too_late, stopped };
  struct Finish {
    void operator()(PGconn* connection) const noexcept { ::PQfinish(connection); }
  };

  /// Rolls back when it goes, also with an exception.
  struct Rollback {
    Connection& connection;
    ~Rollback() {
      connection.is_in_transaction_ = false;
      connection.limit_ = {};
      connection.stop_ = {};
      if (!connection.connection_) return;
      if (::PQtransactionStatus(connection.get()) == PQTRANS_IDLE) return;
      bool is_back = false;
      FUSEBOX_DETAIL_TRY {
        is_back = connection
                      .run([](PGconn* c) { return ::PQsendQuery(c, "ROLLBACK"); },
                           Deadline::after(connection.config_.cancel_timeout), {})
                      .ok();
      }
      FUSEBOX_DETAIL_CATCH_ALL {}
      if (!is_back) connection.disconnect();
    }
  };

  [[nodiscard]] std::optional<Result> prepare(const Deadline& deadline, const Stops& stops) {
    if (stops.requested()) return Result{make_error_code(PolicyErrc::cancelled)};
    if (deadline.expired()) return Result{make_error_code(PolicyErrc::timed_out)};
    if (connection_ && is_stale()) disconnect();
    if (connection_) return std::nullopt;
    if (is_in_transaction_) return Result{make_error_code(NetworkErrc::connection_reset)};
    std::optional<Result> failed = connect(deadline, stops);
    for (auto sql = config_.on_connect.begin(); !failed && sql != config_.on_connect.end(); ++sql) {
      Result result = run([&](PGconn* c) { return ::PQsendQuery(c, sql->c_str()); }, deadline, stops);
      if (!result.ok()) failed = std::move(result);
    }
    if (failed) {
      failed->is_undone_ = true;  // the statement was not sent
      disconnect();
    }
    return failed;
  }

  /// Has the server ended the session meanwhile? A statement on it would be lost.
  [[nodiscard]] bool is_stale() const {
    while (wait(POLLIN, std::chrono::nanoseconds{0})) {
      if (::PQconsumeInput(get()) == 0) return true;
    }
    return ::PQstatus(get()) == CONNECTION_BAD;
  }

  /// Waits until the socket is ready, or for `time`.
  bool wait(short events, std::chrono::nanoseconds time) const {  // NOLINT(google-runtime-int): as in pollfd
    ::pollfd socket{::PQsocket(get()), events, 0};
    return ::poll(&socket, 1, static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(time).count())) >
           0;
  }

  /// Calls `next_events()`, which says what to wait for, until it says 0 (done) or less (lost), or it is too
  /// late or stopped. poll() knows no stop token, so that a stop is noticed 10 ms late.
  template <class NextEvents>
  [[nodiscard]] End drive(NextEvents next_events, const Deadline& deadline, const Stops& stops) const {
    constexpr std::chrono::nanoseconds slice = std::chrono::milliseconds{10};
    for (;;) {
      const short events = next_events();  // NOLINT(google-runtime-int)
      if (events == 0) return End::answered;
      if (events < 0) return End::lost;
      if (stops.requested()) return End::stopped;
      const std::chrono::nanoseconds left = deadline.remaining();
      if (left == std::chrono::nanoseconds::zero()) return End::too_late;
      wait(events,
           std::min<std::chrono::nanoseconds>(left, stops.possible() ? slice : std::chrono::seconds{1}));
    }
  }

  [[nodiscard]] std::optional<Result> connect(const Deadline& deadline, const Stops& stops);
  template <class Send>
  [[nodiscard]] Result run(Send&& send, const Deadline& deadline, const Stops& stops);
  [[nodiscard]] End collect(std::optional<Result>& kept, const Deadline& deadline, const Stops& stops) const;

  ConnectionConfig config_;
  std::unique_ptr<PGconn, Finish> connection_;
  bool is_in_transaction_ = false;
  Deadline limit_;  // of the transaction, if any
  StopToken stop_;  // the same
};

inline std::optional<Result> Connection::connect(const Deadline& deadline, const Stops& stops) {
  connection_.reset(::PQconnectStart(config_.conninfo.c_str()));
  if (!connection_) return result_of(nullptr, nullptr);
  ::PQsetErrorVerbosity(get(), PQERRORS_VERBOSE);  // with the SQLSTATE
  const auto next_events = [this, polled = PGRES_POLLING_WRITING, is_first = true]() mutable -> short {
    if (::PQstatus(get()) == CONNECTION_BAD) return -1;
    if (!is_first) polled = ::PQconnectPoll(get());
    is_first = false;
    if (polled == PGRES_POLLING_OK) return 0;
    if (polled == PGRES_POLLING_FAILED) return -1;
    return polled == PGRES_POLLING_READING ? POLLIN : POLLOUT;
  };
  const Deadline end = earliest(deadline, Deadline::after(config_.connect_timeout));
  switch (drive(next_events, end, stops)) {
    case End::answered:
      ::PQsetErrorVerbosity(get(), PQERRORS_DEFAULT);
      ::PQsetnonblocking(get(), 1);  // so that no PQsend function waits beyond the deadline
      return std::nullopt;
    case End::stopped: return Result{make_error_code(PolicyErrc::cancelled)};
    case End::too_late: return Result{std::string_view{"08001"}, "the connection was not made in time"};
    case End::lost: break;
  }
  return fusebox::detail::libpq_connect_failure(get(), config_.conninfo);
}

template <class Send>
Result Connection::run(Send&& send, const Deadline& deadline, const Stops& stops) {
  if (send(get()) == 0) {
    Result failed = result_of(get(), nullptr);
    if (failed.needs_reconnect()) disconnect();
    return failed;
  }
  std::optional<Result> result;
  const End end = collect(result, earliest(deadline, Deadline::after(config_.statement_timeout)), stops);
  bool is_cut = false;
  if (end == End::too_late || end == End::stopped) {
    const Deadline patience = Deadline::after(config_.cancel_timeout);
    const std::future<void> cancel = fusebox::detail::libpq_cancel(get());
    is_cut = collect(result, patience, {}) != End::answered;
    // A cancel request that is still on its way would hit the next statement.
    if (is_cut || !fusebox::detail::libpq_has_ended(cancel, patience)) disconnect();
    is_cut = is_cut || !result || result->sql_state() == "57014";  // else it ended before it was cancelled
  }
  if (is_cut && end == End::stopped) return Result{make_error_code(PolicyErrc::cancelled)};
  if (is_cut) return Result{make_error_code(NetworkErrc::timed_out)};
  if (!result) result = result_of(get(), nullptr);
  if (result->needs_reconnect()) disconnect();
  return std::move(*result);
}

/// Takes all results; keeps the last, or the first that failed, as PQexec does.
inline Connection::End Connection::collect(std::optional<Result>& kept, const Deadline& deadline,
                                           const Stops& stops) const {
  const auto next_events = [this]() -> short {
    const int unsent = ::PQflush(get());
    if (::PQisBusy(get()) == 0) return 0;
    if (::PQconsumeInput(get()) == 0) return -1;
    if (::PQisBusy(get()) == 0) return 0;
    return static_cast<short>(unsent > 0 ? POLLIN | POLLOUT : POLLIN);
  };
  for (;;) {
    const End end = drive(next_events, deadline, stops);
    if (end == End::too_late || end == End::stopped) return end;
    PGresult* const next = ::PQgetResult(get());
    if (next == nullptr) return End::answered;
    const ExecStatusType status = ::PQresultStatus(next);
    if (!kept || kept->ok()) {
      kept = result_of(get(), next);
    } else {
      ::PQclear(next);
    }
    // A COPY goes on only if the caller feeds or reads it.
    if (status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH)
      return End::answered;
  }
}

template <class Op>
Result Connection::transaction(Op&& op, const Deadline& deadline, const StopToken& token,
                               const std::string& begin) {
  if (is_in_transaction_) {
    return Result{{1, fusebox::detail::libpq_category()}, "a transaction inside a transaction"};
  }
  Result begun = exec(begin, {}, deadline, token);
  begun.is_undone_ = true;
  if (!begun.ok()) return begun;
  is_in_transaction_ = true;
  limit_ = deadline;
  stop_ = token;
  const Rollback rollback{*this};
  Result result = op(*this);
  if (!result.ok()) {
    result.is_undone_ = true;
    return result;
  }
  if (std::optional<Result> failed = prepare(deadline, {token})) {
    failed->is_undone_ = true;  // the COMMIT was not sent
    return std::move(*failed);
  }
  Result committed = run([](PGconn* c) { return ::PQsendQuery(c, "COMMIT"); }, deadline, {token});
  if (!committed.ok()) return committed;
  // The answer to a COMMIT of a transaction that has failed, though op said otherwise.
  if (std::string_view{::PQcmdStatus(committed.get())} == "ROLLBACK") {
    return Result{std::string_view{"25P02"},
                  "the transaction was rolled back, since a statement in it had failed"};
  }
  return result;
}

}  // namespace pq

FUSEBOX_END_NAMESPACE
