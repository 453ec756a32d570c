// fusebox/adapters/hiredis/config.hpp: redis::ConnectionConfig and its check; deadlines as timeouts of
// hiredis (H58).
#pragma once
// IWYU pragma: private, include <fusebox/adapters/hiredis.hpp>

#include <sys/time.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include <fusebox/clock.hpp>
#include <fusebox/detail/validate.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace redis {

/// What is left until `deadline`, at most `longest`, for redisSetTimeout and redisConnectWithTimeout: rounded
/// up to microseconds, at least 1, at most 24 hours. hiredis takes 0 for "no timeout" or for "at once".
[[nodiscard]] inline timeval timeout_of(const Deadline& deadline,
                                        std::chrono::nanoseconds longest = no_timeout) {
  using std::chrono::microseconds;
  const std::chrono::nanoseconds left =
      std::min({deadline.remaining(), longest, std::chrono::nanoseconds{std::chrono::hours{24}}});
  const auto count = std::max(std::chrono::ceil<microseconds>(left), microseconds{1}).count();
  timeval result{};
  result.tv_sec = static_cast<decltype(result.tv_sec)>(count / 1'000'000);
  result.tv_usec = static_cast<decltype(result.tv_usec)>(count % 1'000'000);
  return result;
}

/// Where a Connection leads to. validate() says what is accepted (C3).
struct ConnectionConfig {
  std::string host = "127.0.0.1";
  int port = 6379;
  std::string unix_socket = {};  ///< the path of a socket, in place of host and port
  std::chrono::nanoseconds connect_timeout =
      std::chrono::seconds{1};  ///< does not limit the look-up of the host
  std::chrono::nanoseconds command_timeout = std::chrono::seconds{1};  ///< of each read and write
  /// Commands for each new connection, such as {{"AUTH", password}, {"SELECT", "2"}}.
  std::vector<std::vector<std::string>> on_connect = {};
};

}  // namespace redis

namespace detail {

[[nodiscard]] inline Problem check(const redis::ConnectionConfig& config) noexcept {
  const bool uses_port = config.unix_socket.empty();
  if (uses_port && (config.port < 1 || config.port > 65'535))
    return problem("port", "in [1, 65535]", static_cast<long long>(config.port));
  if (!is_positive_duration(config.connect_timeout))
    return problem("connect_timeout", positive_duration_rule, config.connect_timeout);
  if (!is_positive_duration(config.command_timeout))
    return problem("command_timeout", positive_duration_rule, config.command_timeout);
  for (const std::vector<std::string>& words : config.on_connect) {
    if (words.empty()) return problem("on_connect", "commands of at least one word", "a command of none");
  }
  return {};
}

}  // namespace detail

namespace redis {

/// What is wrong with the first wrong field: its name, its rule and its value (C2). Empty for a good config.
[[nodiscard]] inline std::string validate(const ConnectionConfig& config) {
  return fusebox::detail::to_text("redis::ConnectionConfig", fusebox::detail::check(config));
}

}  // namespace redis

FUSEBOX_END_NAMESPACE
