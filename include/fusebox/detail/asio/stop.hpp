// fusebox/detail/asio/stop.hpp: a stop token that cancels an operation of Asio (A14).
//
// Asio cancels an operation by a cancellation slot, on the executor of the operation; a stop comes from any
// thread. See detail/asio/clock.hpp about Net.
#pragma once
// IWYU pragma: private

#include <memory>
#include <utility>

#include <fusebox/clock.hpp>

#if FUSEBOX_DETAIL_STOP_TOKEN
#include <stop_token>
#endif

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// Ties an operation to a stop token, beside the cancellation slot that it has.
template <class Net>
class AsioLink {
 public:
  /// What the operation gets in place of `handler`, which it takes.
  template <class Handler, class Executor>
  [[nodiscard]] static Handler tie(Handler& handler, const StopToken& /*token*/,
                                   const Executor& /*executor*/) {
    return std::move(handler);
  }
  /// The operation has ended.
  static void cut() noexcept {}
};

#if FUSEBOX_DETAIL_STOP_TOKEN
template <class Net>
  requires(Net::cancels)
class AsioLink<Net> {
  using Signal = typename Net::Signal;

 public:
  /// The operation is cancelled on `executor`, which must be that of its handler: a slot is no object for two
  /// threads.
  template <class Handler, class Executor>
  [[nodiscard]] auto tie(Handler& handler, StopToken token, const Executor& executor) {
    auto slot = Net::slot_of(handler);
    if (!token.stop_possible()) return Net::bind_slot(slot, std::move(handler));
    signal_ = std::make_shared<Signal>();
    // Asio clears it once the operation has ended.
    if (slot.is_connected()) slot.assign([signal = signal_](auto type) { signal->emit(type); });
    auto tied = Net::bind_slot(signal_->slot(), std::move(handler));
    auto emit = [executor, weak = std::weak_ptr<Signal>{signal_}] {
      Net::post(executor, [weak] {
        if (const auto alive = weak.lock()) Net::cancel(*alive);
      });
    };
    on_stop_ = std::make_shared<std::stop_callback<decltype(emit)>>(std::move(token), std::move(emit));
    return tied;
  }
  void cut() noexcept {
    on_stop_.reset();
    signal_.reset();
  }

 private:
  std::shared_ptr<Signal> signal_;
  std::shared_ptr<void> on_stop_;  // a std::stop_callback for an executor of any type
};
#endif

}  // namespace detail

FUSEBOX_END_NAMESPACE
