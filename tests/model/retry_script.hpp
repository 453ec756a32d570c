// model/retry_script.hpp: one call of retry_with_backoff as data: a config, how each attempt ends, and what
// happens around it. to_code() writes it as the C++ that makes it.
#pragma once

#include <fusebox/retry.hpp>

#include <chrono>
#include <optional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "code.hpp"

namespace model {

/// What an attempt fails with.
enum class Fault {
  none,
  connection_reset,
  connection_refused,
  host_not_found,
  timed_out,
  status_404,
  status_429,
  status_500,
  status_503,
  unknown,
  cancelled,
  rejected,  // a breaker inside op was open
};

/// When the stop token is stopped, if it is.
enum class Stop { never, in_op, in_on_retry, in_wait };

struct Attempt {
  Fault fault = Fault::none;
  std::optional<std::chrono::seconds> retry_after = std::nullopt;  // of those that have a status
  std::chrono::nanoseconds takes{0};
  Stop stop = Stop::never;
};

enum class Accepts { transient, everything, nothing };  // retry_if; the first is without one
enum class Draws { smallest, largest, random };
// by_value: failures are returned, not thrown; by_hand: with a RetryState; the last three as the first three,
// of an op that is a coroutine
enum class Form { tries, throws, by_value, by_hand, awaits_tries, awaits_throws, awaits_by_value };

struct RetryScript {
  fusebox::RetryConfig config;
  std::vector<Attempt> attempts;  // those that follow succeed
  Accepts accepts = Accepts::transient;
  Draws draws = Draws::smallest;
  std::optional<int> tokens = std::nullopt;                         // in the budget
  std::vector<std::chrono::nanoseconds> list;                       // of backoff; empty: the formula
  std::optional<std::chrono::nanoseconds> step = std::nullopt;      // of linear backoff, instead of the list
  std::optional<std::chrono::nanoseconds> deadline = std::nullopt;  // from the first attempt on
  bool deadline_of_another_clock = false;
  Form form = Form::tries;
  bool stopped_before = false;
};

inline std::string to_code(Fault fault) {
  constexpr const char* names[] = {"none",       "connection_reset", "connection_refused", "host_not_found",
                                   "timed_out",  "status_404",       "status_429",         "status_500",
                                   "status_503", "unknown",          "cancelled",          "rejected"};
  return std::string{"Fault::"} + names[static_cast<int>(fault)];
}

inline std::string to_code(Stop stop) {
  constexpr const char* names[] = {"never", "in_op", "in_on_retry", "in_wait"};
  return std::string{"Stop::"} + names[static_cast<int>(stop)];
}

inline std::string to_code(const Attempt& attempt) {
  Fields fields;
  if (attempt.fault != Fault::none) fields.add("fault", to_code(attempt.fault));
  if (attempt.retry_after)
    fields.add("retry_after", "std::chrono::seconds{" + std::to_string(attempt.retry_after->count()) + "}");
  fields.add("takes", attempt.takes, {}, to_code(attempt.takes));
  if (attempt.stop != Stop::never) fields.add("stop", to_code(attempt.stop));
  return fields.text();
}

inline std::string to_code(const RetryScript& script) {
  std::string code = "RetryScript{.config = " + to_code(script.config) + ", .attempts = {";
  const char* separator = "";
  for (const Attempt& attempt : script.attempts) code += std::exchange(separator, ", ") + to_code(attempt);
  code += "}";
  if (script.accepts == Accepts::everything) code += ", .accepts = Accepts::everything";
  if (script.accepts == Accepts::nothing) code += ", .accepts = Accepts::nothing";
  if (script.draws == Draws::largest) code += ", .draws = Draws::largest";
  if (script.draws == Draws::random) code += ", .draws = Draws::random";
  if (script.tokens) code += ", .tokens = " + std::to_string(*script.tokens);
  if (!script.list.empty()) {
    code += ", .list = {";
    for (const auto delay : script.list) code += to_code(delay) + ", ";
    code += "}";
  }
  if (script.step) code += ", .step = " + to_code(*script.step);
  if (script.deadline) code += ", .deadline = " + to_code(*script.deadline);
  if (script.deadline_of_another_clock) code += ", .deadline_of_another_clock = true";
  if (script.form == Form::throws) code += ", .form = Form::throws";
  if (script.form == Form::by_value) code += ", .form = Form::by_value";
  if (script.form == Form::by_hand) code += ", .form = Form::by_hand";
  if (script.form == Form::awaits_tries) code += ", .form = Form::awaits_tries";
  if (script.form == Form::awaits_throws) code += ", .form = Form::awaits_throws";
  if (script.form == Form::awaits_by_value) code += ", .form = Form::awaits_by_value";
  if (script.stopped_before) code += ", .stopped_before = true";
  return code + "}";
}

inline void showValue(const RetryScript& script, std::ostream& out) { out << to_code(script); }  // NOLINT

}  // namespace model
