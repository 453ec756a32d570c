// fusebox/pipeline/any_pipeline.hpp: AnyPipeline, a pipeline whose type is forgotten.
#pragma once
// IWYU pragma: private, include <fusebox/pipeline.hpp>

#include <memory>
#include <type_traits>
#include <utility>

#include <fusebox/call.hpp>
#include <fusebox/detail/flow/drive.hpp>
#include <fusebox/pipeline/call_result.hpp>

FUSEBOX_BEGIN_NAMESPACE

template <class... Parts>
class Pipeline;

namespace detail {

/// An op whose type is forgotten. `interruptible`: it can be stopped, so that limits arm timers (P2).
template <class T, bool interruptible>
struct OpRef;
template <class T>
struct OpRef<T, true> {
  void* op;
  T (*invoke)(void* op, const Call& call);
  T operator()(const Call& call) const { return invoke(op, call); }
};
template <class T>
struct OpRef<T, false> {
  void* op;
  T (*invoke)(void* op, const Deadline& deadline);
  T operator()(const Deadline& deadline) const { return invoke(op, deadline); }
};

}  // namespace detail

/// A Pipeline for ops that give a T, whatever its policies: for a member, a map, an interface. Copies share
/// the pipeline. A call costs one virtual call and one through a pointer, and no allocation. What a stored
/// pipeline holds by reference must outlive it. As thread-safe as the pipeline.
///
///     AnyPipeline<Order> orders = compose(retry(config), breaker);
template <class T>
class AnyPipeline {
 public:
  /// The pipeline's result must convert to T.
  template <class... Parts>
  AnyPipeline(Pipeline<Parts...> pipeline)  // NOLINT(*-explicit-*)
      : stored_{std::make_shared<const Stored<Pipeline<Parts...>>>(std::move(pipeline))} {
    static_assert(
        !(... || detail::is_parallel<Parts>),
        "fusebox: a hedge copies op, and an AnyPipeline has only a reference to it: keep the pipeline as "
        "what compose() gives");
  }

  /// As Pipeline::execute(). Options: a std::stop_token, a Deadline.
  template <class Op, class... Options>
  T execute(Op&& op, Options&&... options) const {
    if constexpr (sizeof...(Options) == 0) {
      return with_ref(op, [&](auto ref) -> T { return stored_->execute(ref, nullptr); });
    } else {
      const Given given{options...};
      return with_ref(op, [&](auto ref) -> T { return stored_->execute(ref, &given); });
    }
  }
  /// As Pipeline::try_execute().
  template <class Op, class... Options>
  [[nodiscard]] CallResult<T> try_execute(Op&& op, Options&&... options) const {
    return with_ref(op, [&](auto ref) { return stored_->try_execute(ref, Given{options...}); });
  }

 private:
  using Stoppable = detail::OpRef<T, true>;
  using Plain = detail::OpRef<T, false>;

  struct Given {
    template <class... Options>
    explicit Given(Options&... options) {
      static_assert(
          (... && detail::is_one_of<Options, detail::IsStopToken, detail::IsDeadline, detail::IsPriority>),
          "fusebox: unknown option: AnyPipeline accepts, after op, a std::stop_token, a Deadline and a "
          "Priority");
      static_assert(
          detail::count_of<detail::IsStopToken, Options...> <= 1 &&
              detail::count_of<detail::IsDeadline, Options...> <= 1 &&
              detail::count_of<detail::IsPriority, Options...> <= 1,
          "fusebox: two options of one kind: AnyPipeline accepts at most one each of a std::stop_token, "
          "a Deadline and a Priority");
      const StopToken no_token;
      const Deadline never;
      token = detail::option_or<detail::IsStopToken>(no_token, options...);
      deadline = detail::option_or<detail::IsDeadline>(never, options...);
      priority = detail::option_or<detail::IsPriority>(std::as_const(priority), options...);
    }
    StopToken token;
    Deadline deadline;
    Priority priority = Priority::normal;
  };

  class Base {
   public:
    virtual ~Base() = default;
    /// `given` is null without options.
    virtual T execute(Stoppable op, const Given* given) const = 0;
    virtual T execute(Plain op, const Given* given) const = 0;
    [[nodiscard]] virtual CallResult<T> try_execute(Stoppable op, const Given& given) const = 0;
    [[nodiscard]] virtual CallResult<T> try_execute(Plain op, const Given& given) const = 0;
  };
  template <class P>
  class Stored final : public Base {
   public:
    explicit Stored(P&& pipeline) : pipeline_{std::move(pipeline)} {}
    T execute(Stoppable op, const Given* given) const override { return run(op, given); }
    T execute(Plain op, const Given* given) const override { return run(op, given); }
    [[nodiscard]] CallResult<T> try_execute(Stoppable op, const Given& given) const override {
      return pipeline_.try_execute(op, given.token, given.deadline, given.priority).template as<T>();
    }
    [[nodiscard]] CallResult<T> try_execute(Plain op, const Given& given) const override {
      return pipeline_.try_execute(op, given.token, given.deadline, given.priority).template as<T>();
    }

   private:
    template <class Op>
    T run(Op op, const Given* given) const {
      if (given == nullptr) return static_cast<T>(pipeline_.execute(op));
      return static_cast<T>(pipeline_.execute(op, given->token, given->deadline, given->priority));
    }

    P pipeline_;
  };

  template <class Op, class Use>
  static decltype(auto) with_ref(Op& op, Use use) {
    if constexpr (std::is_function_v<Op>) {
      Op* pointer = &op;  // an object, which a void* can point to
      return with_ref(pointer, use);
    } else {
      constexpr detail::Takes what = detail::takes<Op>;
      detail::check_operation<what, Op>();
      static_assert(std::is_void_v<T> || std::is_convertible_v<detail::ValueOf<what, Op>, T>,
                    "fusebox: op of an AnyPipeline<T> must give a T");
      void* const erased = const_cast<void*>(static_cast<const void*>(std::addressof(op)));
      if constexpr (detail::is_interruptible(what)) {
        return use(Stoppable{erased, [](void* object, const Call& call) -> T {
                               return convert([&]() -> decltype(auto) {
                                 return detail::invoke_op<what>(*static_cast<Op*>(object), call);
                               });
                             }});
      } else {
        return use(Plain{erased, [](void* object, [[maybe_unused]] const Deadline& deadline) -> T {
                           return convert([&]() -> decltype(auto) {
                             if constexpr (what == detail::Takes::deadline) {
                               return (*static_cast<Op*>(object))(Deadline{deadline});
                             } else {
                               return (*static_cast<Op*>(object))();
                             }
                           });
                         }});
      }
    }
  }
  template <class F>
  static T convert(F op) {
    if constexpr (std::is_void_v<T>) {
      static_cast<void>(op());
    } else {
      return op();
    }
  }

  std::shared_ptr<const Base> stored_;
};

FUSEBOX_END_NAMESPACE
