// fusebox/detail/subscriber.hpp: a stored callback that receives events (B14).
//
// Subscriber<Sync>          the callback, how often it runs now, and whether it still wants events
// make_subscriber<Event>    stores a callback(const Event&)
//
// This is the only place where the library stores a callable. Sync supplies the atomics, so that a model
// checker can replace them.
#pragma once
// IWYU pragma: private

#include <memory>
#include <type_traits>
#include <utility>

#include <fusebox/detail/deliveries.hpp>
#include <fusebox/detail/sync.hpp>
#include <fusebox/detail/throw.hpp>
#include <fusebox/detail/unwinding.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// A stored callback of events of one type, which the maker of the subscriber knows. It runs on several
/// threads at once if it subscribes to several sources. Functions erase its type and its event's, not a
/// derived class: once the callback is destroyed, nothing refers to the code of the library that created it,
/// which may then be unloaded (G4).
template <class Sync = StdSync>
class FUSEBOX_API Subscriber {
 public:
  template <class Event, class F>
  Subscriber(std::in_place_type_t<Event>, F callback)
      : callback_{new F(std::move(callback))},
        call_{[](void* object, const void* event) {
          (*static_cast<F*>(object))(*static_cast<const Event*>(event));
        }},
        destroy_{[](void* object) noexcept { delete static_cast<F*>(object); }} {}
  Subscriber(const Subscriber&) = delete;
  Subscriber& operator=(const Subscriber&) = delete;
  ~Subscriber() { destroy_callback(); }

  /// False once it was stopped. Pairs with the store in stop(); a stale answer only costs a call of
  /// run_with(), which checks again.
  [[nodiscard]] bool is_active() const noexcept { return active_.load(std::memory_order_acquire); }

  /// Runs the callback with an event of its type, unless it was stopped, as part of `delivery`. What the
  /// callback throws is dropped (B14), unless it ends the thread.
  template <class Event>
  void receive(const Event& event, Delivery& delivery) {
    run_with(&event, delivery);
  }

  /// Afterwards no callback runs, except those that this call is part of.
  void stop() noexcept {
    active_.store(false, std::memory_order_seq_cst);  // pairs with the load in run_with()
    const int own = deliveries_of<Sync>().own_callbacks(this);
    wait_until_only(own);
    if (own == 0) destroy_callback();  // else run_with() does it when the callback has returned
  }

 private:
  /// One run of the callback, as stop() counts them.
  class Run {
   public:
    // Sequentially consistent, as are the store and the load in stop(): either stop() counts this run and
    // waits for it, or the load in run_with() sees that the subscriber was stopped.
    explicit Run(Subscriber& subscriber) noexcept : subscriber_{subscriber} {
      subscriber_.runs_.fetch_add(1, std::memory_order_seq_cst);
    }
    ~Run() {
      subscriber_.runs_.fetch_sub(1, std::memory_order_seq_cst);  // pairs with the load in wait_until_only()
      subscriber_.runs_.notify_all();
    }
    Run(const Run&) = delete;
    Run& operator=(const Run&) = delete;

   private:
    Subscriber& subscriber_;
  };

  /// The time in which the callback is on the stack.
  class InCallback {
   public:
    InCallback(Subscriber& subscriber, Delivery& delivery) noexcept
        : subscriber_{subscriber}, delivery_{delivery} {
      deliveries_of<Sync>().begin_callback(delivery_, &subscriber_);
    }
    ~InCallback() {
      if (deliveries_of<Sync>().end_callback(delivery_)) subscriber_.destroy_callback();
    }
    InCallback(const InCallback&) = delete;
    InCallback& operator=(const InCallback&) = delete;

   private:
    Subscriber& subscriber_;
    Delivery& delivery_;
  };

  void run_with(const void* event, Delivery& delivery) {
    const Run run{*this};
    if (!active_.load(std::memory_order_seq_cst)) return;
    const InCallback in_callback{*this, delivery};
    FUSEBOX_DETAIL_TRY { call_(callback_, event); }
    FUSEBOX_DETAIL_CATCH_ALL {
      if (!detail::caught_exception()) FUSEBOX_DETAIL_RETHROW;
    }
  }

  void wait_until_only(int own) const noexcept {
    for (;;) {
      const int runs = runs_.load(std::memory_order_seq_cst);  // pairs with both changes in run_with()
      if (runs <= own) return;
      runs_.wait(runs, std::memory_order_seq_cst);
    }
  }

  void destroy_callback() noexcept {
    if (void* const callback = std::exchange(callback_, nullptr)) destroy_(callback);
  }

  void* callback_;
  void (*call_)(void*, const void*);
  void (*destroy_)(void*) noexcept;
  typename Sync::template Atomic<bool> active_{true};
  typename Sync::template Atomic<int> runs_{0};
};

template <class Event, class Sync = StdSync, class F>
[[nodiscard]] std::shared_ptr<Subscriber<Sync>> make_subscriber(F&& callback) {
  return std::make_shared<Subscriber<Sync>>(std::in_place_type<Event>,
                                            std::decay_t<F>(std::forward<F>(callback)));
}

}  // namespace detail

FUSEBOX_END_NAMESPACE
