// fusebox/adapters/hiredis/result.hpp: redis::Result, what a call of hiredis left (H56).
#pragma once
// IWYU pragma: private, include <fusebox/adapters/hiredis.hpp>

#include <cerrno>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#if __has_include(<hiredis/hiredis.h>)
#include <hiredis/hiredis.h>
#else
#include <hiredis.h>
#endif
#include <netdb.h>

#include <fusebox/adapters/hiredis/errc.hpp>
#include <fusebox/api_error.hpp>
#include <fusebox/detail/no_destroy.hpp>
#include <fusebox/detail/upstream_error.hpp>
#include <fusebox/error_code.hpp>
#include <fusebox/failure.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// The category of errors without a NetworkErrc or errno of their own: hiredis' numbers.
class FUSEBOX_API HiredisErrorCategory final : public std::error_category {
 public:
  [[nodiscard]] const char* name() const noexcept override { return "hiredis"; }
  [[nodiscard]] std::string message(int value) const override {
    if (value == REDIS_ERR_IO) return "I/O error of the connection to Redis";
    return value == REDIS_ERR_PROTOCOL ? "not the protocol of Redis" : "error of hiredis";
  }
};

[[nodiscard]] FUSEBOX_API inline const std::error_category& hiredis_category() noexcept {
  static const NoDestroy<HiredisErrorCategory> category;
  return *category;
}

/// The errno whose text ends `text`: `last`, or one of the network, since what was called after the error may
/// have changed errno. 0 if none does.
[[nodiscard]] inline int hiredis_errno(std::string_view text, int last) {
  const auto fits = [text](int value) { return text.ends_with(std::generic_category().message(value)); };
  if (last != 0 && fits(last)) return last;
  for (const std::errc errc : network_conditions) {
    if (fits(static_cast<int>(errc))) return static_cast<int>(errc);
  }
  for (const int value : {EAGAIN, ENOENT, EMFILE, EACCES}) {
    if (fits(value)) return value;
  }
  return 0;
}

/// Is `text` what getaddrinfo says of a host that it does not find?
[[nodiscard]] inline bool is_unknown_host(std::string_view text) {
#ifdef EAI_NODATA
  if (text == ::gai_strerror(EAI_NODATA)) return true;
#endif
  return text == ::gai_strerror(EAI_NONAME) || text == ::gai_strerror(EAI_AGAIN) ||
         text == ::gai_strerror(EAI_FAIL);
}

/// The code of an error of a redisContext (H56).
[[nodiscard]] inline std::error_code hiredis_code(int error, std::string_view text, int last_errno) {
  constexpr int timed_out = 6;  // REDIS_ERR_TIMEOUT, since hiredis 1.0
  switch (error) {
    case REDIS_ERR_IO: {
      const int number = hiredis_errno(text, last_errno);
      // A socket with a timeout says EAGAIN when it is over. No socket file: nobody listens there.
      if (number == EAGAIN || number == ETIMEDOUT) return make_error_code(NetworkErrc::timed_out);
      if (number == ENOENT) return make_error_code(NetworkErrc::connection_refused);
      if (number != 0) return {number, std::generic_category()};
      break;
    }
    case REDIS_ERR_EOF: return make_error_code(NetworkErrc::connection_reset);
    case REDIS_ERR_OOM: return std::make_error_code(std::errc::not_enough_memory);
    case timed_out: return make_error_code(NetworkErrc::timed_out);
    case REDIS_ERR_OTHER:
      if (is_unknown_host(text)) return make_error_code(NetworkErrc::host_not_found);
      // "Can't create socket: No route to host"
      if (const int number = hiredis_errno(text, last_errno); is_network_condition(number)) {
        return {number, std::generic_category()};
      }
      break;
    default: break;
  }
  return {error, hiredis_category()};
}

}  // namespace detail

