// model/breaker_script.hpp: what is done to a breaker, as data: a config and a list of commands.
//
// A script is total: whatever it says can be done in any state (an index counts round what there is), so that
// any part of a script is a script, and shrinking needs no rules. to_code() writes it as the C++ that makes
// it.
#pragma once

#include <fusebox/circuit_breaker.hpp>

#include <chrono>
#include <optional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "code.hpp"

namespace model {

/// How the op of an execute ends.
enum class Ending {
  value,
  failed_value,  // by failure_if
  error_503,
  error_404,  // the dependency answered
  unknown_error,
  cancelled,
  rejected,  // somebody else's breaker was open
};

/// What an advance of time is measured by.
enum class Span {
  nothing,
  reset_timeout,
  probe_timeout,
  slower_than,
  call_timeout,
  rate_window,
  rate_bucket,
  slow_window,
  slow_bucket,
  until_due,  // what retry_after() says
  recovery_time,
  recovery_tenth,
};

/// Of an execute with CallOptions.
inline constexpr std::chrono::nanoseconds call_timeout{7};

struct Command {
  enum class Kind {
    acquire,
    execute,
    report,
    report_twice,
    report_failure,  // what a call left, by its ending
    drop,
    advance,
    jump_wall,
    reset,
    force_open,
    disable,
    subscribe,
    unsubscribe,
    listen,  // to calls
    stop_listening,
    reconfigure,
  };

