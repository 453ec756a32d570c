// fusebox/detail/asio/completion.hpp: calls whose op takes a completion handler (A12): one text for Asio and
// Boost.Asio. See detail/asio/clock.hpp about Net.
//
// A call is one composed operation of Asio around a PipelineRun: Asio keeps the executor, the allocator and
// the cancellation slot of the handler; the run says what is next.
#pragma once
// IWYU pragma: private

#include <atomic>
#include <chrono>
#include <cstddef>
#include <exception>
#include <memory>
#include <new>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

#include <fusebox/api_error.hpp>
#include <fusebox/detail/asio/clock.hpp>
#include <fusebox/detail/asio/stop.hpp>
#include <fusebox/detail/flow/drive.hpp>
#include <fusebox/failure.hpp>
#include <fusebox/pipeline.hpp>
#include <fusebox/retry.hpp>

#if FUSEBOX_DETAIL_STOP_TOKEN
#include <stop_token>
#endif

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// What an operation of this signature completed with.
template <class Net, class Signature>
struct AsioCompletion {
  static_assert(!std::is_same_v<Net, Net>,
                "fusebox: the signature of the operation must be void(error_code, values...) or "
                "void(std::exception_ptr, values...)");
};
template <class Net, class Error, class... Ts>
  requires(std::is_same_v<Error, typename Net::Code> || std::is_same_v<Error, std::exception_ptr>)
struct AsioCompletion<Net, void(Error, Ts...)> {
  static_assert((... && std::is_default_constructible_v<std::decay_t<Ts>>),
                "fusebox: a call that is rejected completes with values that nobody gave: those of the "
                "signature need default constructors");

  Error error{};
  std::tuple<std::decay_t<Ts>...> values{};

  AsioCompletion() = default;
  struct FromOp {};
  template <class... Us>
    requires(sizeof...(Us) == sizeof...(Ts) && (... && std::is_convertible_v<Us, std::decay_t<Ts>>))
  AsioCompletion(FromOp, Error ended, Us&&... given)
      : error{std::move(ended)}, values{std::forward<Us>(given)...} {}

  /// The value of a fallback.
  template <class U>
    requires(sizeof...(Ts) == 1 && (... && std::is_convertible_v<U, std::decay_t<Ts>>))
  AsioCompletion(U&& given) : values{std::forward<U>(given)} {}  // NOLINT(*-explicit-*)

  template <class Self>
  void complete(Self& self) {
    std::apply([&](auto&... value) { self.complete(error, std::move(value)...); }, values);
  }

  [[nodiscard]] std::optional<Failure> failure_by_error() const {
    if (!error) return std::nullopt;
    if constexpr (std::is_same_v<Error, std::exception_ptr>) {
      return Failure::from_exception(error);
    } else {
      return Failure{std::error_code{error}};
    }
  }
  /// The failure that it is, if any: an error, else a value that is one by itself.
  [[nodiscard]] std::optional<Failure> failure() const {
    std::optional<Failure> found = failure_by_error();
    const auto look = [&]<class V>(const V& value) {
      if constexpr (can_fail<V, NoRule>) {
        if (!found) found = detail::failure_of_value<V>(value, NoRule{});
      }
    };
    std::apply([&](const auto&... value) { (look(value), ...); }, values);
    return found;
  }

  /// That of a call which a policy ended.
  template <class E>
  [[nodiscard]] static AsioCompletion of(const E& own) {
    AsioCompletion ended;
    if constexpr (std::is_same_v<Error, std::exception_ptr>) {
      ended.error = std::make_exception_ptr(own);
    } else {
      ended.error = Net::code_of(own.reason());
    }
    return ended;
  }
};

}  // namespace detail

template <class Net, class Signature>
struct failure_traits<detail::AsioCompletion<Net, Signature>> {
  using Completion = detail::AsioCompletion<Net, Signature>;
  [[nodiscard]] static std::optional<Failure> failure(const Completion& done) { return done.failure(); }
  template <class E>
  [[nodiscard]] static Completion from_rejection(const E& error) {
    return Completion::of(error);
  }
};

