// Bulkhead against a plain model of rules K1 to K11, P18 and P19: random configs, random commands, everything
// that is seen compared after each. Waits are taken step by step, as the frames of the flow take them.
#include <fusebox/bulkhead.hpp>
#include <fusebox/detail/slots/waiting.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <ostream>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "code.hpp"
#include "rapidcheck.hpp"
#include "reference_bulkhead.hpp"

using namespace model;
using namespace std::chrono_literals;

namespace {

using Clock = fusebox::test::FakeClock;
using Reference = ReferenceBulkhead;
using Time = Reference::Time;
using Wait = fusebox::detail::SlotWait<fusebox::detail::BulkheadCore<Clock>::Slots>;

struct Command {
  enum class Kind { acquire, wait, finish, stop, abandon, release, set_limit, advance };
  Kind kind = Kind::acquire;
  std::size_t which = 0;                        // of the waits or permits
  std::optional<Time> deadline = std::nullopt;  // of a wait: the time until it
  Time by = 0;
  int limit = 1;
  fusebox::Priority priority = fusebox::Priority::normal;
};
constexpr std::size_t kinds = 8;

struct Script {
  fusebox::BulkheadConfig config;
  std::vector<Command> commands;
};

std::string to_code(const Command& command) {
  constexpr std::array<const char*, kinds> names{"acquire", "wait",    "finish",    "stop",
                                                 "abandon", "release", "set_limit", "advance"};
  std::string text = std::string{"{Command::Kind::"} + names[static_cast<std::size_t>(command.kind)];
  text += ", " + std::to_string(command.which);
  text += command.deadline ? ", " + std::to_string(*command.deadline) : ", {}";
  return text + ", " + std::to_string(command.by) + ", " + std::to_string(command.limit) +
         ", fusebox::Priority::" + std::string{to_string(command.priority)} + "}";
}

std::ostream& operator<<(std::ostream& out, const Script& script) {
  out << "{{.max_concurrent = " << script.config.max_concurrent
      << ", .max_waiting = " << script.config.max_waiting << ", .max_wait = std::chrono::nanoseconds{"
      << script.config.max_wait.count() << "}, .headroom = " << script.config.headroom << "}, {";
  for (const Command& command : script.commands) out << "\n  " << to_code(command) << ",";
  return out << "}}";
}

rc::Gen<Command> a_command() {
  using Kind = Command::Kind;
  return rc::gen::build<Command>(
      rc::gen::set(&Command::kind,
                   any_of({Kind::acquire, Kind::acquire, Kind::wait, Kind::wait, Kind::wait, Kind::finish,
                           Kind::finish, Kind::finish, Kind::release, Kind::release, Kind::stop,
                           Kind::abandon, Kind::set_limit, Kind::advance})),
      rc::gen::set(&Command::which, any_of<std::size_t>({0, 1, 2, 3, 4, 5})),
      rc::gen::set(&Command::deadline,
                   any_of<std::optional<Time>>({std::nullopt, std::nullopt, 0, 1, 3, 20})),
      rc::gen::set(&Command::by, any_of<Time>({0, 1, 2, 5, 10})),
      rc::gen::set(&Command::limit, any_of({1, 2, 3, 5})),
      rc::gen::set(&Command::priority,
                   any_of({fusebox::Priority::normal, fusebox::Priority::critical,
                           fusebox::Priority::sheddable, fusebox::Priority::background})));
}

rc::Gen<Script> a_script() {
  const auto config = rc::gen::build<fusebox::BulkheadConfig>(
      rc::gen::set(&fusebox::BulkheadConfig::max_concurrent, any_of({1, 2, 3})),
      rc::gen::set(&fusebox::BulkheadConfig::max_waiting, any_of({2, 0, 1, 3, 65'535})),
      rc::gen::set(&fusebox::BulkheadConfig::max_wait,
                   any_of<std::chrono::nanoseconds>({10ns, fusebox::no_timeout, 0ns, 1ns, 4ns})),
      rc::gen::set(&fusebox::BulkheadConfig::headroom, any_of({0.0, 0.0, 0.1, 0.3})));
  return rc::gen::build<Script>(
      rc::gen::set(&Script::config, config),
      rc::gen::set(&Script::commands, rc::gen::container<std::vector<Command>>(a_command())));
}

/// How often what a script can come to was come to.
struct Reached {
  int admitted_after_wait = 0;
  int granted_though_ended = 0;  // the slot came when the wait had ended otherwise
  int cancelled = 0;
  int timed_out = 0;
  int abandoned_with_slot = 0;
  int granted_by_limit = 0;
  int freed = 0;
  int displaced = 0;
  int displaced_though_stopped = 0;
  int passed = 0;  // took a slot that a waiting call must leave free
};

class Run {
 public:
  Run(const fusebox::BulkheadConfig& config, Reached& reached)
      : bulkhead_{"b", config, clock_}, reference_{config}, reached_{reached} {}

  std::string run(const std::vector<Command>& commands) {
    const auto start = clock_.wall_now();
    const auto subscription = bulkhead_.on_event([&](const fusebox::BulkheadEvent& event) {
      expect("name of an event", event.name == "b", true);
      const auto at = std::chrono::nanoseconds{event.at - start}.count();
      events_.push_back({event.kind, event.limit, event.previous_limit, at});
    });
    for (const Command& command : commands) {
      if (problem_.empty()) one(command);
    }
    while (!waiting_.empty() && problem_.empty()) one({.kind = Command::Kind::abandon});
    while (!permits_.empty() && problem_.empty()) one({.kind = Command::Kind::release});
    return problem_;
  }

 private:
  struct Waiting {
    std::size_t number;  // the reference's
    std::unique_ptr<std::stop_source> stop;
    std::unique_ptr<fusebox::StopToken> token;
    Wait::Queued wait;
  };

  template <class T, class U>
  void expect(const char* what, const T& is, const U& should_be) {
    if (!problem_.empty() || is == should_be) return;
    problem_ = std::string{what} + " differs";
    if constexpr (std::is_arithmetic_v<T>) {
      problem_ += ": is " + std::to_string(is) + ", should be " + std::to_string(should_be);
    }
  }

  void one(const Command& command) {
    switch (command.kind) {
      case Command::Kind::acquire: acquire(command); break;
      case Command::Kind::wait: wait(command); break;
      case Command::Kind::finish: finish(command); break;
      case Command::Kind::stop:
        if (Waiting* const waiting = pick(command)) {
          waiting->stop->request_stop();
          reference_.stop(waiting->number);
        }
        break;
      case Command::Kind::abandon:
        if (Waiting* const waiting = pick(command)) {
          const int before = reference_.stats().in_use;
          reference_.abandon(waiting->number);
          reached_.abandoned_with_slot += reference_.stats().in_use < before ? 1 : 0;
          waiting->wait.reset();
          forget(waiting);
        }
        break;
      case Command::Kind::release:
        if (permits_.empty()) break;
        permits_.erase(permits_.begin() + static_cast<std::ptrdiff_t>(command.which % permits_.size()));
        reference_.release();
        break;
      case Command::Kind::set_limit: {
        const int waiting = reference_.stats().waiting;
        bulkhead_.set_limit(command.limit);
        reference_.set_limit(command.limit);
        reached_.granted_by_limit += waiting - reference_.stats().waiting;
        break;
      }
      case Command::Kind::advance:
        clock_.advance(std::chrono::nanoseconds{command.by});
        reference_.advance(command.by);
        break;
    }
    compare();
  }

  void acquire(const Command& command) {
    count_passing(command);
    fusebox::Permit permit = bulkhead_.try_acquire(command.priority);
    const auto begun = reference_.begin(command.priority, false, {});
    expect("admitted", bool{permit}, begun == Reference::Begun::admitted);
    if (permit) permits_.push_back(std::move(permit));
  }

  void wait(const Command& command) {
    if (auto permit = acquire_with_room(command)) return permits_.push_back(*std::move(permit));
    Waiting waiting{0, std::make_unique<std::stop_source>(), nullptr, nullptr};
    waiting.token = std::make_unique<fusebox::StopToken>(waiting.stop->get_token());
    const auto deadline = command.deadline
                              ? fusebox::Deadline::after(std::chrono::nanoseconds{*command.deadline}, clock_)
                              : fusebox::Deadline::never();
    const auto stage = Wait::begin(core(), command.priority, deadline, waiting.token.get(), waiting.wait);
    const auto begun = reference_.begin(command.priority, true, command.deadline);
    expect("waits", stage == Wait::Stage::queued, begun == Reference::Begun::waits);
    expect("rejected", stage == Wait::Stage::rejected, begun == Reference::Begun::rejected);
    if (stage != Wait::Stage::queued || !problem_.empty()) return;
    waiting.number = reference_.last_wait();
    expect("wait time", waiting.wait->wait_time().count(), reference_.longest(waiting.number));
    waiting_.push_back(std::move(waiting));
  }
  void count_passing(const Command& command) {
    reached_.passed += reference_.has_room(command.priority) && reference_.stats().waiting > 0 ? 1 : 0;
  }
  /// Before a call waits, it looks for room.
  std::optional<fusebox::Permit> acquire_with_room(const Command& command) {
    if (!reference_.has_room(command.priority)) return std::nullopt;
    count_passing(command);
    static_cast<void>(reference_.begin(command.priority, true, {}));
    fusebox::Permit permit = bulkhead_.acquire(command.priority);
    expect("admitted with room", bool{permit}, true);
    return permit;
  }

  void finish(const Command& command) {
    Waiting* const waiting = pick(command);
    if (waiting == nullptr || !reference_.is_awake(waiting->number)) return;
    // If both have happened, the sleep may report either.
    const bool by_time = reference_.is_due(waiting->number) &&
                         (!reference_.is_signalled(waiting->number) || command.by % 2 == 0);
    const bool is_stopped = waiting->stop->stop_requested();
    const auto rejected = reference_.stats().rejected;
    const auto stage = waiting->wait->finish(by_time);
    const auto ended = reference_.finish(waiting->number, by_time);
    expect("admitted after a wait", stage == Wait::Stage::admitted, ended == Reference::Ended::admitted);
    expect("rejected after a wait", stage == Wait::Stage::rejected, ended == Reference::Ended::rejected);
    expect("cancelled", stage == Wait::Stage::cancelled, ended == Reference::Ended::cancelled);
    if (stage == Wait::Stage::admitted) {
      ++reached_.admitted_after_wait;
      reached_.granted_though_ended += by_time || is_stopped ? 1 : 0;
      permits_.push_back(fusebox::detail::PermitAccess::admitted(core(), {}, false));
    }
    reached_.cancelled += stage == Wait::Stage::cancelled ? 1 : 0;
    const bool is_displaced = stage == Wait::Stage::rejected && reference_.stats().rejected == rejected;
    reached_.timed_out += stage == Wait::Stage::rejected && !is_displaced ? 1 : 0;
    reached_.displaced += is_displaced ? 1 : 0;
    reached_.displaced_though_stopped += is_displaced && is_stopped ? 1 : 0;
    forget(waiting);
  }

  [[nodiscard]] Waiting* pick(const Command& command) {
    return waiting_.empty() ? nullptr : &waiting_[command.which % waiting_.size()];
  }
  void forget(const Waiting* waiting) { waiting_.erase(waiting_.begin() + (waiting - waiting_.data())); }

  void compare() {
    const auto is = bulkhead_.stats();
    const auto should_be = reference_.stats();
    expect("in_use", is.in_use, should_be.in_use);
    expect("waiting", is.waiting, should_be.waiting);
    expect("limit", is.limit, should_be.limit);
    expect("admitted", is.admitted, should_be.admitted);
    expect("rejected", is.rejected, should_be.rejected);
    expect("shed", is.shed, should_be.shed);
    expect("longest_wait", is.longest_wait.count(), should_be.longest_wait.count());
    expect("idle", fusebox::detail::BulkheadAccess::is_idle(bulkhead_),
           should_be.in_use == 0 && should_be.waiting == 0);
    expect("events", events_, reference_.events());
    for (const Waiting& waiting : waiting_) {
      expect("woken", waiting.wait->wait_token().stop_requested(), reference_.is_signalled(waiting.number));
    }
    reached_.freed += !events_.empty() && events_.back().kind == Reference::Kind::free ? 1 : 0;
  }

  [[nodiscard]] fusebox::detail::BulkheadCore<Clock>& core() {
    return fusebox::detail::BulkheadAccess::core(bulkhead_);
  }

  Clock clock_ = Clock::manual();
  fusebox::Bulkhead<Clock> bulkhead_;
  Reference reference_;
  Reached& reached_;
  std::vector<Reference::Event> events_;
  std::vector<fusebox::Permit> permits_;
  std::vector<Waiting> waiting_;
  std::string problem_;
};

}  // namespace

TEST_CASE("K1 to K11 P18 P19: a bulkhead does what the model does, whatever is done to it",
          "[K1][K2][K3][K6][K8][K9][K10][K11][P18][P19]") {
  Reached reached;
  CHECK(holds("a bulkhead does what the model does", a_script(),
              [&](const Script& script) { return Run{script.config, reached}.run(script.commands); }));

  // The scripts get everywhere.
  CHECK(reached.admitted_after_wait > 1000);
  CHECK(reached.granted_though_ended > 100);
  CHECK(reached.cancelled > 100);
  CHECK(reached.timed_out > 100);
  CHECK(reached.abandoned_with_slot > 100);
  CHECK(reached.granted_by_limit > 100);
  CHECK(reached.freed > 1000);
  CHECK(reached.displaced > 100);
  CHECK(reached.displaced_though_stopped > 10);
  CHECK(reached.passed > 100);
}
