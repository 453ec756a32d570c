// model/pipeline_script.hpp: pipelines and what happens to them, as data: layers, calls, and how op answers.
//
// All times are in nanoseconds, and multiples of a millisecond.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

namespace model::flow {

using Nanos = std::int64_t;
inline constexpr Nanos ms = 1'000'000;

/// The layers, by a letter for each in the names of pipelines: "TSA" is a total_timeout around a retry with a
/// budget around an attempt_timeout.
enum class Kind : char {
  breaker = 'B',
  retry = 'R',
  budgeted = 'S',   // a retry with a RetryBudget
  throttled = 'H',  // a retry with a RetryThrottle
  total = 'T',
  attempt = 'A',
  bulkhead = 'K',
  limiter = 'L',
  fallback = 'F',
  when_rejected = 'W',
  last_good = 'G',
  user = 'U',
};

/// How op, or a fallback, ends.
enum class Ends : std::uint8_t {
  value,
  failed_503,  // a value that is a failure
  failed_404,
  threw_503,
  threw_404,
  threw_network,  // connection_reset
  threw_closed,   // bad_file_descriptor, as if its connection was closed under it
  threw_cancelled,
  threw_rejection,
};

enum class UserDoes : std::uint8_t { once, twice, again_if_failed, throws_after, rejects };

struct Layer {
  Kind kind = Kind::breaker;
  // a breaker
  int threshold = 1;
  Nanos reset = 10 * ms;
  // a retry
  int max_retries = 0;
  Nanos base_delay = 0;
  std::optional<Nanos> total_timeout = std::nullopt;
  int hook_throws_at = 0;  // the attempt after which on_retry throws; 0: none
  int most = 1;            // capacity of the budget, max_tokens of the throttle
  int ratio_tenths = 0;    // throttle: at least 1
  // a timeout, and the max_age of a last good value
  Nanos limit = ms;
  // a bulkhead
  int slots = 1;
  int waiting = 0;
  std::vector<Nanos> held = {};  // when slots that others hold are released, from the start
  // a limiter
  int burst = 1;
  Nanos interval = ms;
  // a bulkhead and a limiter
  Nanos max_wait = 0;
  Ends fallback = Ends::value;
  UserDoes user = UserDoes::once;
};

struct Answer {
  Ends ends = Ends::value;
  Nanos takes = 0;
  bool notices = false;  // a stop, if op can receive one: it ends then
  bool closes = false;   // what a stop looks like: a closed connection, else a cancellation
};

/// What op takes. The first two can be stopped.
enum class Takes : std::uint8_t { call, token, deadline, nothing };
inline bool can_be_stopped(Takes takes) { return takes == Takes::call || takes == Takes::token; }

struct LogicalCall {
  Nanos before = 0;                              // since the call before
  std::optional<Nanos> stop = std::nullopt;      // by the caller, after the beginning
  std::optional<Nanos> deadline = std::nullopt;  // given by the caller
  Takes takes = Takes::call;
  int abandoned_at = 0;              // the step, a call of op or a wait, at which a run is destroyed; 0: none
  std::vector<Answer> answers = {};  // of op's calls, in turn
};

struct Script {
  std::vector<Layer> layers;
  std::vector<LogicalCall> calls;
};

/// From any source of choices: Input has below(count) and flag().
template <class Input>
class Decoder {
 public:
  explicit Decoder(Input& input) : input_{input} {}

  Script script(const std::string& kinds) {
    Script script;
    for (const char kind : kinds) script.layers.push_back(layer(static_cast<Kind>(kind)));
    const unsigned calls = 1 + input_.below(6);
    for (unsigned i = 0; i < calls; ++i) script.calls.push_back(call());
    return script;
  }

 private:
  Layer layer(Kind kind) {
    Layer layer{kind};
    switch (kind) {
      case Kind::breaker:
        layer.threshold = one_of({1, 2, 3});
        layer.reset = time({10, 5, 30});
        break;
      case Kind::throttled:
      case Kind::budgeted:
        layer.most = one_of({1, 2, 3, 5});
        layer.ratio_tenths = one_of({2, 1, 5, 10});
        [[fallthrough]];
      case Kind::retry:
        layer.max_retries = one_of({2, 1, 3, 0});
        layer.base_delay = time({2, 1, 4, 0});
        if (input_.below(4) == 3) layer.total_timeout = time({10, 3, 4, 20});
        if (input_.below(8) == 7) layer.hook_throws_at = one_of({1, 2});
        break;
      case Kind::total:
      case Kind::attempt:
      case Kind::last_good: layer.limit = time({5, 3, 10, 20, 4, 1}); break;
      case Kind::bulkhead:
        layer.slots = one_of({1, 2});
        layer.waiting = one_of({0, 1});
        layer.max_wait = time({5, 2, 10, 0});
        for (unsigned left = input_.below(3);
             left > 0 && layer.held.size() < static_cast<std::size_t>(layer.slots); --left)
          layer.held.push_back(time({3, 1, 5, 8, 20}));
        break;
      case Kind::limiter:
        layer.burst = one_of({1, 2, 3});
        layer.interval = time({4, 1, 2, 20});
        layer.max_wait = time({0, 2, 4, 10, 40});
        break;
      case Kind::fallback:
      case Kind::when_rejected: layer.fallback = input_.below(3) == 2 ? ends() : Ends::value; break;
      case Kind::user:
        layer.user = one_of({UserDoes::once, UserDoes::twice, UserDoes::again_if_failed,
                             UserDoes::throws_after, UserDoes::rejects});
        break;
    }
    return layer;
  }

