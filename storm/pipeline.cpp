// storm/pipeline.cpp: how a PipelineSpec becomes policies in places.
#include "pipeline.hpp"

#include <cstddef>
#include <stdexcept>
#include <tuple>
#include <type_traits>

namespace storm {

namespace {

using fusebox::detail::Explanation;
using fusebox::detail::PipelineParts;

template <class P>
constexpr const char* name_of = nullptr;
template <>
constexpr const char* name_of<RateLimiter> = "rate_limiter";
template <>
constexpr const char* name_of<Throttle> = "throttle";
template <>
constexpr const char* name_of<AdaptiveLimit> = "adaptive_limit";
template <>
constexpr const char* name_of<Bulkhead> = "bulkhead";
template <>
constexpr const char* name_of<TotalTimeout> = "total_timeout";
template <>
constexpr const char* name_of<AttemptTimeout> = "attempt_timeout";
template <>
constexpr const char* name_of<Breaker> = "breaker";
template <>
constexpr const char* name_of<Retry> = "retry";

template <class... Policies>
[[nodiscard]] PlacesPipeline empty_pipeline(const Clock& clock,
                                            std::type_identity<fusebox::Pipeline<Place<Policies>...>>) {
  return PlacesPipeline{std::tuple<Place<Policies>...>{Place<Policies>{clock}...}};
}
[[nodiscard]] PlacesPipeline empty_pipeline(const Clock& clock) {
  return empty_pipeline(clock, std::type_identity<PlacesPipeline>{});
}

template <class... Policies>
[[nodiscard]] std::string names_of_places(std::type_identity<fusebox::Pipeline<Place<Policies>...>>) {
  std::string text;
  ((text.append(text.empty() ? "" : ", ").append(name_of<Policies>)), ...);
  return text;
}

template <class P>
constexpr bool has_queue = std::is_same_v<P, Bulkhead> || std::is_same_v<P, AdaptiveLimit>;

template <class... Policies>
constexpr std::size_t queues_in(std::type_identity<fusebox::Pipeline<Place<Policies>...>>) {
  return (std::size_t{0} + ... + std::size_t{has_queue<Policies>});
}
// Outside a hedge and inside it.
static_assert(2 * queues_in(std::type_identity<PlacesPipeline>{}) <= ProcessPipeline::most_queues);

/// Calls use(place, index) for each place, the outermost first.
template <class Use>
void for_places(const PlacesPipeline& pipeline, Use use) {
  std::apply(
      [&](auto&... places) {
        std::size_t index = 0;
        (use(places, index++), ...);
      },
      PipelineParts::of(pipeline));
}

/// Does the pipeline have a retry, and is the index inside it?
[[nodiscard]] bool is_inside_retry(const PlacesPipeline& pipeline, std::size_t index) {
  bool is_inside = false;
  for_places(pipeline, [&]<class P>(const Place<P>& place, std::size_t i) {
    if constexpr (std::is_same_v<P, Retry>) is_inside = is_inside || (place.get() != nullptr && i < index);
  });
  return is_inside;
}
constexpr std::size_t inside_all = 1000;

}  // namespace

/// Puts policies into places, each further in than the one before.
class ProcessPipeline::Filler {
 public:
  Filler(ProcessPipeline& pipeline, const std::string& process, const Clock& clock, Random& jitter)
      : pipeline_{pipeline}, process_{process}, clock_{clock}, jitter_{jitter} {}

  void add(const fusebox::TimeoutPart& spec) {
    if (spec.kind == fusebox::TimeoutKind::total) {
      put(std::make_shared<TotalTimeout>(spec.limit, clock_));
    } else {
      put(std::make_shared<AttemptTimeout>(spec.limit, clock_));
    }
  }
  void add(const fusebox::RetryPart& spec) {
    put(std::make_shared<Retry>(fusebox::retry(spec.config, Clock{clock_}, fusebox::with_random(jitter_),
                                               std::make_shared<Budget>(spec.budget, clock_))));
    pipeline_.retry_has_budget_ = spec.budget.index() != 0;
  }
  void add(const fusebox::HedgePart& spec) {
    if (pipeline_.hedge_) throw std::invalid_argument{"there is a hedge already"};
    Budget::Spec budget;
    if (spec.budget) budget = *spec.budget;
    pipeline_.hedge_ = std::make_shared<Hedge>(
        fusebox::hedge(spec.config, Clock{clock_}, std::make_shared<Budget>(budget, clock_)));
    pipeline_.hedge_has_budget_ = spec.budget.has_value();
    next_ = 0;
  }
  void add(const fusebox::CircuitBreakerConfig& config) {
    if (config.reset_jitter > 0)
      throw std::invalid_argument{"reset_jitter must be 0: a breaker draws it from the operating system"};
    pipeline_.breaker_ = std::make_shared<Breaker>(process_, config, clock_);
    put(pipeline_.breaker_);
  }
  void add(const fusebox::BulkheadConfig& config) {
    put(std::make_shared<Bulkhead>(process_, config, clock_));
  }
  void add(const fusebox::AdaptiveLimitPart& spec) {
    pipeline_.adaptive_limit_ =
        std::make_shared<AdaptiveLimit>(process_, AnyRule{spec.rule}, spec.queue, clock_);
    put(pipeline_.adaptive_limit_);
  }
  void add(fusebox::ThrottleConfig config) {
    if (config.seed == 0) config.seed = jitter_() | 1U;  // 0: by the operating system
    put(std::make_shared<Throttle>(process_, config, clock_));
  }
  void add(const fusebox::RateLimiterConfig& config) {
    put(std::make_shared<RateLimiter>(process_, config, clock_));
  }

