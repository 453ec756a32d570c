// fusebox/detail/registry/name_table.hpp: policies by name, and in the order of their last use (G3).
//
// Readers share nothing that they write often: each locks the mutex of the processor that it runs on. A
// writer locks all of them; the registry lets only one writer in at a time. A use has a number (UseCounter);
// the order of use is brought up to date only when an eviction needs it.
#pragma once
// IWYU pragma: private

#include <array>
#include <atomic>
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
#include <fusebox/detail/registry/name_order.hpp>
#include <fusebox/detail/registry/use_counter.hpp>
#include <fusebox/detail/sync.hpp>
#include <fusebox/detail/throw.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// A lock that many readers hold at once, each on the cache line of its processor.
template <class Sync>
class ReaderLocks {
 public:
  using Mutex = typename Sync::Mutex;
  struct alignas(64) Slot {
    Mutex mutex;
    typename UseCounter<Sync>::Share uses;
  };

  [[nodiscard]] Slot& here() noexcept { return slots_[cpu_index() % slot_count]; }
  /// For readers that hold it long: no other reader waits for them.
  [[nodiscard]] Mutex& of_long_readers() noexcept { return slots_[slot_count].mutex; }

  /// Locks out the long readers first: the others go on meanwhile.
  void lock() {
    for (std::size_t slot = slots_.size(); slot-- > 0;) slots_[slot].mutex.lock();
  }
  void unlock() noexcept {
    for (Slot& slot : slots_) slot.mutex.unlock();
  }
  /// For a writer, under the lock.
  void end_turns() noexcept {
    for (Slot& slot : slots_) UseCounter<Sync>::end_turn(slot.uses);
  }

 private:
  static constexpr std::size_t slot_count = 16;
  std::array<Slot, slot_count + 1> slots_;
};

template <class Policy, class Sync = StdSync>
class NameTable {
 public:
  using Handle = std::shared_ptr<Policy>;

 private:
  struct Entry {
    Handle policy;
    typename Sync::template Atomic<std::uint64_t> used;  // the last use
    std::uint64_t ranked;                                // the use by which order_ has placed it, maybe older
    Entry(Handle b, std::uint64_t use) noexcept : policy{std::move(b)}, used{use}, ranked{use} {}
  };
  using Entries = std::unordered_map<std::string_view, Entry>;  // keys refer to the policies' names
  using Node = typename Entries::value_type;
  struct ByRank {
    /// Policies that were used in one turn of a processor have one rank.
    [[nodiscard]] bool operator()(const Node* a, const Node* b) const noexcept {
      return a->second.ranked != b->second.ranked ? a->second.ranked < b->second.ranked : a->first < b->first;
    }
  };
  using Order = std::set<Node*, ByRank>;

 public:
  /// What clear() removed: destroy it when no lock is held.
  using Removed = Entries;

  /// The policy of that name, or null. Counts as a use; `now` gives the coarse time (UseCounter).
  template <class Now>
  [[nodiscard]] Handle find_and_touch(std::string_view name, Now now) {
    auto& here = locks_.here();
    const std::lock_guard lock{here.mutex};
    const auto found = entries_.find(name);
    if (found == entries_.end()) return nullptr;
    touch(found->second, here.uses, now);
    return found->second.policy;
  }

  /// The same, without counting as a use.
  [[nodiscard]] Handle find(std::string_view name) const {
    const std::lock_guard lock{locks_.here().mutex};
    const auto found = entries_.find(name);
    return found == entries_.end() ? nullptr : found->second.policy;
  }

  /// Calls f(policy) for each, under a lock that keeps the table as it is.
  template <class F>
  void for_each(F f) const {
    const std::lock_guard lock{locks_.of_long_readers()};
    for (const auto& [name, entry] : entries_) f(entry.policy);
  }

  /// Calls f(name, policy) for each in the order of names, under the same lock.
  template <class F>
  void for_each_in_order(F f) const {
    const std::lock_guard lock{locks_.of_long_readers()};
    std::vector<const Node*> nodes;
    nodes.reserve(entries_.size());
    for (const Node& node : entries_) nodes.push_back(&node);
    detail::for_each_in_order(
        nodes.size(), [&](std::size_t i) { return nodes[i]->first; },
        [&](std::size_t i) { f(nodes[i]->first, nodes[i]->second.policy); });
  }

  [[nodiscard]] std::size_t size() const {
    const std::lock_guard lock{locks_.here().mutex};
    return entries_.size();
  }

