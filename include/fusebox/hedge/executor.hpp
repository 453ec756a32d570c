// fusebox/hedge/executor.hpp: HedgeTask, what an executor of your own runs.
#pragma once
// IWYU pragma: private, include <fusebox/hedge.hpp>

#include <memory>
#include <type_traits>
#include <utility>

#include <fusebox/detail/task_pool.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {
struct HedgeTaskAccess;
}  // namespace detail

/// One copy of a hedged call: an executor calls it, on any thread, once. Further calls do nothing; one that
/// is destroyed without a call counts as a copy that was cancelled (J8). Copyable: std::function<void()>
/// takes it.
class HedgeTask {
 public:
  /// Throws nothing but what ends a thread.
  void operator()() const { task_->run(); }

 private:
  friend struct detail::HedgeTaskAccess;
  explicit HedgeTask(std::shared_ptr<detail::PoolTask> task) noexcept : task_{std::move(task)} {}

  std::shared_ptr<detail::PoolTask> task_;
};

namespace detail {

struct HedgeTaskAccess {
  [[nodiscard]] static HedgeTask make(std::shared_ptr<PoolTask> task) noexcept {
    return HedgeTask{std::move(task)};
  }
};

/// The pool of the process (J8).
struct PoolExecutor {
  [[nodiscard]] static bool submit(const std::shared_ptr<PoolTask>& task) { return task_pool().submit(task); }
};

template <class T>
inline constexpr bool is_executor = std::is_invocable_v<T&, HedgeTask>;

/// Gives the task to whoever runs it. False: nobody does, and the caller may run it. What an executor throws
/// says so too.
template <class Executor>
[[nodiscard]] bool submit_to(Executor& executor, const std::shared_ptr<PoolTask>& task) {
  if constexpr (std::is_same_v<Executor, PoolExecutor>) {
    return executor.submit(task);
  } else if constexpr (std::is_same_v<std::invoke_result_t<Executor&, HedgeTask>, bool>) {
    return executor(HedgeTaskAccess::make(task));
  } else {
    static_cast<void>(executor(HedgeTaskAccess::make(task)));
    return true;
  }
}

}  // namespace detail

FUSEBOX_END_NAMESPACE
