// The delays of every RetryConfig (R1), against sums in wider numbers: what validate refuses, how delays
// grow, and that each jitter stays within its bounds and reaches them.
#include <fusebox/retry.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>

#include "input.hpp"
#include "model/code.hpp"

namespace {

using namespace fusebox;
using std::chrono::nanoseconds;
__extension__ using Wide = __int128;

constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();

nanoseconds any_duration(fuzz::Input& input) {
  constexpr std::int64_t second = 1'000'000'000;
  const std::int64_t chosen = input.one_of<std::int64_t>(
      {0, 1, 2, 3, 100'000'000, second, 30 * second, std::int64_t{1} << 53U, std::int64_t{1} << 62U, most / 3,
       most / 3 + 1, most / 2, most - 1, most, -1});
  return input.flag() ? nanoseconds{chosen} : input.duration();
}

double any_multiplier(fuzz::Input& input) {
  constexpr double greatest = std::numeric_limits<double>::max();
  const double chosen =
      input.one_of({2.0, 1.0, 1.5, 3.0, 10.0, std::nextafter(1.0, 2.0), 1 + 1e-9, std::nextafter(2.0, 1.0),
                    std::nextafter(2.0, 3.0), 1e19, 1e300, greatest, std::nextafter(1.0, 0.0), -0.0});
  return input.flag() ? chosen : input.real();
}

RetryConfig any_config(fuzz::Input& input) {
  RetryConfig config;
  config.base_delay = any_duration(input);
  config.max_delay = any_duration(input);
  if (input.flag()) config.max_delay = std::max(config.max_delay, config.base_delay);
  config.multiplier = any_multiplier(input);
  config.jitter = static_cast<Jitter>(input.below(5));
  if (config.jitter == Jitter::proportional) {
    config.jitter_factor =
        input.flag() ? input.one_of({0.25, 0.0, 1.0, 0.1, std::nextafter(1.0, 0.0), -0.0}) : input.real();
    if (input.below(8) == 1) config.jitter = static_cast<Jitter>(5);
  }
  config.max_retries =
      input.flag() ? input.one_of({0, 3, 65'535, 65'536, -1}) : static_cast<int>(input.integer<unsigned>());
  config.total_timeout = input.flag() ? no_timeout : any_duration(input);
  config.honor_retry_after = input.flag();
  config.idempotent = input.flag();
  return config;
}

bool is_good(const RetryConfig& config) {
  return config.max_retries >= 0 && config.max_retries <= 65'535 && config.base_delay.count() >= 0 &&
         config.max_delay >= config.base_delay && std::isfinite(config.multiplier) &&
         config.multiplier >= 1 && static_cast<int>(config.jitter) <= 4 && config.jitter_factor >= 0 &&
         config.jitter_factor <= 1 && config.total_timeout.count() > 0;
}

struct Case {
  RetryConfig config;
  std::uint32_t n;

