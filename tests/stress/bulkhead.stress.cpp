// One bulkhead, twelve threads that call with any priority, wait, give up, are stopped and displaced at once.
// No more calls are inside than the limit allows, every call ends, and the counts add up.
#include <fusebox/bulkhead.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <random>
#include <stop_token>
#include <thread>
#include <vector>

#include "catch.hpp"
#include "configs.hpp"
#include "support/threads.hpp"

using namespace fusebox;
using namespace std::chrono_literals;

namespace {

constexpr int callers = 12;
constexpr int most = 3;

struct Ends {
  std::uint64_t admitted = 0;
  std::uint64_t rejected = 0;
  std::uint64_t cancelled = 0;
  std::uint64_t patient = 0;  // waited as long as it took

  Ends& operator+=(const Ends& other) {
    admitted += other.admitted;
    rejected += other.rejected;
    cancelled += other.cancelled;
    patient += other.patient;
    return *this;
  }
};

class Crowd {
 public:
  explicit Crowd(const BulkheadConfig& config) : bulkhead_{"crowded", config} {}

  /// Every caller makes steps() calls.
  void rush(bool with_operator) {
    std::atomic<int> left{callers};
    std::array<Ends, callers> ends;
    std::jthread stopper{[&] {
      std::minstd_rand random{99};
      while (left.load() > 0) {
        stop_one(random() % callers);
        if (with_operator) bulkhead_.set_limit(1 + static_cast<int>(random() % most));
        std::this_thread::yield();
      }
    }};
    support::run_together(callers, [&](int i) {
      const auto own = static_cast<std::size_t>(i);
      std::minstd_rand random{static_cast<unsigned>(i) + 1};
      for (int step = 0; step < stress::steps(); ++step) call(own, random, ends[own]);
      left.fetch_sub(1);
    });
    for (const Ends& of_one : ends) ends_ += of_one;
  }

  [[nodiscard]] fusebox::Bulkhead<>& bulkhead() { return bulkhead_; }
  [[nodiscard]] const Ends& ends() const { return ends_; }
  [[nodiscard]] int most_inside() const { return most_inside_.load(); }

 private:
  void call(std::size_t own, std::minstd_rand& random, Ends& ends) {
    const auto kind = random() % 6;
    const auto priority = static_cast<Priority>(random() % 4);
    if (kind == 0) return hold(bulkhead_.try_acquire(priority), ends);
    if (kind == 1) return hold(bulkhead_.acquire(deadline(random), priority), ends);
    try {
      const auto op = [this] { work(); };
      if (kind == 2) {
        bulkhead_.execute(op, priority, deadline(random));
      } else if (kind == 3) {
        bulkhead_.execute(op, fresh_token(own), priority);
      } else if (kind == 4) {
        bulkhead_.execute(op, fresh_token(own), deadline(random), priority);
      } else {
        bulkhead_.execute(op, priority);
        ++ends.patient;
      }
      ++ends.admitted;
    } catch (const BulkheadFullError&) {
      ++ends.rejected;
    } catch (const CancelledError&) {
      ++ends.cancelled;
    }
  }

  void hold(Permit permit, Ends& ends) {
    ++(permit ? ends.admitted : ends.rejected);
    if (permit) work();
  }

  void work() {
    const int now = inside_.fetch_add(1) + 1;
    int seen = most_inside_.load();
    while (seen < now && !most_inside_.compare_exchange_weak(seen, now)) {
    }
    std::this_thread::yield();  // others come meanwhile
    inside_.fetch_sub(1);
  }

  [[nodiscard]] static Deadline deadline(std::minstd_rand& random) {
    return Deadline::after(std::chrono::microseconds{random() % 200});
  }

  [[nodiscard]] std::stop_token fresh_token(std::size_t own) {
    const std::lock_guard lock{mutex_};
    return (stops_[own] = std::stop_source{}).get_token();
  }
  void stop_one(std::size_t which) {
    std::stop_source stop{std::nostopstate};
    {
      const std::lock_guard lock{mutex_};
      stop = stops_[which];
    }
    stop.request_stop();
  }

  fusebox::Bulkhead<> bulkhead_;
  std::atomic<int> inside_{0};
  std::atomic<int> most_inside_{0};
  std::mutex mutex_;
  std::array<std::stop_source, callers> stops_;
  Ends ends_;
};

void check_end(Crowd& crowd) {
  const BulkheadStats stats = crowd.bulkhead().stats();
  CHECK(crowd.most_inside() <= most);
  CHECK(stats.in_use == 0);
  CHECK(stats.waiting == 0);
  CHECK(stats.admitted == crowd.ends().admitted);
  CHECK(stats.rejected == crowd.ends().rejected);
  CHECK(crowd.ends().admitted + crowd.ends().rejected + crowd.ends().cancelled ==
        static_cast<std::uint64_t>(callers * stress::steps()));
  CHECK(crowd.ends().rejected > 0);
  CHECK(crowd.ends().cancelled > 0);
  // No slot was lost.
  crowd.bulkhead().set_limit(most);
  std::vector<Permit> permits;
  for (int i = 0; i < most; ++i) permits.push_back(crowd.bulkhead().try_acquire(Priority::critical));
  for (const Permit& permit : permits) CHECK(permit);
  CHECK_FALSE(crowd.bulkhead().try_acquire());
}

}  // namespace

TEST_CASE("K1 K2 K3 however calls end, no slot is lost or held twice, and nobody starves",
          "[K1][K2][K3][K8]") {
  Crowd crowd{{.max_concurrent = most, .max_waiting = callers}};
  crowd.rush(false);
  CHECK(crowd.ends().patient > 0);
  check_end(crowd);
}

TEST_CASE("K6 K10 a limit that moves meanwhile is kept, and saturated and free alternate", "[K6][K10]") {
  Crowd crowd{{.max_concurrent = most, .max_waiting = callers}};
  bool is_saturated = false;
  bool alternate = true;
  {
    const Subscription subscription = crowd.bulkhead().on_event([&](const BulkheadEvent& event) {
      if (event.kind == BulkheadEventKind::limit_changed) return;
      const bool now = event.kind == BulkheadEventKind::saturated;
      alternate = alternate && now != is_saturated;
      is_saturated = now;
    });
    crowd.rush(true);
  }
  CHECK(alternate);
  CHECK_FALSE(is_saturated);
  check_end(crowd);
}

TEST_CASE("P18 P19 K3 calls that displace each other lose no slot, and every displaced one is rejected once",
          "[P18][P19][K3]") {
  for (const double headroom : {0.0, 0.3}) {
    CAPTURE(headroom);
    Crowd crowd{{.max_concurrent = most, .max_waiting = 3, .headroom = headroom}};
    crowd.rush(headroom > 0);
    CHECK(crowd.bulkhead().stats().shed > 0);
    CHECK(crowd.bulkhead().stats().shed <= crowd.ends().rejected);
    check_end(crowd);
  }
}