namespace detail {

/// Owns an object whose memory the handler's allocator gives. Two owners at most: the operation, and the
/// function that starts an attempt of it, while it does.
template <class T>
class AsioOwner {
 public:
  AsioOwner() = default;
  AsioOwner(AsioOwner&& other) noexcept : block_{std::exchange(other.block_, nullptr)} {}
  AsioOwner& operator=(AsioOwner other) noexcept {
    std::swap(block_, other.block_);
    return *this;
  }
  ~AsioOwner() {
    // Acquire, release: the last owner sees what the other did.
    if (block_ != nullptr && block_->owners.fetch_sub(1, std::memory_order_acq_rel) == 1)
      block_->destroy(block_);
  }

  template <class Allocator, class... Args>
  [[nodiscard]] static AsioOwner make(const Allocator& allocator, Args&&... args) {
    using Held = BlockWith<typename std::allocator_traits<Allocator>::template rebind_alloc<std::byte>>;
    using Alloc = typename std::allocator_traits<Allocator>::template rebind_alloc<Held>;
    Alloc alloc{allocator};
    Held* const held = std::allocator_traits<Alloc>::allocate(alloc, 1);
    FUSEBOX_DETAIL_TRY { ::new (static_cast<void*>(held)) Held{alloc, std::forward<Args>(args)...}; }
    FUSEBOX_DETAIL_CATCH_ALL {
      std::allocator_traits<Alloc>::deallocate(alloc, held, 1);
      FUSEBOX_DETAIL_RETHROW;
    }
    return AsioOwner{held};
  }

  [[nodiscard]] AsioOwner share() const noexcept {
    block_->owners.fetch_add(1, std::memory_order_relaxed);  // the caller owns it
    return AsioOwner{block_};
  }
  [[nodiscard]] bool is_only_owner() const noexcept {
    return block_->owners.load(std::memory_order_acquire) == 1;  // with the fetch_sub of the other
  }
  [[nodiscard]] explicit operator bool() const noexcept { return block_ != nullptr; }
  [[nodiscard]] T* operator->() const noexcept { return std::addressof(block_->value); }

 private:
  struct Block {
    template <class... Args>
    explicit Block(void (*destroy_it)(Block*), Args&&... args)
        : destroy{destroy_it}, value{std::forward<Args>(args)...} {}
    void (*destroy)(Block*);
    std::atomic<int> owners{1};
    T value;
  };
  template <class Bytes>
  struct BlockWith : Block {
    using Alloc = typename std::allocator_traits<Bytes>::template rebind_alloc<BlockWith>;
    template <class... Args>
    explicit BlockWith(const Alloc& alloc, Args&&... args)
        : Block{&destroy_block, std::forward<Args>(args)...}, bytes{alloc} {}
    static void destroy_block(Block* block) {
      auto* const self = static_cast<BlockWith*>(block);
      Alloc alloc{self->bytes};
      std::destroy_at(self);
      std::allocator_traits<Alloc>::deallocate(alloc, self, 1);
    }
    Bytes bytes;
  };

  explicit AsioOwner(Block* block) noexcept : block_{block} {}

  Block* block_ = nullptr;
};

/// What lies in the memory of one call.
template <class Net, class Signature, class Executor, class Op, class P, class... Options>
struct AsioCallState {
  using Completion = AsioCompletion<Net, Signature>;
  using Wait = AsioWait<typename Net::template Timer<Executor>>;
  using Run = decltype(std::declval<P&>().template start<Completion>(std::declval<Options>()...));

  AsioCallState(P&& given_pipeline, const Executor& given_executor, Op&& given_op,
                std::tuple<Options...>&& options)
      : pipeline{std::move(given_pipeline)},
        executor{given_executor},
        op(std::move(given_op)),
        run{std::apply(
            [this](auto&... option) { return pipeline.template start<Completion>(std::move(option)...); },
            options)} {}

  P pipeline;
  Executor executor;
  Op op;
  Run run;
  std::optional<Completion> arrived;  // what the latest attempt completed with
  AsioLink<Net> link;                 // a stop of the latest attempt
  std::shared_ptr<Wait> wait;         // the latest wait
#if FUSEBOX_DETAIL_STOP_TOKEN
  struct EndWait {
    Wait* wait;
    void operator()() const { wait->end_early(); }
  };
  std::optional<std::stop_callback<EndWait>> on_stop;
#endif
};

/// One call, as the implementation of a composed operation.
template <class Net, class Signature, class Executor, class Op, class P, class... Options>
class AsioCall {
  using State = AsioCallState<Net, Signature, Executor, Op, P, Options...>;
  using Completion = AsioCompletion<Net, Signature>;
  enum class Stage : unsigned char { idle, calling, reported, waiting, over };
  struct Given {
    P pipeline;
    Executor executor;
    Op op;
    std::tuple<Options...> options;
  };