  Kind kind = Kind::acquire;
  unsigned which = 0;  // of the permits that are out, or of the subscriptions; or which rules stay
  fusebox::Outcome outcome = fusebox::Outcome::success;
  Ending ending = Ending::value;
  bool has_fallback = false;
  bool has_timeout = false;
  Span span = Span::nothing;
  int offset = 0;  // nanoseconds
  int asks = 0;    // milliseconds: the Retry-After of a 503, if above 0
  std::vector<Command> inside = {};
  std::optional<fusebox::CircuitBreakerConfig> config = {};
};
using Commands = std::vector<Command>;

struct BreakerScript {
  fusebox::CircuitBreakerConfig config;
  Commands commands;
};

// Short ways to write them.

inline Command acquire() { return {.kind = Command::Kind::acquire}; }
inline Command execute(Ending ending, Commands inside = {}) {
  return {.kind = Command::Kind::execute, .ending = ending, .inside = std::move(inside)};
}
inline Command with_fallback(Command command) {
  command.has_fallback = true;
  return command;
}
inline Command with_timeout(Command command) {
  command.has_timeout = true;
  return command;
}
inline Command report(unsigned which, fusebox::Outcome outcome) {
  return {.kind = Command::Kind::report, .which = which, .outcome = outcome};
}
inline Command report_twice(unsigned which, fusebox::Outcome outcome) {
  return {.kind = Command::Kind::report_twice, .which = which, .outcome = outcome};
}
inline Command report_failure(unsigned which, Ending ending) {
  return {.kind = Command::Kind::report_failure, .which = which, .ending = ending};
}
/// Of a call that ends with a 503.
inline Command asking(int milliseconds, Command command) {
  command.asks = milliseconds;
  return command;
}
inline Command drop(unsigned which) { return {.kind = Command::Kind::drop, .which = which}; }
inline Command advance(Span span, int offset = 0) {
  return {.kind = Command::Kind::advance, .span = span, .offset = offset};
}
inline Command jump_wall(int hours) { return {.kind = Command::Kind::jump_wall, .offset = hours}; }
inline Command reset() { return {.kind = Command::Kind::reset}; }
inline Command force_open() { return {.kind = Command::Kind::force_open}; }
inline Command disable() { return {.kind = Command::Kind::disable}; }
inline Command subscribe() { return {.kind = Command::Kind::subscribe}; }
inline Command unsubscribe(unsigned which) { return {.kind = Command::Kind::unsubscribe, .which = which}; }

inline Command listen() { return {.kind = Command::Kind::listen}; }
inline Command stop_listening(unsigned which) {
  return {.kind = Command::Kind::stop_listening, .which = which};
}
enum Keep : unsigned { keep_nothing = 0, keep_failure_rate = 1, keep_slow_calls = 2, keep_counts = 4 };
/// Another config, apart from what is kept (a sum of Keep) of the one in force.
inline Command reconfigure(unsigned kept, fusebox::CircuitBreakerConfig config) {
  return {.kind = Command::Kind::reconfigure, .which = kept, .config = std::move(config)};
}

// The code that makes a script.

inline std::string to_code(Ending ending) {
  constexpr const char* names[] = {"value",         "failed_value", "error_503", "error_404",
                                   "unknown_error", "cancelled",    "rejected"};
  return std::string{"Ending::"} + names[static_cast<int>(ending)];
}

inline std::string to_code(Span span) {
  constexpr const char* names[] = {"nothing",      "reset_timeout", "probe_timeout", "slower_than",
                                   "call_timeout", "rate_window",   "rate_bucket",   "slow_window",
                                   "slow_bucket",  "until_due",     "recovery_time", "recovery_tenth"};
  return std::string{"Span::"} + names[static_cast<int>(span)];
}

inline std::string to_code(const Commands& commands);

inline std::string to_code(const Command& command) {
  const std::string which = std::to_string(command.which);
  switch (command.kind) {
    case Command::Kind::acquire: return "acquire()";
    case Command::Kind::execute: {
      std::string code = "execute(" + to_code(command.ending);
      if (!command.inside.empty()) code += ", " + to_code(command.inside);
      code += ")";
      if (command.has_fallback) code = "with_fallback(" + code + ")";
      if (command.has_timeout) code = "with_timeout(" + code + ")";
      if (command.asks > 0) code = "asking(" + std::to_string(command.asks) + ", " + code + ")";
      return code;
    }
    case Command::Kind::report: return "report(" + which + ", " + to_code(command.outcome) + ")";
    case Command::Kind::report_twice: return "report_twice(" + which + ", " + to_code(command.outcome) + ")";
    case Command::Kind::report_failure: {
      const std::string code = "report_failure(" + which + ", " + to_code(command.ending) + ")";
      return command.asks > 0 ? "asking(" + std::to_string(command.asks) + ", " + code + ")" : code;
    }
    case Command::Kind::drop: return "drop(" + which + ")";
    case Command::Kind::advance:
      return "advance(" + to_code(command.span) +
             (command.offset == 0 ? "" : ", " + std::to_string(command.offset)) + ")";
    case Command::Kind::jump_wall: return "jump_wall(" + std::to_string(command.offset) + ")";
    case Command::Kind::reset: return "reset()";
    case Command::Kind::force_open: return "force_open()";
    case Command::Kind::disable: return "disable()";
    case Command::Kind::subscribe: return "subscribe()";
    case Command::Kind::unsubscribe: return "unsubscribe(" + which + ")";
    case Command::Kind::listen: return "listen()";
    case Command::Kind::stop_listening: return "stop_listening(" + which + ")";
    case Command::Kind::reconfigure:
      return "reconfigure(" + which + ", CircuitBreakerConfig" +
             to_code(command.config.value_or(fusebox::CircuitBreakerConfig{})) + ")";
  }
  return "?";
}

inline std::string to_code(const Commands& commands) {
  std::string code = "{";
  for (const Command& command : commands) {
    if (code.size() > 1) code += ", ";
    code += to_code(command);
  }
  return code + "}";
}

inline std::string to_code(const BreakerScript& script) {
  return "BreakerScript{" + to_code(script.config) + ", " + to_code(script.commands) + "}";
}

inline void showValue(const BreakerScript& script, std::ostream& out) { out << to_code(script); }  // NOLINT

}  // namespace model
