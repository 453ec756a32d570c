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
  throttle = 'V',
  chaos = 'C',
  user = 'U',
};

/// Does check_pairs() ask for its pairs? A retry is one kind, with or without a budget. Without a default, so
/// that the compiler names a kind that is forgotten here.
constexpr bool has_pairs(Kind kind) {
  switch (kind) {
    case Kind::budgeted:
    case Kind::throttled: return false;
    case Kind::breaker:
    case Kind::retry:
    case Kind::total:
    case Kind::attempt:
    case Kind::bulkhead:
    case Kind::limiter:
    case Kind::fallback:
    case Kind::when_rejected:
    case Kind::last_good:
    case Kind::throttle:
    case Kind::chaos:
    case Kind::user: return true;
  }
  return false;  // no kind
}
/// Their letters.
inline std::string kinds_with_pairs() {
  std::string letters;
  for (char letter = 'A'; letter <= 'Z'; ++letter)
    if (has_pairs(static_cast<Kind>(letter))) letters += letter;
  return letters;
}

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
  // a timeout; the max_age of a last good value; the window of a throttle; the latency of chaos
  Nanos limit = ms;
  // a throttle
  double k = 2;
  int minimum_calls = 1;
  double max_rejection = 1;
  // chaos, enabled or not
  bool is_enabled = true;
  double fault_rate = 0;
  double latency_rate = 0;
  Ends fault = Ends::threw_503;  // or threw_404, threw_network
  // a throttle and chaos
  std::uint64_t seed = 1;
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
      case Kind::throttle:
        layer.k = one_of({1.0, 1.5, 2.0});
        layer.limit = time({120, 12, 24});
        layer.minimum_calls = one_of({1, 0, 3});
        layer.max_rejection = one_of({1.0, 0.5, 0.9});
        layer.seed = one_of<std::uint64_t>({1, 2, 77});
        break;
      case Kind::chaos:
        layer.is_enabled = input_.below(8) != 7;
        layer.fault_rate = one_of({0.25, 0.0, 0.5, 1.0});
        layer.fault = one_of({Ends::threw_503, Ends::threw_404, Ends::threw_network});
        layer.latency_rate = one_of({0.5, 0.0, 1.0});
        layer.limit = time({2, 0, 4, 20});
        layer.seed = one_of<std::uint64_t>({1, 2, 77});
        break;
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
    case Kind::throttle:
      out << "k " << layer.k << ", window " << in_ms(layer.limit) << ", minimum_calls " << layer.minimum_calls
          << ", max_rejection " << layer.max_rejection << ", seed " << layer.seed;
      break;
    case Kind::chaos:
      out << (layer.is_enabled ? "on" : "off") << ", " << to_code(layer.fault) << " at " << layer.fault_rate
          << ", latency " << in_ms(layer.limit) << " at " << layer.latency_rate << ", seed " << layer.seed;
      break;
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
