// fusebox/adapters/hiredis.hpp: Redis by hiredis: what commands leave, and a connection that mends itself.
//
//   redis::command                one command on a context of your own
//   redis::Connection             connects, keeps to deadlines, and reconnects after an error
//   adapters/hiredis/config.hpp   redis::ConnectionConfig; timeout_of
//   adapters/hiredis/errc.hpp     redis::Errc: what the error replies of Redis stand for
//   adapters/hiredis/result.hpp   redis::Result and result_of: what a call of hiredis left; upstream_error
//
// Breakers and retries judge a redis::Result by themselves. Needs hiredis 0.14 or newer.
#pragma once

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#if __has_include(<hiredis/hiredis.h>)
#include <hiredis/hiredis.h>
#else
#include <hiredis.h>
#endif
#include <sys/socket.h>
#include <sys/time.h>

#include <fusebox/detail/macros.hpp>

#if FUSEBOX_DETAIL_STOP_TOKEN
#include <stop_token>
#endif

#include <fusebox/adapters/hiredis/config.hpp>  // IWYU pragma: export
#include <fusebox/adapters/hiredis/errc.hpp>    // IWYU pragma: export
#include <fusebox/adapters/hiredis/result.hpp>  // IWYU pragma: export
#include <fusebox/clock.hpp>
#include <fusebox/error_code.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace redis {

/// Sends one command on a connected context, binary-safe, and waits for its reply. The context is of no use
/// after a result without a reply: redisReconnect or redisFree it. A command without a word is not sent,
/// since Redis would never answer it: a 400.
[[nodiscard]] inline Result command(redisContext* context, const std::vector<std::string_view>& words) {
  if (words.empty()) return Result{make_error_code(ErrorCode::bad_request)};
  std::vector<const char*> texts;
  std::vector<std::size_t> sizes;
  for (const std::string_view word : words) {
    texts.push_back(word.data());
    sizes.push_back(word.size());
  }
  const int count = static_cast<int>(words.size());
  return result_of(context, ::redisCommandArgv(context, count, texts.data(), sizes.data()));
}

/// One connection to Redis. It connects when the first command needs it, and anew after an error: what was
/// left of an old reply can never be taken for the reply to the next command (H57). For one thread at a time.
class Connection {
 public:
  /// Throws ConfigError for a config that `validate` refuses.
  explicit Connection(ConnectionConfig config = {}) : config_{std::move(config)} {
    fusebox::detail::throw_if("redis::ConnectionConfig", fusebox::detail::check(config_));
  }

  /// Sends a command and waits for its reply, not longer than command_timeout or until `deadline`. After a
  /// result without a reply Redis may have run the command, unless connecting failed: connection_refused and
  /// host_not_found (R7). A stop of `token` ends the wait, with a cancellation.
  [[nodiscard]] Result command(const std::vector<std::string_view>& words, const Deadline& deadline = {},
                               const StopToken& token = {}) {
    if (words.empty()) return redis::command(nullptr, words);
    Result result =
        call([&words](redisContext* context) { return redis::command(context, words); }, deadline, token);
    result.is_of_script_ = fusebox::detail::is_redis_script(words.front());
    return result;
  }

  /// The same for calls of your own: `op(redisContext*)` returns a Result, or the reply of a call of hiredis.
  /// It must not keep or free the context, and reads every reply that it asked for. The connection is given
  /// up if it throws. A call on this connection inside op is refused: device_or_resource_busy.
  template <class Op>
  [[nodiscard]] Result call(Op&& op, const Deadline& deadline = {}, const StopToken& token = {}) {
    if (token.stop_requested()) return Result{make_error_code(PolicyErrc::cancelled)};
    if (deadline.expired()) return Result{make_error_code(PolicyErrc::timed_out)};
    if (is_in_call_) return Result{std::make_error_code(std::errc::device_or_resource_busy)};
    if (context_ && is_stale()) disconnect();
    const bool is_new = !context_;
    if (is_new) {
      if (std::optional<Result> failed = connect(deadline)) return std::move(*failed);
    }
    bool is_usable = false;  // also not if op throws
    const EndCall end_call{*this, is_usable};
    Result result = [&] {
#if FUSEBOX_DETAIL_STOP_TOKEN
      // Reading then ends at once. Writing stays open, since it would raise SIGPIPE.
      const std::stop_callback end_wait{token, [fd = context_->fd] { ::shutdown(fd, SHUT_RD); }};
#endif
      if (is_new) {
        if (std::optional<Result> failed = set_up(deadline)) return std::move(*failed);
      }
      Result left = run(op, deadline);
      is_usable = true;
      return left;
    }();
    const bool is_stopped = token.stop_requested();
    if (is_stopped || is_given_up_ || result.needs_reconnect()) is_usable = false;
    if (is_stopped && !result.has_reply()) return Result{make_error_code(PolicyErrc::cancelled)};
    return result;
  }

