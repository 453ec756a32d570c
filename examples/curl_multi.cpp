// examples/curl_multi.cpp: 100 downloads from four hosts on one thread, by libcurl's multi interface. Each is
// driven step by step: libcurl does the transfers, the policies decide about retries, queues and breakers. No
// wait holds up the thread: it bounds the sleep of curl_multi_poll.
#include <fusebox/fusebox.hpp>

#include <algorithm>
#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include <curl/curl.h>
#include <fmt/format.h>

#include "support/arguments.hpp"
#include "support/tally.hpp"
#include "support/terminal.hpp"
#include "support/transfer.hpp"
#include "support/upstream.hpp"

using namespace std::chrono_literals;
using fusebox::Deadline;
using fusebox::Step;
using support::Reply;
using support::Transfer;

namespace {

/// The policies of a host, the outermost first. Its bulkhead and its breaker are registered by its name.
auto policies_for(const std::string& host) {
  return compose(fusebox::retry({.max_retries = 4, .base_delay = 50ms, .max_delay = 200ms}),
                 fusebox::default_policy_registry().get<fusebox::Bulkhead<>>(
                     host, {.max_concurrent = 4, .max_waiting = 100}),
                 fusebox::get_circuit_breaker(host, {.failure_threshold = 5, .reset_timeout = 30s}),
                 fusebox::attempt_timeout(1s));
}

struct Host {
  Host(std::string host_name, const std::deque<Reply>& script)
      : name{std::move(host_name)}, policies{policies_for(name)} {
    script.empty() ? server.go_down() : server.play(script);
  }

  std::string name;
  support::Upstream server;
  decltype(policies_for("")) policies;
  support::Tally tally;
};

/// One download, whatever the number of its attempts. libcurl and the policies keep its address.
class Download {
 public:
  Download(CURLM* multi, Host& host, int number)
      : multi_{multi},
        host_{host},
        transfer_{multi, fmt::format("http://127.0.0.1:{}/{}.json", host.server.port(), number), this} {}

  /// Up to the next request, wait or end.
  void go_on() {
    const Step step = run_.next();
    is_done_ = step.kind == Step::Kind::done;
    if (is_done_) return host_.tally.add(run_.try_result());
    if (step.kind == Step::Kind::call) return send();
    due_ = Deadline::after(step.wait);
    waker_.emplace(run_.wait_token(), Waker{multi_});
  }

  void transfer_ended(CURLcode code) {
    transfer_.report(code, run_);
    go_on();
  }

  /// Ends a wait that is over: to its end, or because a slot of the bulkhead has come.
  void look() {
    if (!waker_ || !(run_.wait_token().stop_requested() || due_.expired())) return;
    waker_.reset();
    run_.waited(due_.expired());
    go_on();
  }

  /// How long the loop may sleep for its sake.
  std::chrono::nanoseconds patience() const { return waker_ ? due_.remaining() : fusebox::no_timeout; }
  bool is_done() const { return is_done_; }

 private:
  /// Wakes the loop up, on whatever thread a slot is handed over. It does not go on with the download itself.
  struct Waker {
    CURLM* multi;
    void operator()() const noexcept { curl_multi_wakeup(multi); }
  };

  void send() {
    ++host_.tally.attempts;
    transfer_.start(run_.call().deadline());
  }

  CURLM* const multi_;
  Host& host_;
  Transfer transfer_;
  decltype(host_.policies.start<std::string>()) run_ = host_.policies.start<std::string>();
  Deadline due_ = Deadline::never();
  std::optional<std::stop_callback<Waker>> waker_;  // during a wait
  bool is_done_ = false;
};

/// The loop. Returns when all downloads have ended.
void run(CURLM* multi, const std::vector<std::unique_ptr<Download>>& downloads) {
  for (const auto& download : downloads) download->go_on();
  for (std::ptrdiff_t shown = 0;;) {
    int number = 0;
    curl_multi_perform(multi, &number);
    while (const CURLMsg* message = curl_multi_info_read(multi, &number)) {
      Transfer::owner_of<Download>(*message).transfer_ended(message->data.result);
    }
    std::chrono::nanoseconds patience = 1s;
    for (const auto& download : downloads) {
      download->look();
      patience = std::min(patience, download->patience());
    }
    const auto done = std::ranges::count_if(downloads, [](const auto& one) { return one->is_done(); });
    if (done / 20 > std::exchange(shown, done) / 20)
      support::say(support::Tone::quiet, "{} downloads have ended", done);
    if (done == std::ssize(downloads)) return;
    curl_multi_poll(multi, nullptr, 0, support::whole_ms(patience), nullptr);
  }
}

}  // namespace

int main(int argc, char** argv) {
  support::Arguments{"100 downloads on one thread, by libcurl's multi interface."}.parse(argc, argv);
  const auto changes = fusebox::default_registry().on_state_change(support::say_change);

  std::deque<Reply> flaky;
  for (int i = 0; i < 60; ++i) flaky.push_back(i % 3 == 0 ? Reply::busy() : Reply::ok());
  Host hosts[] = {{"healthy.example", {Reply::ok()}},
                  {"flaky.example", flaky},
                  {"slow.example", {Reply::slow(5s), Reply::slow(5s), Reply::ok()}},
                  {"down.example", {}}};

  const support::Multi multi;
  std::vector<std::unique_ptr<Download>> downloads;
  for (int i = 0; i < 100; ++i) downloads.push_back(std::make_unique<Download>(multi, hosts[i % 4], i));
  run(multi, downloads);
  support::say_tallies(hosts);
}
