// fusebox/adapters/hiredis/errc.hpp: what the error replies of Redis stand for (H55). Needs no hiredis.
#pragma once
// IWYU pragma: private, include <fusebox/adapters/hiredis.hpp>

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>

#include <fusebox/api_error.hpp>
#include <fusebox/detail/no_destroy.hpp>
#include <fusebox/error_code.hpp>
#include <fusebox/failure.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace redis {

/// The kinds of error replies, by their first word. See
/// https://redis.io/docs/latest/develop/reference/errors/
enum class Errc : int {
  error = 1,         ///< ERR, and any word that is not listed here
  loading,           ///< LOADING: the data set is still being loaded
  busy,              ///< BUSY: a script runs too long
  try_again,         ///< TRYAGAIN: several keys, while their slot is being migrated
  cluster_down,      ///< CLUSTERDOWN: a slot has no node
  master_down,       ///< MASTERDOWN: a replica without its primary
  read_only,         ///< READONLY: a write sent to a replica
  out_of_memory,     ///< OOM: maxmemory is reached
  cannot_persist,    ///< MISCONF: the data cannot be saved
  no_replicas,       ///< NOREPLICAS: fewer replicas than min-replicas-to-write
  too_many_clients,  ///< ERR max number of clients …
  moved,             ///< MOVED: another node of the cluster has the slot
  ask,               ///< ASK: another node has the key already
  unauthenticated,   ///< NOAUTH, WRONGPASS
  no_permission,     ///< NOPERM, DENIED
  wrong_type,        ///< WRONGTYPE: the key holds another type
  no_script,         ///< NOSCRIPT: EVALSHA of a script that is not cached
  aborted,           ///< EXECABORT: a transaction with a command that was refused
  exists,            ///< BUSYKEY, BUSYGROUP
  no_group,          ///< NOGROUP: no such stream or group
  cross_slot,        ///< CROSSSLOT: keys of several slots
  unblocked,         ///< UNBLOCKED: a blocking command was ended from outside
};

}  // namespace redis

