// fusebox/hedge/counts.hpp: HedgeCounts, what hedges that share a name have counted (M2).
#pragma once
// IWYU pragma: private, include <fusebox/hedge.hpp>

#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include <fusebox/detail/registry/policy_kind.hpp>
#include <fusebox/detail/validate.hpp>
#include <fusebox/fwd.hpp>
#include <fusebox/hedge/detail/totals.hpp>
#include <fusebox/hedge/stats.hpp>

FUSEBOX_BEGIN_NAMESPACE

/// The counts of the hedges that got it: `hedge(config, counts)`. For metrics, under a name in a
/// PolicyRegistry. All members are thread-safe.
class FUSEBOX_API HedgeCounts {
 public:
  /// Throws ConfigError if the name is empty or longer than 512 bytes.
  explicit HedgeCounts(std::string name) : name_{std::move(name)} {
    detail::check_name("HedgeCounts", name_);
  }
  HedgeCounts(const HedgeCounts&) = delete;
  HedgeCounts& operator=(const HedgeCounts&) = delete;

  [[nodiscard]] HedgeStats stats() const noexcept { return counts_.stats(); }
  [[nodiscard]] const std::string& name() const noexcept { return name_; }

 private:
  template <class C, class Budget, class Executor>
  friend class Hedge;
  template <class>
  friend struct detail::PolicyKind;

  std::string name_;
  detail::HedgeTotals counts_;
};

namespace detail {
template <class T>
struct IsHedgeCounts : std::is_same<T, std::shared_ptr<HedgeCounts>> {};
}  // namespace detail

FUSEBOX_END_NAMESPACE
