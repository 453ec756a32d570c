// Calls that loops of the program drive step by step, and that wait in the queue of a bulkhead: the slot may
// come from another loop's thread.
#include <fusebox/bulkhead.hpp>
#include <fusebox/pipeline.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "support/bulkhead.hpp"
#include "support/threads.hpp"

using namespace fusebox;
using namespace std::chrono_literals;

namespace {

constexpr BulkheadConfig one_slot{.max_concurrent = 1, .max_waiting = 100};

/// An event loop whose actions come from any thread.
class Loop {
 public:
  void post(std::function<void()> action) {
    const std::lock_guard lock{mutex_};
    posted_.push_back(std::move(action));
    is_posted_.notify_one();
  }

  /// False if nothing has been posted for a long time.
  [[nodiscard]] bool turn() {
    std::vector<std::function<void()>> actions;
    {
      std::unique_lock lock{mutex_};
      if (!is_posted_.wait_for(lock, 30s, [this] { return !posted_.empty(); })) return false;
      actions.swap(posted_);
    }
    for (const auto& action : actions) action();
    return true;
  }

 private:
  std::mutex mutex_;
  std::condition_variable is_posted_;
  std::vector<std::function<void()>> posted_;
};

using Policies = decltype(compose(std::declval<Bulkhead<>&>()));

/// A call that waits for its slot, and holds it for a turn of its loop.
class Guest {
 public:
  Guest(const Policies& policies, Loop& loop, std::atomic<int>& inside)
      : loop_{loop}, inside_{inside}, run_{policies.start<int>()} {}

  [[nodiscard]] bool is_done() const { return is_done_; }
  [[nodiscard]] bool was_alone() const { return was_alone_; }

  void go_on() {
    const Step step = run_.next();
    if (step.kind == Step::Kind::done) {
      is_done_ = run_.try_result().has_value();
    } else if (step.kind == Step::Kind::call) {
      was_alone_ = ++inside_ == 1;
      loop_.post([this] { end_call(); });
    } else {
      woken_.emplace(run_.wait_token(), Waker{*this});
    }
  }

 private:
  struct Waker {
    Guest& guest;
    void operator()() const {
      guest.loop_.post([&guest = guest] { guest.end_wait(); });
    }
  };
  void end_call() {
    --inside_;
    run_.report(1);
    go_on();
  }
  void end_wait() {
    woken_.reset();
    run_.waited(false);
    go_on();
  }

  Loop& loop_;
  std::atomic<int>& inside_;
  decltype(std::declval<const Policies&>().start<int>()) run_;
  std::optional<std::stop_callback<Waker>> woken_;
  bool is_done_ = false;
  bool was_alone_ = false;
};

/// A run in the queue, and what listens for its slot.
struct Waiting {
  struct Waker {
    std::atomic<int>& woken;
    void operator()() const { ++woken; }
  };

  Waiting(const Policies& policies, std::atomic<int>& woken)
      : run{policies.start<int>()},
        waits{run.next().kind == Step::Kind::wait},
        listens{run.wait_token(), Waker{woken}} {}

  decltype(std::declval<const Policies&>().start<int>()) run;
  bool waits;
  std::stop_callback<Waker> listens;
};

}  // namespace

TEST_CASE("K4 a slot that one call hands over wakes the other's loop inside the first one's next()", "[K4]") {
  support::FakeBulkhead bulkhead{"b", one_slot};
  const auto policies = compose(bulkhead);
  auto first = policies.start<int>();
  REQUIRE(first.next().kind == Step::Kind::call);
  auto second = policies.start<int>();
  const Step step = second.next();
  REQUIRE(step.kind == Step::Kind::wait);
  CHECK(step.wait == no_timeout);
  CHECK(Deadline::after(step.wait).is_never());

  int woken = 0;
  const std::stop_callback listens{second.wait_token(), [&woken] { ++woken; }};
  first.report(1);
  CHECK(woken == 0);
  CHECK(first.next().kind == Step::Kind::done);
  CHECK(woken == 1);
  CHECK(second.next().kind == Step::Kind::wait);  // until its loop says that the wait is over
  second.waited(false);
  CHECK(second.next().kind == Step::Kind::call);
}

TEST_CASE("K4 loops on several threads hand one slot to each other, and no wake-up is lost", "[K4]") {
  constexpr int loops = 3;
  constexpr int guests = 20;
  Bulkhead<> bulkhead{"b", one_slot};
  const Policies policies = compose(bulkhead);
  std::atomic<int> inside{0};
  std::atomic<int> served{0};
  support::run_together(loops, [&](int) {
    for (int round = 0; round < 20; ++round) {
      Loop loop;
      std::vector<std::unique_ptr<Guest>> crowd;
      for (int i = 0; i < guests; ++i) crowd.push_back(std::make_unique<Guest>(policies, loop, inside));
      for (const auto& guest : crowd) guest->go_on();
      const auto is_done = [](const auto& guest) { return guest->is_done(); };
      while (!std::ranges::all_of(crowd, is_done)) {
        if (!loop.turn()) return;
      }
      for (const auto& guest : crowd) served += guest->was_alone() ? 1 : 0;
    }
  });
  CHECK(served == loops * guests * 20);
  CHECK(bulkhead.stats().in_use == 0);
  CHECK(bulkhead.stats().waiting == 0);
}

TEST_CASE("K3 a run that is destroyed while another thread hands it the slot gives the slot back", "[K3]") {
  Bulkhead<> bulkhead{"b", one_slot};
  const Policies policies = compose(bulkhead);
  std::atomic<int> woken{0};
  for (int round = 0; round < 200; ++round) {
    Permit held = bulkhead.try_acquire();
    std::optional<Waiting> waiting{std::in_place, policies, woken};
    REQUIRE(waiting->waits);
    support::run_together(2, [&](int i) { i == 0 ? held.success() : waiting.reset(); });
    REQUIRE(bulkhead.stats().in_use == 0);
    REQUIRE(bulkhead.stats().waiting == 0);
  }
  CHECK(woken <= 200);
}