 public:
  AsioCall(P&& pipeline, const Executor& executor, Op&& op, std::tuple<Options...>&& options)
      : given_{Given{std::move(pipeline), executor, std::move(op), std::move(options)}} {}

  template <class Self, class... Args>
  void operator()(Self& self, Args... args) {
    if constexpr (sizeof...(Args) == 0) {
      if (stage_ == Stage::idle) return start(self);
      if (stage_ == Stage::reported) return report(self);
      if (stage_ == Stage::over) return finish(self);
    }
    if constexpr (std::is_constructible_v<Completion, typename Completion::FromOp, Args...>) {
      if (stage_ == Stage::calling) {
        state_->link.cut();
        state_->arrived.emplace(typename Completion::FromOp{}, std::move(args)...);
        return report(self);
      }
    }
    if constexpr (std::is_same_v<std::tuple<Args...>, std::tuple<typename Net::Code>>) {
      if (stage_ == Stage::waiting) return waited(self, (... || static_cast<bool>(args)));
    }
  }

 private:
  template <class Self>
  void start(Self& self) {
    Net::accept_cancellation(self);
    state_ = AsioOwner<State>::make(Net::allocator_of(self), std::move(given_->pipeline), given_->executor,
                                    std::move(given_->op), std::move(given_->options));
    given_.reset();
    go_on(self, true);
  }

  template <class Self>
  void go_on(Self& self, bool is_starting = false) {
    for (;;) {
      const Step step = state_->run.next();
      if (step.kind == Step::Kind::call) return call(self);
      if (step.kind == Step::Kind::done) return is_starting ? again(self, Stage::over) : finish(self);
      if (!Net::is_cancelled(self)) return wait(self, step.wait);
      state_->run.waited(false);
    }
  }

  template <class Self>
  void call(Self& self) {
    stage_ = Stage::calling;
    const AsioOwner<State> kept = state_.share();  // self, and this object with it, moves away
    const auto executor = Net::executor_of(self, kept->executor);
    auto handler = kept->link.tie(self, kept->run.call().stop_token(), executor);
    if constexpr (std::is_invocable_v<Op&, decltype(handler), const Call&>) {
      kept->op(std::move(handler), kept->run.call());
    } else {
      kept->op(std::move(handler));
    }
  }
  template <class Self>
  void report(Self& self) {
    // op has not returned: it has completed within itself, or another thread is faster.
    if (!state_.is_only_owner()) return again(self, Stage::reported);
    Completion done = std::move(*state_->arrived);
    state_->arrived.reset();
    state_->run.report(std::move(done));
    go_on(self);
  }

  template <class Self>
  void wait(Self& self, std::chrono::nanoseconds time) {
    stage_ = Stage::waiting;
    const auto wait = std::make_shared<typename State::Wait>(state_->executor, detail::wait_end(time));
    state_->wait = wait;
#if FUSEBOX_DETAIL_STOP_TOKEN
    state_->on_stop.emplace(state_->run.wait_token(), typename State::EndWait{wait.get()});
#endif
    wait->begin(std::move(self));
  }
  template <class Self>
  void waited(Self& self, bool is_cut_short) {
    bool is_stopped = false;
#if FUSEBOX_DETAIL_STOP_TOKEN
    state_->on_stop.reset();
    is_stopped = state_->run.wait_token().stop_requested();
#endif
    state_->wait.reset();
    state_->run.waited(!is_cut_short && !is_stopped && !Net::is_cancelled(self));
    go_on(self);
  }

  template <class Self>
  void finish(Self& self) {
    Completion done = state_->run.result();
    state_ = {};  // Asio: its memory is free before the handler runs
    done.complete(self);
  }
  /// Not in here, but soon.
  template <class Self>
  void again(Self& self, Stage stage) {
    stage_ = stage;
    const Executor executor = state_->executor;
    Net::post(executor, std::move(self));
  }

