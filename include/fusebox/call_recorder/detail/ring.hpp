// fusebox/call_recorder/detail/ring.hpp: CallRing, the newest calls of a recorder; and how a time is written.
#pragma once
// IWYU pragma: private, include <fusebox/call_recorder.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <fusebox/detail/ticks.hpp>
#include <fusebox/failure.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// A RecordedCall without what takes memory of its own.
struct CallRecord {
  Tick time;
  Tick latency;  // below 0: unknown
  std::uint32_t name;
  std::int16_t status;  // 0: none
  Outcome outcome;
  bool is_network_error;
};
static_assert(sizeof(CallRecord) <= 32);

/// The last `capacity` records. Allocates when it is made, never later.
class CallRing {
 public:
  explicit CallRing(std::size_t capacity) : records_(capacity) {}

  void push(const CallRecord& record) noexcept {
    records_[static_cast<std::size_t>(pushed_ % records_.size())] = record;
    ++pushed_;
  }
  [[nodiscard]] std::uint64_t pushed() const noexcept { return pushed_; }
  [[nodiscard]] std::uint64_t dropped() const noexcept { return pushed_ - std::min(pushed_, capacity()); }
  void clear() noexcept { pushed_ = 0; }

  /// A copy of what it keeps, in the order in which the calls ended.
  [[nodiscard]] std::vector<CallRecord> by_end() const {
    std::vector<CallRecord> found;
    found.reserve(static_cast<std::size_t>(pushed_ - dropped()));
    for (std::uint64_t i = dropped(); i < pushed_; ++i)
      found.push_back(records_[static_cast<std::size_t>(i % records_.size())]);
    return found;
  }

 private:
  [[nodiscard]] std::uint64_t capacity() const noexcept { return records_.size(); }

  std::vector<CallRecord> records_;
  std::uint64_t pushed_ = 0;
};

/// The call that began first in front; calls of one time stay in the order in which they ended.
inline void sort_by_time(std::vector<CallRecord>& calls) {
  std::stable_sort(calls.begin(), calls.end(),
                   [](const CallRecord& a, const CallRecord& b) { return a.time < b.time; });
}

/// `time` in units of `unit` ns, cut to `digits` decimals: -1.250000.
inline void append_time(std::string& out, Tick time, Tick unit, int digits) {
  if (time < 0) out.push_back('-');
  // Negated as an unsigned number: the least Tick has no positive counterpart.
  const auto size = time < 0 ? 0 - static_cast<std::uint64_t>(time) : static_cast<std::uint64_t>(time);
  const auto whole = static_cast<std::uint64_t>(unit);
  out.append(std::to_string(size / whole)).push_back('.');
  std::uint64_t rest = size % whole;
  for (int i = 0; i < digits; ++i) {
    rest *= 10;
    out.push_back(static_cast<char>('0' + rest / whole));
    rest %= whole;
  }
}

/// One row of the file (O3).
inline void append_csv_row(std::string& out, const CallRecord& record) {
  append_time(out, record.time, 1'000'000'000, 6);
  out.push_back(',');
  if (record.latency >= 0) append_time(out, record.latency, 1'000'000, 3);
  out.push_back(',');
  switch (record.outcome) {
    case Outcome::success: out.append("success"); break;
    case Outcome::failure: out.append("failure"); break;
    case Outcome::ignored: out.append("ignored"); break;
  }
  out.push_back(',');
  if (record.status != 0) {
    out.append(std::to_string(record.status));
  } else if (record.is_network_error) {
    out.append("network");
  }
  out.push_back('\n');
}

}  // namespace detail

FUSEBOX_END_NAMESPACE