namespace redis {

/// What a command left: a reply, which it owns, or the error of the connection. Movable.
class Result {
 public:
  /// Takes over `reply`, which a call of hiredis on `context` has just returned. Without a reply it reads the
  /// error of `context`, and errno. A null context, as redisConnect gives it, is a lack of memory.
  Result(const redisContext* context, void* reply) : reply_{static_cast<redisReply*>(reply)} {
    const int last_errno = errno;
    if (reply_) return;
    const int error = context != nullptr ? context->err : REDIS_ERR_OOM;
    text_ = context != nullptr ? context->errstr : "out of memory";
    code_ = fusebox::detail::hiredis_code(error, text_, last_errno);
  }
  /// A command that was not sent, or that ended without a reply.
  explicit Result(std::error_code code) : code_{code}, text_{code.message()} {}

  /// Is there a reply that is no error?
  [[nodiscard]] bool ok() const noexcept { return reply_ && reply_->type != REDIS_REPLY_ERROR; }
  /// False after an error of the connection. An error reply is a reply.
  [[nodiscard]] bool has_reply() const noexcept { return reply_ != nullptr; }
  /// Null after an error of the connection.
  [[nodiscard]] const redisReply* get() const noexcept { return reply_.get(); }
  /// Only if has_reply().
  [[nodiscard]] const redisReply* operator->() const noexcept { return reply_.get(); }
  [[nodiscard]] const redisReply& operator*() const noexcept { return *reply_; }

  /// The text of a string, a status or an error reply. std::nullopt for nil, for any other reply, and without
  /// a reply. It lives as long as the Result.
  [[nodiscard]] std::optional<std::string_view> text() const noexcept {
    if (!reply_ || reply_->str == nullptr) return std::nullopt;
    return std::string_view{reply_->str, reply_->len};
  }
  [[nodiscard]] bool is_nil() const noexcept { return reply_ && reply_->type == REDIS_REPLY_NIL; }

  /// What went wrong: the error reply as Redis sent it, or what hiredis says. For a log take
  /// failure()->message() (E8). Empty after a success.
  [[nodiscard]] std::string message() const {
    if (!reply_) return text_;
    return ok() ? std::string{} : std::string{text().value_or("")};
  }
  /// std::nullopt after a success (H55, H56).
  [[nodiscard]] std::optional<Failure> failure() const {
    if (!reply_) return Failure{code_};
    if (ok()) return std::nullopt;
    return fusebox::detail::redis_failure(text().value_or(""), !is_of_script_);
  }
  /// Must the connection be replaced? After an error of the connection always. After READONLY and the
  /// UNBLOCKED of a failover too: behind its address may be another primary by now.
  [[nodiscard]] bool needs_reconnect() const noexcept {
    if (!reply_) return true;
    const std::string_view reply = text().value_or("");
    return !ok() && (reply.starts_with("READONLY") || reply.starts_with(fusebox::detail::redis_demoted.word));
  }

 private:
  friend class Connection;

  struct FreeReply {
    void operator()(redisReply* reply) const noexcept { ::freeReplyObject(reply); }
  };

  std::unique_ptr<redisReply, FreeReply> reply_;
  std::error_code code_;
  std::string text_;
  bool is_of_script_ = false;  // the script may have made up the error reply, after it had written
};

/// The Result of a call of your own, to be returned by an operation. Write the call as the argument, so that
/// errno is read next:
///
///     return redis::result_of(context, redisCommand(context, "GET %s", key));
[[nodiscard]] inline Result result_of(const redisContext* context, void* reply) { return {context, reply}; }

}  // namespace redis

template <>
struct failure_traits<redis::Result> {
  [[nodiscard]] static std::optional<Failure> failure(const redis::Result& result) {
    return result.failure();
  }
};

/// The error to throw for a failed command of `service`, marked with from_upstream (E5); std::nullopt if the
/// command succeeded.
[[nodiscard]] inline std::optional<ApiError> upstream_error(const redis::Result& result,
                                                            std::string service) {
  return detail::upstream_error(result.failure(), service, result.message());
}

FUSEBOX_END_NAMESPACE