  std::optional<Given> given_;
  AsioOwner<State> state_;
  Stage stage_ = Stage::idle;
};

/// The pipeline of one call: policies by reference, but what a std::shared_ptr owns is kept alive (A3).
template <class P>
[[nodiscard]] auto pipeline_of_call(P&& given) {
  using Plain = std::remove_cvref_t<P>;
  if constexpr (!std::is_lvalue_reference_v<P> || is_shared_ptr<Plain>) {
    return compose(std::forward<P>(given));
  } else if constexpr (is_pipeline<Plain>) {
    auto parts = detail::share_parts(PipelineParts::of(given));
    return typename PipelineOf<decltype(parts)>::type{std::move(parts)};
  } else {
    using Part = decltype(detail::keep_part<P>(given));
    return Pipeline<Part>{std::tuple<Part>{detail::keep_part<P>(given)}};
  }
}

/// failure_if of a call, whose predicate judges the value, or the tuple of several: an error is a failure
/// whatever it says.
template <class Completion, class Rule>
struct AsioRule {
  Rule rule;

  [[nodiscard]] std::optional<Failure> operator()(const Completion& done) const {
    if (auto failure = done.failure_by_error()) return failure;
    if constexpr (std::tuple_size_v<decltype(done.values)> == 1) {
      return judge(std::get<0>(done.values));
    } else {
      return judge(done.values);
    }
  }

 private:
  template <class V>
  [[nodiscard]] std::optional<Failure> judge(const V& value) const {
    if (!detail::may_be_failure(value, rule)) return std::nullopt;
    return detail::failure_of_value(value, rule);
  }
};
template <class Completion, class Option>
[[nodiscard]] auto option_of_call(Option&& option) {
  using Kept = std::decay_t<Option>;
  if constexpr (IsFailureIf<Kept>::value) {
    return failure_if(AsioRule<Completion, Kept>{std::forward<Option>(option)});
  } else {
    return Kept(std::forward<Option>(option));
  }
}

template <class Net, class Signature, class P, class Executor, class Op, class Token, class... Options>
auto asio_execute(P&& pipeline, const Executor& executor, Op&& op, Token&& token, Options&&... options) {
  check_call_options<Options...>();
  auto kept = detail::pipeline_of_call(std::forward<P>(pipeline));
  using Kept = std::decay_t<Op>;
  check_kept<Kept, Op>();
  using Completion = AsioCompletion<Net, Signature>;
  using Implementation =
      AsioCall<Net, Signature, Executor, Kept, decltype(kept),
               decltype(detail::option_of_call<Completion>(std::forward<Options>(options)))...>;
  return Net::template compose<Signature>(
      Implementation{std::move(kept), executor, Kept(std::forward<Op>(op)),
                     std::tuple{detail::option_of_call<Completion>(std::forward<Options>(options))...}},
      token, executor);
}

/// Of the options of a retry, those that belong to one call.
template <class Option>
inline constexpr bool is_for_call = is_one_of<Option, IsStopToken, IsDeadline, IsFailureIf, IsPriority>;
template <bool for_call, class Option>
[[nodiscard]] auto option_if(Option&& option) {
  if constexpr (is_for_call<Option> == for_call) {
    return std::tuple<Option&&>{std::forward<Option>(option)};
  } else {
    return std::tuple<>{};
  }
}

template <class Net, class Signature, class Executor, class Op, class Token, class... Options>
auto asio_retry(const Executor& executor, Op&& op, const RetryConfig& config, Token&& token,
                Options&&... options) {
  auto policy = std::apply(
      [&]<class... Given>(Given&&... given) { return retry(config, std::forward<Given>(given)...); },
      std::tuple_cat(detail::option_if<false, Options>(std::forward<Options>(options))...));
  return std::apply(
      [&]<class... Given>(Given&&... given) {
        return detail::asio_execute<Net, Signature>(compose(std::move(policy)), executor,
                                                    std::forward<Op>(op), std::forward<Token>(token),
                                                    std::forward<Given>(given)...);
      },
      std::tuple_cat(detail::option_if<true, Options>(std::forward<Options>(options))...));
}

}  // namespace detail

FUSEBOX_END_NAMESPACE
