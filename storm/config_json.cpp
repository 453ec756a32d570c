// storm/config_json.cpp: the parts of fusebox's adapter as policies of the lab.
#include "config_json.hpp"

#include <utility>
#include <variant>

namespace storm {

namespace {

/// Adds what the lab makes of a part.
class PartAdder {
 public:
  PartAdder(const JsonValue& value, std::vector<PolicySpec>& out) : value_{value}, out_{out} {}

  template <class Config>
  void operator()(const Config& config) {
    out_.emplace_back(config);
  }
  void operator()(const fusebox::ChaosConfig& /*config*/) {
    throw JsonError{value_.path() + ".policy", "the lab has no chaos; disturb a dependency instead"};
  }
  void operator()(const fusebox::StandardPipelineConfig& config) {
    out_.emplace_back(config.bulkhead);
    out_.emplace_back(fusebox::TimeoutPart{fusebox::TimeoutKind::total, config.total_timeout});
    out_.emplace_back(fusebox::RetryPart{config.retry, {}});
    out_.emplace_back(config.breaker);
    out_.emplace_back(fusebox::TimeoutPart{fusebox::TimeoutKind::attempt, config.attempt_timeout});
  }

 private:
  const JsonValue& value_;
  std::vector<PolicySpec>& out_;
};

}  // namespace

void read_policy(const JsonValue& value, std::vector<PolicySpec>& out) {
  std::visit(PartAdder{value, out}, fusebox::detail::read_part(value));
}

}  // namespace storm
