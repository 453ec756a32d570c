// fusebox/registry/detail/name_table.hpp: breakers by name, and in the order of their use.
//
// Readers share nothing that they write: each locks the mutex of the processor that it runs on, and who
// changes the table locks them all. A use is a number taken from one counter; the order of use is put right
// only when somebody asks for it. Only one thread at a time may change the table: the registry sees to that.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <set>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <fusebox/detail/cpu_index.hpp>
#include <fusebox/detail/sync.hpp>
#include <fusebox/detail/throw.hpp>
#include <fusebox/registry/detail/name_order.hpp>

namespace fusebox::inline FUSEBOX_DETAIL_ABI::detail {

/// A lock that many may hold to read, each on the cache line of its processor.
template <class Sync>
class ReaderLocks {
 public:
  using Mutex = typename Sync::Mutex;

  [[nodiscard]] Mutex& here() noexcept { return slots_[cpu_index() % slot_count].mutex; }
  /// For who reads long: so that none of the others waits for it.
  [[nodiscard]] Mutex& of_long_readers() noexcept { return slots_[slot_count].mutex; }

  /// Long readers first: while they are waited for, the others go on.
  void lock() {
    for (std::size_t slot = slots_.size(); slot-- > 0;) slots_[slot].mutex.lock();
  }
  void unlock() noexcept {
    for (Slot& slot : slots_) slot.mutex.unlock();
  }

 private:
  static constexpr std::size_t slot_count = 16;
  struct alignas(64) Slot {
    Mutex mutex;
  };
  std::array<Slot, slot_count + 1> slots_;
};

template <class Breaker, class Sync = StdSync>
class NameTable {
 public:
  using Handle = std::shared_ptr<Breaker>;

 private:
  struct Entry {
    Handle breaker;
    typename Sync::template Atomic<std::uint64_t> used;
    std::uint64_t ranked;  // by which order_ is ordered: no use but the latest is known there
    Entry(Handle b, std::uint64_t use) noexcept : breaker{std::move(b)}, used{use}, ranked{use} {}
  };
  using Entries = std::unordered_map<std::string_view, Entry>;  // the names are the breakers' own
  using Node = typename Entries::value_type;
  struct ByRank {
    [[nodiscard]] bool operator()(const Node* a, const Node* b) const noexcept {
      return a->second.ranked < b->second.ranked;
    }
  };

 public:
  /// What clear() took out: to be destroyed when no lock is held.
  using Removed = Entries;

  /// The breaker of that name, or null. Counts as a use.
  [[nodiscard]] Handle use(std::string_view name) {
    const std::lock_guard lock{locks_.here()};
    const auto found = entries_.find(name);
    if (found == entries_.end()) return nullptr;
    Entry& entry = found->second;
    // The latest use of all need not be written again.
    std::uint64_t used = entry.used.load(std::memory_order_relaxed);
    if (used != uses_.load(std::memory_order_relaxed)) {
      const std::uint64_t use = next_use();
      while (used < use && !entry.used.compare_exchange_weak(used, use, std::memory_order_relaxed)) {
      }
    }
    return entry.breaker;
  }

  /// The same, but no use.
  [[nodiscard]] Handle find(std::string_view name) const {
    const std::lock_guard lock{locks_.here()};
    const auto found = entries_.find(name);
    return found == entries_.end() ? nullptr : found->second.breaker;
  }

  /// Calls f(breaker) for each, under a lock that keeps the table as it is.
  template <class F>
  void for_each(F f) const {
    const std::lock_guard lock{locks_.of_long_readers()};
    for (const auto& [name, entry] : entries_) f(entry.breaker);
  }

  /// Calls f(name, breaker) for each in the order of names, under the same lock.
  template <class F>
  void for_each_in_order(F f) const {
    const std::lock_guard lock{locks_.of_long_readers()};
    std::vector<const Node*> nodes;
    nodes.reserve(entries_.size());
    for (const Node& node : entries_) nodes.push_back(&node);
    detail::for_each_in_order(
        nodes.size(), [&](std::size_t i) { return nodes[i]->first; },
        [&](std::size_t i) { f(nodes[i]->first, nodes[i]->second.breaker); });
  }

