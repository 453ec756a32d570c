// model/reference_registry.hpp: which breakers a registry has, written from rules G1 to G3 and nothing else:
// a list in the order of use, looked through from the front whenever somebody must leave.
#pragma once

#include <fusebox/circuit_breaker.hpp>

#include <algorithm>
#include <cstddef>
#include <list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace model {

/// One breaker, registered or not; who holds it holds a shared_ptr to this.
struct ReferenceEntry {
  std::string name;
  int config;  // by number
  bool registered = true;
  fusebox::State state = fusebox::State::closed;
  int failures = 0;
  int openings = 0;
};

struct RegistryEvent {
  std::string name;
  fusebox::State from;
  fusebox::State to;
  friend bool operator==(const RegistryEvent&, const RegistryEvent&) = default;
};

class ReferenceRegistry {
 public:
  using Entry = std::shared_ptr<ReferenceEntry>;
  static constexpr int default_config = 0;

  explicit ReferenceRegistry(int max_breakers) : max_{static_cast<std::size_t>(max_breakers)} {}

  /// `config` is a number, or -1 where none is given.
  Entry get(const std::string& name, int config) {
    if (const auto found = place(name); found != entries_.end()) {
      const Entry entry = *found;
      entries_.splice(entries_.end(), entries_, found);  // the latest use
      if (config >= 0 && config != entry->config) ++conflicts_;
      return entry;
    }
    auto made = std::make_shared<ReferenceEntry>(ReferenceEntry{name, config < 0 ? default_config : config});
    if (entries_.size() == max_ && !make_room()) {
      made->registered = false;
      ++unregistered_;
    } else {
      entries_.push_back(made);
    }
    return made;
  }

  [[nodiscard]] Entry find(const std::string& name) {
    const auto found = place(name);
    return found == entries_.end() ? nullptr : *found;
  }

  bool remove(const std::string& name) {
    const auto found = place(name);
    if (found == entries_.end()) return false;
    take_out(found);
    return true;
  }
  void clear() {
    while (!entries_.empty()) take_out(entries_.begin());
  }

  /// Any entry, registered or not; only the registered ones' changes are told.
  void move(ReferenceEntry& entry, fusebox::State to) {
    if (entry.registered && entry.state != to) events_.push_back({entry.name, entry.state, to});
    entry.state = to;
  }
  void reset(ReferenceEntry& entry) {
    move(entry, fusebox::State::closed);
    entry.failures = entry.openings = 0;
  }

  [[nodiscard]] const std::list<Entry>& entries() const { return entries_; }
  [[nodiscard]] std::size_t conflicts() const { return conflicts_; }
  [[nodiscard]] std::size_t unregistered() const { return unregistered_; }
  [[nodiscard]] std::size_t evicted() const { return evicted_; }
  [[nodiscard]] const std::vector<RegistryEvent>& events() const { return events_; }

 private:
  using Place = std::list<Entry>::iterator;

  [[nodiscard]] Place place(const std::string& name) {
    return std::find_if(entries_.begin(), entries_.end(),
                        [&](const Entry& entry) { return entry->name == name; });
  }
  void take_out(Place entry) {
    (*entry)->registered = false;
    entries_.erase(entry);
  }

  /// G3: the least recently used of the closed and unheld, then of the unheld, but not of those that somebody
  /// moved by hand.
  bool make_room() {
    const auto leaves = [&](auto may_leave) {
      const auto found = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& entry) {
        return entry.use_count() == 1 && may_leave(entry->state);
      });
      if (found == entries_.end()) return false;
      take_out(found);
      ++evicted_;
      return true;
    };
    using fusebox::State;
    return leaves([](State state) { return state == State::closed; }) ||
           leaves([](State state) { return state == State::open || state == State::half_open; });
  }

  std::size_t max_;
  std::list<Entry> entries_;  // the least recently used first
  std::size_t conflicts_ = 0;
  std::size_t unregistered_ = 0;
  std::size_t evicted_ = 0;
  std::vector<RegistryEvent> events_;
};

}  // namespace model