  // For one writer at a time, beside any number of readers.

  /// Inserts a policy that the caller holds and whose name is new.
  void insert(Handle policy) {
    const std::lock_guard lock{locks_};
    insert_entry(std::move(policy));
  }

  /// The same, and evicts the least recently used policy that nobody holds: the first of kind 0, else the
  /// first of kind 1, never one of kind 2, where kind(policy) is the kind. Returns the evicted policy; null
  /// if none may go, and then inserts nothing. If memory runs out, nothing changes.
  template <class Kind>
  [[nodiscard]] Handle replace(Handle policy, Kind kind) {
    // Brings the order up to date while readers go on, so that the search under the lock is short.
    static_cast<void>(find_evictable(kind));
    const std::lock_guard lock{locks_};
    const auto place = insert_entry(std::move(policy));
    Node* const leaving = find_evictable(kind);  // never the new one, which is held
    if (leaving != nullptr) return remove_entry(entries_.find(leaving->first));
    remove_entry(place);
    return nullptr;
  }

  /// Removes all policies.
  [[nodiscard]] Removed clear() noexcept {
    Removed removed;
    const std::lock_guard lock{locks_};
    order_.clear();
    removed.swap(entries_);
    return removed;
  }

  /// Removes the policy of that name and returns it; null if there is none.
  [[nodiscard]] Handle extract(std::string_view name) noexcept {
    const std::lock_guard lock{locks_};
    const auto found = entries_.find(name);
    return found == entries_.end() ? nullptr : remove_entry(found);
  }

 private:
  /// Records a use. Relaxed: uses order policies for eviction and publish nothing.
  template <class Now>
  void touch(Entry& entry, typename UseCounter<Sync>::Share& share, Now now) noexcept {
    std::uint64_t used = entry.used.load(std::memory_order_relaxed);
    const std::uint64_t use = uses_.next(share, used, now);
    // A thread with a later use may have been faster.
    while (used < use && !entry.used.compare_exchange_weak(used, use, std::memory_order_relaxed)) {
    }
  }

  typename Entries::iterator insert_entry(Handle policy) {
    const std::string_view name = policy->name();
    const auto place = entries_.try_emplace(name, std::move(policy), uses_.next()).first;
    FUSEBOX_DETAIL_TRY { order_.insert(&*place); }
    FUSEBOX_DETAIL_CATCH_ALL {
      entries_.erase(place);
      FUSEBOX_DETAIL_RETHROW;
    }
    locks_.end_turns();
    return place;
  }

  Handle remove_entry(typename Entries::iterator place) noexcept {
    Handle policy = std::move(place->second.policy);
    order_.erase(&*place);
    entries_.erase(place);
    return policy;
  }

  /// Walks the policies in the order of use. Only under the lock is the answer more than a hint.
  template <class Kind>
  [[nodiscard]] Node* find_evictable(Kind kind) noexcept {
    Node* second_choice = nullptr;
    for (auto rank = order_.begin(); rank != order_.end();) {
      if (is_ranked_too_early(**rank)) {
        rank = move_to_its_rank(rank);
        continue;
      }
      Node& node = **rank++;
      const Handle& policy = node.second.policy;
      // Handles are given out under a lock only, so one owner means that nobody else holds it.
      if (policy.use_count() != 1) continue;
      const int found = kind(*policy);
      if (found == 0) return &node;
      if (found == 1 && second_choice == nullptr) second_choice = &node;
    }
    return second_choice;
  }

  /// Was it used since order_ placed it? Relaxed: a use that races is a later one.
  [[nodiscard]] static bool is_ranked_too_early(const Node& node) noexcept {
    return node.second.used.load(std::memory_order_relaxed) != node.second.ranked;
  }

  /// Places the policy by its last use. Returns where to go on: at its new place if that is before the next
  /// one in the old order, which may itself be ranked too early.
  [[nodiscard]] typename Order::iterator move_to_its_rank(typename Order::iterator rank) noexcept {
    auto next = rank;
    auto moving = order_.extract(next++);
    Entry& entry = moving.value()->second;
    entry.ranked = entry.used.load(std::memory_order_relaxed);
    const auto placed = order_.insert(std::move(moving)).position;
    return next == order_.end() || ByRank{}(*placed, *next) ? placed : next;
  }

  mutable ReaderLocks<Sync> locks_;
  Entries entries_;
  Order order_;
  alignas(64) UseCounter<Sync> uses_;
};

}  // namespace detail

FUSEBOX_END_NAMESPACE
