// fusebox/pipeline/stepwise.hpp: PipelineRun, a call of a pipeline that is driven by hand; Step.
#pragma once
// IWYU pragma: private, include <fusebox/pipeline.hpp>

#include <chrono>
#include <concepts>
#include <exception>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

#include <fusebox/api_error.hpp>
#include <fusebox/call.hpp>
#include <fusebox/detail/flow/drive.hpp>
#include <fusebox/detail/flow/resumable.hpp>
#include <fusebox/detail/flow/slot.hpp>
#include <fusebox/detail/flow/verdict.hpp>
#include <fusebox/failure.hpp>
#include <fusebox/pipeline/call_result.hpp>

FUSEBOX_BEGIN_NAMESPACE

/// What to do next with a PipelineRun.
struct Step {
  enum class Kind : unsigned char {
    call,  ///< call op, then report how it ended
    wait,  ///< wait so long, or until wait_token() is stopped, then say waited()
    done,  ///< the call has ended: result()
  };

  Kind kind;
  /// Of Kind::wait: at most, counted from the first next() that says so. With no_timeout the wait ends by its
  /// token alone.
  std::chrono::nanoseconds wait;
};

/// One call of a pipeline, for an event loop, where no thread can wait: the program calls op, waits and
/// reports; the policies decide. `Pipeline::start<T>()` makes it, where T is what op gives.
///
///     auto run = pipeline.start<Response>();
///     void go_on() {
///       const Step step = run.next();
///       if (step.kind == Step::Kind::call) send(request, run.call().deadline(), …);
///       if (step.kind == Step::Kind::wait) timer.start(step.wait, [&] { run.waited(); go_on(); });
///       if (step.kind == Step::Kind::done) answer(run.try_result());
///     }
///     void answered(Response response) { run.report(std::move(response)); go_on(); }
///
/// It allocates nothing of its own. Destroyed before it is done, it gives back what its policies hold, and
/// the call counts as ignored. What a hook, a classify or a clock throws leaves next() or waited(): destroy
/// the run then. What failure_if throws leaves report(): the call still expects one. The pipeline must
/// outlive the run. Not thread-safe: one thread at a time, not always the same.
///
/// It cannot be moved, since its policies refer to it. A loop keeps it where start() makes it: in a member
/// that start() initialises, or by `std::unique_ptr<Run>{new Run(pipeline.start<T>())}`, where Run is
/// `decltype(pipeline.start<T>())`. std::optional and std::make_unique cannot make it.
template <class T, class Rule, class... Parts>
class PipelineRun {
  using R = typename detail::ResultOf<T, Parts...>::type;
  using Slot = detail::Slot<T, R, Rule>;
  using Tuple = detail::PartTuple<Parts...>;

 public:
  PipelineRun(const PipelineRun&) = delete;
  PipelineRun& operator=(const PipelineRun&) = delete;
  ~PipelineRun() = default;

  /// What to do now. Again the same until that is done.
  [[nodiscard]] Step next() {
    switch (flow_.next()) {
      case detail::Todo::call: return {Step::Kind::call, {}};
      case detail::Todo::wait: return {Step::Kind::wait, flow_.wait_time()};
      case detail::Todo::fall_back:
      case detail::Todo::done: break;
    }
    return {Step::Kind::done, {}};
  }

  /// What op may ask, while next() says Kind::call: its deadline, stop token, attempt and key.
  [[nodiscard]] const Call& call() { return flow_.call(); }
  /// While next() says Kind::wait: stopped if the wait is over before its time.
  [[nodiscard]] StopToken wait_token() { return flow_.wait_token(); }
  /// Is the wait over before its time? What wait_token() says, for a loop that asks instead of listening;
  /// also where the standard library has no std::stop_token, so that a call in a bulkhead's queue learns of
  /// its slot. False unless next() says Kind::wait.
  [[nodiscard]] bool wait_is_over() { return flow_.waits() && flow_.wait_is_over(); }

