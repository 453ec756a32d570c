// fusebox/bulkhead/detail/core.hpp: BulkheadCore, slots that Permits hold too.
#pragma once
// IWYU pragma: private, include <fusebox/bulkhead.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include <fusebox/api_error.hpp>
#include <fusebox/bulkhead/config.hpp>
#include <fusebox/bulkhead/stats.hpp>
#include <fusebox/detail/admission.hpp>
#include <fusebox/detail/event_hub.hpp>
#include <fusebox/detail/slots/config.hpp>
#include <fusebox/detail/slots/core.hpp>
#include <fusebox/detail/slots/event_record.hpp>
#include <fusebox/detail/sync.hpp>
#include <fusebox/failure.hpp>
#include <fusebox/fwd.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

template <>
struct FUSEBOX_API EventRecord<BulkheadEvent> : SlotEventRecord<BulkheadEvent> {};

/// What the library asks of a bulkhead beside its public members.
struct BulkheadAccess {
  template <class C>
  [[nodiscard]] static auto& core(Bulkhead<C>& bulkhead) noexcept {
    return bulkhead.core_;
  }
  /// Is no slot taken, and does nobody wait? Only then may a registry evict it.
  template <class C>
  [[nodiscard]] static bool is_idle(const Bulkhead<C>& bulkhead) noexcept {
    return bulkhead.core_.is_idle();
  }
};

/// The slots of a bulkhead (see SlotCore).
struct BulkheadKind {
  using Event = BulkheadEvent;
  static constexpr PolicyErrc errc = PolicyErrc::bulkhead_full;
  static constexpr const char* cancelled = "cancelled while waiting for the bulkhead";
  [[nodiscard]] static std::shared_ptr<const RejectionSource> source(std::string_view name) {
    return PolicyRejection::source<BulkheadFullError>(name);
  }
};

template <class C, class Sync = StdSync>
class FUSEBOX_API BulkheadCore final : public SlotCore<BulkheadKind, C, Sync>, public PermitTarget {
 public:
  using Slots = SlotCore<BulkheadKind, C, Sync>;

  BulkheadCore(std::string_view name, const BulkheadConfig& config, C clock)
      : Slots{name,
              {static_cast<std::uint32_t>(config.max_concurrent), config.max_waiting, config.max_wait,
               config.headroom},
              std::move(clock)},
        config_{config} {}

  [[nodiscard]] const BulkheadConfig& config() const noexcept { return config_; }
  [[nodiscard]] static constexpr Admission begin() noexcept { return {}; }

  void report_permit(Admission /*admission*/, Outcome /*outcome*/,
                     const Failure* /*failure*/) noexcept override {
    this->give_back();
  }
  [[nodiscard]] Outcome judge_permit(Admission /*admission*/, const Failure& /*failure*/) const override {
    return Outcome::ignored;  // a bulkhead makes no difference
  }
  [[nodiscard]] RejectedError permit_error(Admission /*admission*/) const override {
    return PolicyRejection::error(this->source(), std::nullopt, this->clock().wall_now());
  }
  void end_permit() noexcept override {}

 private:
  const BulkheadConfig config_;
};

}  // namespace detail

FUSEBOX_END_NAMESPACE
