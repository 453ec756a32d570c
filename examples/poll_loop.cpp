// examples/poll_loop.cpp: 40 readings from four weather stations on one thread, with poll() and no library
// (support/event_loop.hpp). Each reading is driven step by step: the program connects, reads and waits, the
// policies decide about retries, queues, limits and breakers.
#include <fusebox/fusebox.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <poll.h>

#include "support/arguments.hpp"
#include "support/connection.hpp"
#include "support/event_loop.hpp"
#include "support/station.hpp"
#include "support/tally.hpp"
#include "support/terminal.hpp"

using namespace std::chrono_literals;
using fusebox::Failure;
using fusebox::Step;
using support::EventLoop;
using support::Station;

namespace {

auto policies_for(const std::string& name) {
  return compose(fusebox::retry({.max_retries = 5, .base_delay = 20ms, .max_delay = 100ms}),
                 fusebox::default_policy_registry().get<fusebox::Bulkhead<>>(
                     name, {.max_concurrent = 3, .max_waiting = 10}),
                 fusebox::get_circuit_breaker(name, {.failure_threshold = 5}),
                 fusebox::attempt_timeout(400ms));
}

struct Source {
  Source(std::string source_name, Station::Mood mood)
      : name{std::move(source_name)}, station{mood}, policies{policies_for(name)} {}

  std::string name;
  Station station;
  decltype(policies_for("")) policies;
  support::Tally tally;
};

/// One reading, whatever the number of its attempts.
class Reading : public std::enable_shared_from_this<Reading> {
 public:
  Reading(EventLoop& loop, Source& source, std::stop_token stop)
      : loop_{loop}, source_{source}, run_{source.policies.start<double>(std::move(stop))} {}
  ~Reading() { leave_step(); }  // at any time: the run gives back what it holds

  bool is_done() const { return is_done_; }

  /// Up to the next connection, wait or end.
  void go_on() {
    const Step step = run_.next();
    is_done_ = step.kind == Step::Kind::done;
    if (is_done_) return source_.tally.add(run_.try_result());
    listen(step.kind == Step::Kind::wait ? run_.wait_token() : run_.call().stop_token());
    if (step.kind == Step::Kind::call) return connect();
    timer_ = loop_.after(step.wait, [this] { end_wait(true); });
  }

 private:
  /// The step may be stopped on any thread: the user's, that of the timer for an attempt's limit, or inside
  /// another reading, whose end hands over its slot of the bulkhead. So the loop is told to look.
  void listen(const std::stop_token& token) {
    stopped_.emplace(token, [&loop = loop_, weak = weak_from_this()] {
      loop.post([weak] {
        if (const auto self = weak.lock()) self->look();
      });
    });
  }

  /// Was the step stopped? It may have ended meanwhile, and another one begun.
  void look() {
    if (timer_ != 0 && run_.wait_token().stop_requested()) return end_wait(false);
    if (connection_.is_open() && run_.call().stop_token().stop_requested())
      end_call(Failure{fusebox::CancelledError{}});
  }
  void end_wait(bool to_its_end) {
    leave_step();
    run_.waited(to_its_end);
    go_on();
  }
  template <class Ending>
  void end_call(Ending ending) {  // a double or a Failure
    leave_step();
    run_.report(std::move(ending));
    go_on();
  }
  void leave_step() {
    stopped_.reset();
    loop_.cancel(std::exchange(timer_, 0));
    loop_.forget(connection_.fd());
    connection_.close();
  }

  void connect() {
    ++source_.tally.attempts;
    if (const auto error = connection_.open(source_.station.address())) return end_call(Failure{error});
    loop_.watch(connection_.fd(), POLLIN, [this] { read(); });
  }
  void read() {
    std::string text;
    if (const auto error = connection_.receive(text)) return end_call(Failure{error});
    end_call(std::strtod(text.c_str(), nullptr));
  }

  EventLoop& loop_;
  Source& source_;
  decltype(std::declval<Source&>().policies.start<double>(std::stop_token{})) run_;
  support::Connection connection_;  // during Step::Kind::call
  std::uint64_t timer_ = 0;         // during Step::Kind::wait
  std::optional<std::stop_callback<EventLoop::Action>> stopped_;
  bool is_done_ = false;
};

}  // namespace

int main(int argc, char** argv) {
  support::Arguments{"40 readings from four weather stations on one thread, by poll()."}.parse(argc, argv);
  const auto changes = fusebox::default_registry().on_state_change(support::say_change);
  Source sources[] = {{"north", Station::Mood::well},
                      {"east", Station::Mood::flaky},
                      {"south", Station::Mood::down},
                      {"west", Station::Mood::silent}};
  EventLoop loop;
  std::stop_source user;
  std::vector<std::shared_ptr<Reading>> readings;
  for (int i = 0; i < 40; ++i)
    readings.push_back(std::make_shared<Reading>(loop, sources[i % 4], user.get_token()));
  const std::jthread impatient{[&user] {
    std::this_thread::sleep_for(600ms);
    support::say(support::Tone::warning, "the user gives up");
    user.request_stop();
  }};

  for (const auto& reading : readings) reading->go_on();
  while (!std::ranges::all_of(readings, [](const auto& one) { return one->is_done(); })) loop.turn();
  support::say_tallies(sources);
}