  LogicalCall call() {
    LogicalCall call;
    call.before = time({0, 1, 5, 15, 40});
    if (input_.below(4) == 3) call.stop = time({2, 0, 1, 3, 5, 8});
    if (input_.below(4) == 3) call.deadline = time({5, 0, 1, 3, 4, 10});
    call.takes = one_of({Takes::call, Takes::nothing, Takes::call, Takes::token, Takes::deadline});
    if (input_.below(4) == 3) call.abandoned_at = one_of({1, 2, 3, 4, 5});
    const unsigned answers = 1 + input_.below(4);
    for (unsigned i = 0; i < answers; ++i) {
      Answer answer;
      answer.ends = ends();
      answer.takes = time({0, 1, 2, 3, 5, 12});
      answer.notices = input_.flag();
      answer.closes = input_.flag();
      call.answers.push_back(answer);
    }
    return call;
  }

  Ends ends() {
    return one_of({Ends::value, Ends::threw_503, Ends::threw_network, Ends::failed_503, Ends::threw_404,
                   Ends::failed_404, Ends::threw_closed, Ends::threw_cancelled, Ends::threw_rejection,
                   Ends::value, Ends::threw_503, Ends::value});
  }

  template <class T>
  T one_of(std::initializer_list<T> choices) {
    return choices.begin()[input_.below(static_cast<unsigned>(choices.size()))];
  }
  Nanos time(std::initializer_list<Nanos> choices) { return one_of(choices) * ms; }

  Input& input_;
};

// What a failing test prints.

inline std::string to_code(Ends ends) {
  constexpr std::array<const char*, 9> names{"value",        "failed_503",      "failed_404",
                                             "threw_503",    "threw_404",       "threw_network",
                                             "threw_closed", "threw_cancelled", "threw_rejection"};
  return std::string{"Ends::"} + names[static_cast<std::size_t>(ends)];
}
inline std::string in_ms(Nanos time) { return std::to_string(time / ms) + "ms"; }
inline std::string in_ms(const std::optional<Nanos>& time) { return time ? in_ms(*time) : "none"; }

inline std::ostream& operator<<(std::ostream& out, const Layer& layer) {
  out << static_cast<char>(layer.kind) << '{';
  switch (layer.kind) {
    case Kind::breaker: out << "threshold " << layer.threshold << ", reset " << in_ms(layer.reset); break;
    case Kind::throttled:
    case Kind::budgeted:
      out << "most " << layer.most << ", ratio " << layer.ratio_tenths << "/10, ";
      [[fallthrough]];
    case Kind::retry:
      out << "max_retries " << layer.max_retries << ", base_delay " << in_ms(layer.base_delay)
          << ", total_timeout " << in_ms(layer.total_timeout) << ", hook throws at " << layer.hook_throws_at;
      break;
    case Kind::total:
    case Kind::attempt:
    case Kind::last_good: out << in_ms(layer.limit); break;
    case Kind::bulkhead:
      out << "slots " << layer.slots << ", waiting " << layer.waiting << ", max_wait "
          << in_ms(layer.max_wait);
      for (const Nanos time : layer.held) out << ", held until " << in_ms(time);
      break;
    case Kind::limiter:
      out << "burst " << layer.burst << ", interval " << in_ms(layer.interval) << ", max_wait "
          << in_ms(layer.max_wait);
      break;
    case Kind::fallback:
    case Kind::when_rejected: out << to_code(layer.fallback); break;
    case Kind::user: out << "does " << static_cast<int>(layer.user); break;
  }
  return out << '}';
}

inline std::ostream& operator<<(std::ostream& out, const Script& script) {
  constexpr std::array<const char*, 4> names{"call", "token", "deadline", ""};
  for (const Layer& layer : script.layers) out << layer << ' ';
  for (const LogicalCall& call : script.calls) {
    out << "\n  after " << in_ms(call.before) << ", stop " << in_ms(call.stop) << ", deadline "
        << in_ms(call.deadline) << ", abandoned at " << call.abandoned_at << ", op("
        << names[static_cast<std::size_t>(call.takes)] << "):";
    for (const Answer& answer : call.answers) {
      out << ' ' << to_code(answer.ends) << " in " << in_ms(answer.takes)
          << (answer.notices ? answer.closes ? " closes" : " notices" : "");
    }
  }
  return out;
}

}  // namespace model::flow