  /// Null while not connected. Call disconnect() after an error on it.
  [[nodiscard]] redisContext* context() const noexcept { return context_.get(); }
  /// Inside an op: once it has ended.
  void disconnect() noexcept {
    is_given_up_ = is_in_call_;
    if (!is_in_call_) context_.reset();
  }

 private:
  /// After the stop callback is gone: it must not see a socket that somebody else has opened meanwhile.
  struct EndCall {
    EndCall(Connection& in, const bool& usable) noexcept : connection{in}, is_usable{usable} {
      connection.is_in_call_ = true;
    }
    EndCall(const EndCall&) = delete;
    EndCall& operator=(const EndCall&) = delete;
    ~EndCall() {
      connection.is_in_call_ = false;
      connection.is_given_up_ = false;
      if (!is_usable) connection.disconnect();
    }
    Connection& connection;
    const bool& is_usable;
  };
  struct FreeContext {
    void operator()(redisContext* context) const noexcept { ::redisFree(context); }
  };

  /// Has the server closed the connection? Or is there a reply that nobody has read, or a command that nobody
  /// has sent? The next command on it would be lost, or get that reply.
  [[nodiscard]] bool is_stale() const noexcept {
    const auto* const reader = context_->reader;
    const bool is_used_up = reader->pos == reader->len && reader->ridx < 0;
    if (context_->err != 0 || !is_used_up || context_->obuf[0] != '\0') return true;
    char byte = 0;
    const auto count = ::recv(context_->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return count >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
  }

  [[nodiscard]] std::optional<Result> connect(const Deadline& deadline) {
    const timeval timeout = timeout_of(deadline, config_.connect_timeout);
    context_.reset(config_.unix_socket.empty()
                       ? ::redisConnectWithTimeout(config_.host.c_str(), config_.port, timeout)
                       : ::redisConnectUnixWithTimeout(config_.unix_socket.c_str(), timeout));
    if (context_ && context_->err == 0) return std::nullopt;
    Result failed = result_of(context_.get(), nullptr);
    disconnect();
    return failed;
  }

  [[nodiscard]] std::optional<Result> set_up(const Deadline& deadline) {
    for (const std::vector<std::string>& words : config_.on_connect) {
      auto send = [&words](redisContext* context) {
        return redis::command(context, std::vector<std::string_view>{words.begin(), words.end()});
      };
      Result result = run(send, deadline);
      if (!result.ok()) return result;  // call() disconnects: a half prepared connection is of no use
    }
    return std::nullopt;
  }

  template <class Op>
  [[nodiscard]] Result run(Op& op, const Deadline& deadline) {
    redisContext* const context = context_.get();
    if (::redisSetTimeout(context, timeout_of(deadline, config_.command_timeout)) != REDIS_OK) {
      return result_of(context, nullptr);
    }
    if constexpr (std::is_same_v<std::invoke_result_t<Op&, redisContext*>, Result>) {
      return op(context);
    } else {
      return result_of(context, op(context));
    }
  }

  ConnectionConfig config_;
  std::unique_ptr<redisContext, FreeContext> context_;
  bool is_in_call_ = false;
  bool is_given_up_ = false;  // by disconnect() inside a call
};

}  // namespace redis

FUSEBOX_END_NAMESPACE