 private:
  template <class P>
  void put(std::shared_ptr<P> policy) {
    bool is_put = false;
    const auto put_here = [&]<class Q>(Place<Q>& place, std::size_t index) {
      if constexpr (std::is_same_v<P, Q>) {
        if (is_put || index < next_) return;
        place.fill(std::move(policy));
        next_ = index + 1;
        is_put = true;
      }
    };
    for_places(pipeline_.hedge_ ? pipeline_.inside_ : pipeline_.outside_, put_here);
    if (is_put) return;
    throw std::invalid_argument{std::string{name_of<P>} +
                                " has no place here. The order is, each of them or " +
                                "none: " + names_of_places(std::type_identity<PlacesPipeline>{}) +
                                "; and the same again inside a hedge"};
  }

  ProcessPipeline& pipeline_;
  const std::string& process_;
  const Clock& clock_;
  Random& jitter_;
  std::size_t next_ = 0;
};

ProcessPipeline::ProcessPipeline(const PipelineSpec& spec, const std::string& process, const Clock& clock,
                                 Random& jitter)
    : outside_{empty_pipeline(clock)}, inside_{empty_pipeline(clock)} {
  Filler filler{*this, process, clock, jitter};
  for (std::size_t i = 0; i < spec.policies.size(); ++i) {
    try {
      std::visit([&](const auto& policy) { filler.add(policy); }, spec.policies[i]);
    } catch (const std::exception& error) {
      throw std::invalid_argument{"policies[" + std::to_string(i) + "]: " + error.what()};
    }
  }
}

std::string ProcessPipeline::explain() const {
  Explanation text;
  const bool is_attempt = is_inside_retry(outside_, inside_all);
  explain(inside_, is_attempt, text);
  if (hedge_) {
    text.place(is_attempt ? Explanation::SeenBy::attempt : Explanation::SeenBy::whole_call);
    if (hedge_has_budget_) {
      fusebox::detail::Layer<Hedge>::explain(*hedge_, text);
    } else {
      const auto plain = fusebox::hedge(hedge_->config(), Clock{hedge_->clock()});
      fusebox::detail::Layer<std::remove_const_t<decltype(plain)>>::explain(plain, text);
    }
  }
  explain(outside_, false, text);
  return text.text();
}

void ProcessPipeline::explain(const PlacesPipeline& pipeline, bool is_inside, Explanation& text) const {
  const auto say = [&]<class P>(const Place<P>& place, std::size_t index) {
    if (place.get() == nullptr) return;
    text.place(is_inside || is_inside_retry(pipeline, index) ? Explanation::SeenBy::attempt
                                                             : Explanation::SeenBy::whole_call);
    if constexpr (std::is_same_v<P, Retry>) {
      if (!retry_has_budget_) {  // one that permits everything stands for none
        const auto plain = fusebox::retry(place.get()->config(), Clock{place.clock()});
        return fusebox::detail::Layer<std::remove_const_t<decltype(plain)>>::explain(plain, text);
      }
    }
    fusebox::detail::Layer<P>::explain(*place.get(), text);
  };
  [&]<std::size_t... i>(std::index_sequence<i...>) {
    auto& parts = PipelineParts::of(pipeline);
    (say(std::get<sizeof...(i) - 1 - i>(parts), sizeof...(i) - 1 - i), ...);
  }(std::make_index_sequence<
      std::tuple_size_v<std::remove_cvref_t<decltype(PipelineParts::of(pipeline))>>>{});
}

template <class Use>
void ProcessPipeline::for_queues(Use use) const noexcept {
  const auto look = [&]<class P>(const Place<P>& place, std::size_t) {
    if constexpr (has_queue<P>) use(place);
  };
  for_places(outside_, look);
  if (hedge_) for_places(inside_, look);
}

int ProcessPipeline::queues() const noexcept {
  int count = 0;
  for_queues([&](const auto& place) { count += place.get() != nullptr ? 1 : 0; });
  return count;
}

std::uint64_t ProcessPipeline::queue_waits() const noexcept {
  std::uint64_t waits = 0;
  for_queues([&](const auto& place) { waits += place.waits(); });
  return waits;
}

std::array<std::uint64_t, ProcessPipeline::most_queues> ProcessPipeline::waits_by_queue() const noexcept {
  std::array<std::uint64_t, most_queues> waits{};
  std::size_t i = 0;
  for_queues([&](const auto& place) { waits[i++] = place.waits(); });
  return waits;
}

}  // namespace storm
