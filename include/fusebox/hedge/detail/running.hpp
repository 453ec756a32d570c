// fusebox/hedge/detail/running.hpp: HedgeRunning, the copies of calls that still run, for which ~Hedge waits
// (J7).
#pragma once
// IWYU pragma: private, include <fusebox/hedge.hpp>

#include <condition_variable>
#include <cstdint>
#include <mutex>

#include <fusebox/detail/call_stack.hpp>
#include <fusebox/detail/macros.hpp>
#include <fusebox/detail/task_pool.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

class HedgeRunning {
 public:
  /// A copy that runs in the function that has this object on its stack.
  class Here {
   public:
    explicit Here(HedgeRunning& running) : running_{running} {
      const std::lock_guard lock{running_.mutex_};
      next_ = running_.here_;
      if (next_ != nullptr) next_->previous_ = this;
      running_.here_ = this;
    }
    Here(const Here&) = delete;
    Here& operator=(const Here&) = delete;
    /// The copy has ended.
    ~Here() {
      const std::lock_guard lock{running_.mutex_};
      (previous_ != nullptr ? previous_->next_ : running_.here_) = next_;
      if (next_ != nullptr) next_->previous_ = previous_;
      running_.leave_locked();
    }

   private:
    friend class HedgeRunning;
    HedgeRunning& running_;
    Here* next_ = nullptr;
    Here* previous_ = nullptr;
  };

  /// A copy is given to a thread.
  void enter() {
    const std::lock_guard lock{mutex_};
    forget_parent();
    ++count_;
  }
  /// It has ended without running.
  void leave() {
    const std::lock_guard lock{mutex_};
    leave_locked();
  }

  /// Waits until no copy runs, but those that this call is part of: one of them destroys the hedge.
  void wait() noexcept {
    std::unique_lock lock{mutex_};
    forget_parent();
    if (count_ == 0) return;
    std::uint64_t own = 0;
    for (const Here* here = here_; here != nullptr; here = here->next_) own += is_caller(here) ? 1U : 0U;
    ended_.wait(lock, [&] { return count_ <= own; });
  }

  [[nodiscard]] std::uint64_t count() {
    const std::lock_guard lock{mutex_};
    return count_;
  }

 private:
  void leave_locked() noexcept {
    --count_;
    ended_.notify_all();
  }
  /// In the child of a fork the copies of the parent do not run.
  void forget_parent() noexcept {
    const std::uint64_t now = fork_count();
    if (now == forks_) return;
    forks_ = now;
    count_ = 0;
    here_ = nullptr;
  }

  std::mutex mutex_;
  std::condition_variable ended_;
  std::uint64_t count_ = 0;
  std::uint64_t forks_ = fork_count();
  Here* here_ = nullptr;  // those that have begun to run
};

}  // namespace detail

FUSEBOX_END_NAMESPACE
