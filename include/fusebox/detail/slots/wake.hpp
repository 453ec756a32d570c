// fusebox/detail/slots/wake.hpp: what wakes a call that waits for a slot.
#pragma once
// IWYU pragma: private

#include <atomic>
#include <memory>

#include <fusebox/clock.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// Without std::stop_token, a flag in its place, which a waiter asks now and then.
class WakeFlag {
 public:
  void request_stop() const noexcept { flag_->store(true, std::memory_order_release); }
  /// Acquire: pairs with the store in request_stop().
  [[nodiscard]] bool stop_requested() const noexcept { return flag_->load(std::memory_order_acquire); }
  [[nodiscard]] static StopToken get_token() noexcept { return {}; }

 private:
  std::shared_ptr<std::atomic<bool>> flag_ = std::make_shared<std::atomic<bool>>(false);
};

template <class Sync>
struct WakeOf {
#if FUSEBOX_DETAIL_STOP_TOKEN
  using type = std::stop_source;
#else
  using type = WakeFlag;
#endif
};
template <class Sync>
  requires requires { typename Sync::Wake; }
struct WakeOf<Sync> {
  using type = typename Sync::Wake;
};

}  // namespace detail

FUSEBOX_END_NAMESPACE