namespace detail {

/// What an error reply says.
struct RedisReplyKind {
  std::string_view word;
  redis::Errc errc;
  ErrorCode status;  ///< of the Failure: 503 is transient
};

/// `503` is what the server refuses for now, before it runs anything. Everything else is for the caller.
inline constexpr RedisReplyKind redis_reply_kinds[] = {
    {"LOADING", redis::Errc::loading, ErrorCode::service_unavailable},
    {"BUSY", redis::Errc::busy, ErrorCode::service_unavailable},
    {"TRYAGAIN", redis::Errc::try_again, ErrorCode::service_unavailable},
    {"CLUSTERDOWN", redis::Errc::cluster_down, ErrorCode::service_unavailable},
    {"MASTERDOWN", redis::Errc::master_down, ErrorCode::service_unavailable},
    {"READONLY", redis::Errc::read_only, ErrorCode::service_unavailable},
    {"OOM", redis::Errc::out_of_memory, ErrorCode::service_unavailable},
    {"MISCONF", redis::Errc::cannot_persist, ErrorCode::service_unavailable},
    {"NOREPLICAS", redis::Errc::no_replicas, ErrorCode::service_unavailable},
    {"MOVED", redis::Errc::moved, ErrorCode::bad_request},
    {"ASK", redis::Errc::ask, ErrorCode::bad_request},
    {"NOAUTH", redis::Errc::unauthenticated, ErrorCode::unauthorized},
    {"WRONGPASS", redis::Errc::unauthenticated, ErrorCode::unauthorized},
    {"NOPERM", redis::Errc::no_permission, ErrorCode::forbidden},
    {"DENIED", redis::Errc::no_permission, ErrorCode::forbidden},
    {"WRONGTYPE", redis::Errc::wrong_type, ErrorCode::bad_request},
    {"NOSCRIPT", redis::Errc::no_script, ErrorCode::not_found},
    {"EXECABORT", redis::Errc::aborted, ErrorCode::bad_request},
    {"BUSYKEY", redis::Errc::exists, ErrorCode::conflict},
    {"BUSYGROUP", redis::Errc::exists, ErrorCode::conflict},
    {"NOGROUP", redis::Errc::no_group, ErrorCode::not_found},
    {"CROSSSLOT", redis::Errc::cross_slot, ErrorCode::bad_request},
    {"UNBLOCKED", redis::Errc::unblocked, ErrorCode::conflict},
};

inline constexpr RedisReplyKind redis_max_clients{"ERR max number of clients", redis::Errc::too_many_clients,
                                                  ErrorCode::service_unavailable};
/// A failover ended a blocking command, which has done nothing. CLIENT UNBLOCK says something else.
inline constexpr RedisReplyKind redis_demoted{"UNBLOCKED force unblock", redis::Errc::unblocked,
                                              ErrorCode::service_unavailable};
inline constexpr RedisReplyKind redis_error{"ERR", redis::Errc::error, ErrorCode::bad_request};

/// The kind of an error reply. A transaction that was discarded because of another error is of the kind of
/// that error.
[[nodiscard]] constexpr const RedisReplyKind& redis_reply_kind(std::string_view text) noexcept {
  constexpr std::string_view because = "EXECABORT Transaction discarded because of: ";
  if (text.starts_with(because)) text.remove_prefix(because.size());
  if (text.starts_with(redis_max_clients.word)) return redis_max_clients;
  if (text.starts_with(redis_demoted.word)) return redis_demoted;
  const std::string_view word = text.substr(0, text.find(' '));
  for (const RedisReplyKind& kind : redis_reply_kinds) {
    if (word == kind.word) return kind;
  }
  return redis_error;
}

/// Does this command run a script or a function?
[[nodiscard]] constexpr bool is_redis_script(std::string_view command) noexcept {
  const auto is = [command](std::string_view name) {
    if (command.size() != name.size()) return false;
    for (std::size_t i = 0; i != name.size(); ++i) {
      const char c = command[i];
      if ((c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c) != name[i]) return false;
    }
    return true;
  };
  return is("EVAL") || is("EVALSHA") || is("EVAL_RO") || is("EVALSHA_RO") || is("FCALL") || is("FCALL_RO");
}

/// Has Redis run nothing? It refuses a command before it runs it, but a script at any of its commands, and
/// then names the script at the end of the text.
[[nodiscard]] constexpr bool redis_ran_nothing(std::string_view text) noexcept {
  return text.find(" script: ") == std::string_view::npos && !text.starts_with("ERR Error running script");
}

class FUSEBOX_API RedisErrorCategory final : public std::error_category {
 public:
  [[nodiscard]] const char* name() const noexcept override { return "redis"; }
  [[nodiscard]] std::string message(int value) const override {
    for (const RedisReplyKind& kind : redis_reply_kinds) {
      if (static_cast<int>(kind.errc) == value) return "Redis answered " + std::string{kind.word};
    }
    const bool is_full = value == static_cast<int>(redis::Errc::too_many_clients);
    return is_full ? "Redis has too many clients" : "Redis answered with an error";
  }
};

}  // namespace detail

namespace redis {

/// The category of Errc. One object per process.
[[nodiscard]] FUSEBOX_API inline const std::error_category& error_category() noexcept {
  static const fusebox::detail::NoDestroy<fusebox::detail::RedisErrorCategory> category;
  return *category;
}

[[nodiscard]] inline std::error_code make_error_code(Errc errc) noexcept {
  return {static_cast<int>(errc), error_category()};
}

}  // namespace redis

namespace detail {

/// With `is_of_redis` false a script may have made up the text, after it had written.
[[nodiscard]] inline Failure redis_failure(std::string_view text, bool is_of_redis) {
  const RedisReplyKind& kind = redis_reply_kind(text);
  ApiError error{kind.status, std::string{text}, redis::make_error_code(kind.errc), SystemClock{}.wall_now()};
  const bool is_refusal = kind.status == ErrorCode::service_unavailable;
  // A 503 with a Retry-After is what surely was not processed (R7).
  if (is_refusal && is_of_redis && redis_ran_nothing(text)) {
    error = error.with_retry_after(std::chrono::milliseconds{0});
  }
  return Failure{std::move(error)};
}

}  // namespace detail

namespace redis {

/// The failure that an error reply stands for, with an Errc as its code and the reply as its text (H55). Give
/// it the text of the reply without the leading `-`, as hiredis does. It takes the reply for one of Redis
/// itself, not for one that a script returned. May throw std::bad_alloc.
[[nodiscard]] inline Failure failure_of_error_reply(std::string_view text) {
  return fusebox::detail::redis_failure(text, true);
}

}  // namespace redis

FUSEBOX_END_NAMESPACE

template <>
struct std::is_error_code_enum<fusebox::redis::Errc> : std::true_type {};