  [[nodiscard]] std::size_t size() const {
    const std::lock_guard lock{locks_.here()};
    return entries_.size();
  }

  // By one thread at a time, beside any number of those above.

  /// Puts a breaker in, whose name the table does not have and which the caller holds.
  void insert(Handle breaker) {
    const std::lock_guard lock{locks_};
    put_in(std::move(breaker));
  }

  /// The same, and the least recently used breaker that nobody holds makes room: of the best kind that there
  /// is, where kind(breaker) gives 0 for what goes first, 1 for what goes where there is none of those, and 2
  /// for what stays. Gives what was taken out; null where none may go, and nothing was put in then. Where
  /// there is no memory nothing changes.
  template <class Kind>
  [[nodiscard]] Handle replace(Handle breaker, Kind kind) {
    // Puts the order right while readers go on: the look under the lock is short then.
    static_cast<void>(oldest(kind));
    const std::lock_guard lock{locks_};
    const auto place = put_in(std::move(breaker));
    Node* const leaving = oldest(kind);  // not the new one, which is held
    if (leaving != nullptr) return take_out(entries_.find(leaving->first));
    take_out(place);
    return nullptr;
  }

  /// Takes all out.
  [[nodiscard]] Removed clear() noexcept {
    Removed removed;
    const std::lock_guard lock{locks_};
    order_.clear();
    removed.swap(entries_);
    return removed;
  }

  /// Takes a breaker out; null where there is none of that name.
  [[nodiscard]] Handle take(std::string_view name) noexcept {
    const std::lock_guard lock{locks_};
    const auto found = entries_.find(name);
    return found == entries_.end() ? nullptr : take_out(found);
  }

 private:
  [[nodiscard]] std::uint64_t next_use() noexcept {
    return uses_.fetch_add(1, std::memory_order_relaxed) + 1;
  }

  typename Entries::iterator put_in(Handle breaker) {
    const std::string_view name = breaker->name();
    const auto place = entries_.try_emplace(name, std::move(breaker), next_use()).first;
    FUSEBOX_DETAIL_TRY { order_.insert(&*place); }
    FUSEBOX_DETAIL_CATCH_ALL {
      entries_.erase(place);
      FUSEBOX_DETAIL_RETHROW;
    }
    return place;
  }

  Handle take_out(typename Entries::iterator place) noexcept {
    Handle breaker = std::move(place->second.breaker);
    order_.erase(&*place);
    entries_.erase(place);
    return breaker;
  }

  /// The first in the order of use that nobody holds and that is of the best kind; puts the order right on
  /// the way. Only under the lock is the answer more than a hint.
  template <class Kind>
  [[nodiscard]] Node* oldest(Kind kind) noexcept {
    Node* second_best = nullptr;
    for (auto rank = order_.begin(); rank != order_.end();) {
      Node& node = **rank;
      Entry& entry = node.second;
      if (const std::uint64_t used = entry.used.load(std::memory_order_relaxed); used != entry.ranked) {
        auto moved = order_.extract(rank++);
        entry.ranked = used;
        const auto placed = order_.insert(std::move(moved)).position;
        // Its place may be before what comes next, which was moved on itself.
        if (rank == order_.end() || ByRank{}(*placed, *rank)) rank = placed;
        continue;
      }
      ++rank;
      // Handles are only given out under a lock: one owner means that nobody else has it.
      if (entry.breaker.use_count() != 1) continue;
      const int found = kind(*entry.breaker);
      if (found == 0) return &node;
      if (found == 1 && second_best == nullptr) second_best = &node;
    }
    return second_best;
  }

  mutable ReaderLocks<Sync> locks_;
  Entries entries_;
  std::set<Node*, ByRank> order_;
  alignas(64) typename Sync::template Atomic<std::uint64_t> uses_{0};
};

}  // namespace fusebox::inline FUSEBOX_DETAIL_ABI::detail