  /// op gave a value, or what converts to one; it is judged as execute() would. Each report answers one
  /// Kind::call; another one is dropped.
  template <class U = T>
    requires(!std::is_void_v<T> && std::is_convertible_v<U, T>)
  void report(U&& value) {
    if (!flow_.expects_report()) return;
    slot_.make([&]() -> T { return static_cast<T>(std::forward<U>(value)); });
    UnlessJudged drop{&slot_};  // failure_if may throw
    const detail::Verdict verdict = detail::judge(slot_, rule_);
    drop.slot = nullptr;
    flow_.report(verdict);
  }
  /// op, which gives no value, succeeded.
  void report()
    requires std::is_void_v<T>
  {
    if (flow_.expects_report()) flow_.report(detail::Verdict::success);
  }
  /// op failed.
  void report(Failure failure) {
    if (!flow_.expects_report()) return;
    const detail::Verdict verdict = detail::verdict_of(failure);
    failure_.fail(std::move(failure));
    flow_.report(verdict);
  }
#if FUSEBOX_DETAIL_EXCEPTIONS
  /// op threw.
  void report(std::exception_ptr exception) { report(Failure::from_exception(std::move(exception))); }
  /// op threw this, unless it converts to T: then it is a value.
  template <class E>
    requires(std::derived_from<std::remove_cvref_t<E>, std::exception> && !std::is_convertible_v<E, T>)
  void report(E&& exception) {
    report(std::make_exception_ptr(std::forward<E>(exception)));
  }
#else
  /// op failed so, unless it converts to T: then it is a value.
  template <class E>
    requires(std::derived_from<std::remove_cvref_t<E>, ApiError> && !std::is_convertible_v<E, T>)
  void report(E&& error) {
    report(Failure{ApiError{std::forward<E>(error)}});
  }
#endif

  /// The wait is over: to its end, or cut short.
  void waited(bool to_its_end = true) {
    if (flow_.waits()) flow_.waited(to_its_end);
  }

  /// Once, after Kind::done: the value, or throws what execute() would throw.
  R result() { return detail::finish(flow_.verdict(), slot_); }
  /// Instead of result(): the value or the Failure, as try_execute() gives them (P4).
  [[nodiscard]] CallResult<R> try_result() { return CallResult<R>{flow_.verdict(), slot_}; }

 private:
  template <class... Ps>
  friend class Pipeline;

  struct UnlessJudged {
    Slot* slot;
    ~UnlessJudged() {
      if (slot != nullptr) slot->drop_value();
    }
  };
  struct Root {
    std::optional<std::string> key;
    StopToken token;
    Call call;
  };

  PipelineRun(Tuple& parts, Rule rule, StopToken token, const Deadline& deadline, Priority priority)
      : rule_{std::move(rule)},
        root_{std::nullopt, std::move(token), detail::CallAccess::make()},
        flow_{parts, slot_, root_.call} {
    using F = detail::Flow<detail::Takes::call, Parts...>;
    detail::CallAccess::set_key(root_.call, root_.key);
    detail::CallAccess::set_priority(root_.call, priority);
    if (root_.token.stop_possible()) detail::CallAccess::set_token(root_.call, root_.token);
    if (!deadline.is_never()) {
      const detail::ClockRef clock = F::clock(parts);
      detail::CallAccess::set_deadline(root_.call,
                                       clock ? detail::DeadlineOf::moved_to(deadline, clock) : deadline);
    }
    if (root_.token.stop_requested()) flow_.end(detail::cancel_before_start(failure_, F::wall_now(parts)));
  }

  [[no_unique_address]] Rule rule_;
  Root root_;
  detail::SlotBase failure_;
  Slot slot_{failure_};
  detail::StepwiseFlow<detail::Takes::call, detail::Driver::loop, Slot, Parts...> flow_;
};

FUSEBOX_END_NAMESPACE