  void expect(bool holds, const std::string& what) const {
    if (!holds) fuzz::fail(what + ": RetryConfig" + model::to_code(config) + ", n = " + std::to_string(n));
  }
};

/// min(max_delay, base_delay × 2ⁿ), in a number that holds it.
std::int64_t doubled(const RetryConfig& config, std::uint32_t n) {
  Wide delay = config.base_delay.count();
  for (std::uint32_t i = 0; i < n && delay > 0 && delay < config.max_delay.count(); ++i) delay *= 2;
  return static_cast<std::int64_t>(std::min<Wide>(delay, config.max_delay.count()));
}

/// What multiplying n times may be wrong by, relatively: each step rounds.
long double rounding(std::uint32_t n) { return (static_cast<long double>(n) + 3) * 0x1p-52L; }

void check_growth(const Case& given) {
  const auto& [config, n] = given;
  const std::int64_t base = config.base_delay.count();
  const std::int64_t max = config.max_delay.count();
  const std::int64_t delay = exponential_delay(config, n).count();
  given.expect(delay >= 0 && delay <= max, "outside [0, max_delay]");
  if (n == 0) given.expect(delay == base, "the first is not base_delay");
  if (config.multiplier == 1) given.expect(delay == base, "not constant for 1");
  if (config.multiplier == 2) given.expect(delay == doubled(config, n), "not exact for 2");

  const auto times = std::pow(static_cast<long double>(config.multiplier), static_cast<long double>(n));
  const auto power = base == 0 ? 0 : static_cast<long double>(base) * times;
  const auto exact = std::min(static_cast<long double>(max), power);
  const auto got = static_cast<long double>(delay);
  given.expect(std::abs(got - exact) <= exact * rounding(n) + 1, "not base_delay × multiplierⁿ");

  if (n == std::numeric_limits<std::uint32_t>::max()) return;
  const std::int64_t next = exponential_delay(config, n + 1).count();
  // Where rounding hides the step, it may go back by as much.
  const bool is_hidden = static_cast<long double>(config.multiplier) - 1 <= 4 * rounding(n);
  const auto least = is_hidden ? got * (1 - 2 * rounding(n)) - 1 : got;
  given.expect(static_cast<long double>(next) >= least, "the next one is shorter");
}

struct Bounds {
  std::int64_t low;
  std::int64_t high;
};

Bounds bounds(const RetryConfig& config, std::int64_t delay, std::int64_t previous) {
  const std::int64_t base = config.base_delay.count();
  switch (config.jitter) {
    case Jitter::none: break;
    case Jitter::full: return {0, delay};
    case Jitter::equal: return {delay / 2, delay};
    case Jitter::decorrelated:
      return {base, static_cast<std::int64_t>(std::min<Wide>(config.max_delay.count(), Wide{3} * previous))};
    case Jitter::proportional: {
      const auto share = static_cast<std::int64_t>(
          std::min(static_cast<double>(delay) * config.jitter_factor, 0x1.fffffffffffffp62));
      const std::int64_t part = config.jitter_factor < 1 ? std::min(share, delay) : delay;
      return {delay - part,
              static_cast<std::int64_t>(std::min<Wide>(config.max_delay.count(), Wide{delay} + part))};
    }
  }
  return {delay, delay};
}

/// Draws its numbers from the input; Bits, from `least` to `greatest`.
template <class Bits, Bits least, Bits greatest>
class Source {
 public:
  explicit Source(fuzz::Input& input) : input_{&input} {}
  explicit Source(Bits always) : always_{always} {}
  static constexpr Bits min() { return least; }
  static constexpr Bits max() { return greatest; }
  Bits operator()() {
    if (input_ == nullptr) return always_;
    const Bits bits = input_->integer<Bits>();
    return greatest - least == std::numeric_limits<Bits>::max()
               ? bits
               : static_cast<Bits>(least + bits % static_cast<Bits>(greatest - least + 1));
  }

 private:
  fuzz::Input* input_ = nullptr;
  Bits always_ = least;
};

/// The waits of a few attempts, one after the other.
template <class Random>
void check_jitter(Case given, fuzz::Input& input) {
  const RetryConfig& config = given.config;
  Random random{input};
  Random smallest{Random::min()};
  Random largest{Random::max()};
  nanoseconds previous = config.base_delay;
  for (int i = 0; i < 4; ++i) {
    const auto delay = exponential_delay(config, given.n);
    const auto spread = [&](Random& generator) {
      return detail::spread(delay, config.jitter, config.base_delay, config.max_delay, previous, generator,
                            config.jitter_factor)
          .count();
    };
    const Bounds wanted = bounds(config, delay.count(), previous.count());
    const auto drawn = spread(random);
    given.expect(drawn >= wanted.low && drawn <= wanted.high && drawn <= config.max_delay.count(),
                 "a draw beyond its bounds");
    given.expect(spread(smallest) == wanted.low, "the lower bound is not reached");
    given.expect(spread(largest) == wanted.high, "the upper bound is not reached");
    previous = nanoseconds{drawn};
    if (given.n < std::numeric_limits<std::uint32_t>::max()) ++given.n;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input{data, size};
  const RetryConfig config = any_config(input);
  const Case given{config, input.flag() ? input.byte() : input.integer<std::uint32_t>()};
  const std::string refusal = validate(config);
  given.expect(refusal.empty() == is_good(config), "validate says '" + refusal + "'");
  if (!refusal.empty()) return 0;

  check_growth(given);
  switch (input.below(4)) {
    case 0: check_jitter<Source<std::uint64_t, 0, ~std::uint64_t{0}>>(given, input); break;
    case 1: check_jitter<Source<std::uint32_t, 0, ~std::uint32_t{0}>>(given, input); break;
    case 2: check_jitter<Source<std::uint32_t, 1, 2'147'483'646>>(given, input); break;
    default: check_jitter<Source<std::uint8_t, 1, 6>>(given, input);
  }
  return 0;
}
