// storm/pool.hpp: Pool, objects by number, in memory that is used again; List, numbers in a row.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace storm {

inline constexpr std::uint32_t nobody = 0xffffffffU;

/// Objects with numbers, which stay where they are made. A T is made by what its constructor takes. A pool
/// with `most` objects, by default as many as 4 GiB hold, throws std::length_error: a scenario may ask for
/// more than any memory holds.
template <class T>
class Pool {
 public:
  explicit Pool(std::uint64_t most = (std::uint64_t{4} << 30U) / sizeof(T)) : most_{most} {}
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;
  ~Pool() {
    for (std::uint32_t i = 0; i < used_.size(); ++i) {
      if (used_[i]) std::destroy_at(&(*this)[i]);
    }
  }

  template <class... Args>
  [[nodiscard]] std::uint32_t make(Args&&... args) {
    if (free_.empty()) {
      if (used_.size() + chunk > most_)
        throw std::length_error{"more than " + std::to_string(used_.size()) +
                                " calls or attempts are under way at once, too many to simulate"};
      chunks_.emplace_back(new Room[chunk]);
      const auto first = static_cast<std::uint32_t>(used_.size());
      used_.resize(first + chunk, false);
      free_.reserve(used_.size());
      for (std::uint32_t i = chunk; i-- > 0;) free_.push_back(first + i);
    }
    const std::uint32_t i = free_.back();
    ::new (static_cast<void*>(&room(i))) T(std::forward<Args>(args)...);
    free_.pop_back();
    used_[i] = true;
    return i;
  }
  void destroy(std::uint32_t i) noexcept {
    std::destroy_at(&(*this)[i]);
    used_[i] = false;
    free_.push_back(i);
  }
  [[nodiscard]] T& operator[](std::uint32_t i) noexcept { return room(i).object; }

  /// Destroys all of them, the latest numbers first.
  void clear() noexcept {
    for (std::uint32_t i = static_cast<std::uint32_t>(used_.size()); i-- > 0;) {
      if (used_[i]) destroy(i);
    }
  }

 private:
  static constexpr std::uint32_t chunk = 64;
  union Room {
    Room() noexcept {}  // NOLINT(*-use-equals-default)
    ~Room() {}          // NOLINT(*-use-equals-default)
    T object;
  };
  [[nodiscard]] Room& room(std::uint32_t i) noexcept { return chunks_[i / chunk][i % chunk]; }

  std::uint64_t most_;
  std::vector<std::unique_ptr<Room[]>> chunks_;
  std::vector<bool> used_;
  std::vector<std::uint32_t> free_;
};

/// Where an object of a Pool stands in a List.
struct Link {
  std::uint32_t previous = nobody;
  std::uint32_t next = nobody;
};

/// A row of objects of a Pool that have a Link, the first one first.
struct List {
  std::uint32_t first = nobody;
  std::uint32_t last = nobody;
  int size = 0;

  [[nodiscard]] bool empty() const noexcept { return first == nobody; }
  template <class T>
  void add(Pool<T>& pool, std::uint32_t i) noexcept {
    pool[i].link = {last, nobody};
    (last == nobody ? first : pool[last].link.next) = i;
    last = i;
    ++size;
  }
  template <class T>
  void remove(Pool<T>& pool, std::uint32_t i) noexcept {
    const Link link = std::exchange(pool[i].link, Link{});
    (link.previous == nobody ? first : pool[link.previous].link.next) = link.next;
    (link.next == nobody ? last : pool[link.next].link.previous) = link.previous;
    --size;
  }
};

}  // namespace storm
