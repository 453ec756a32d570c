#include <fusebox/detail/registry/name_table.hpp>

#include <atomic>
#include <iterator>
#include <list>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "support/threads.hpp"

using namespace fusebox;

namespace {

struct Thing {
  explicit Thing(std::string n, int k = 0) : text{std::move(n)}, kind{k} {}
  [[nodiscard]] const std::string& name() const { return text; }
  std::string text;
  int kind;
};
using Table = detail::NameTable<Thing>;

/// No test here lets processors compete for long: the time stands still.
constexpr auto noon = [] { return detail::Tick{0}; };
Table::Handle use(Table& table, std::string_view name) { return table.find_and_touch(name, noon); }

void insert(Table& table, const std::string& name, int kind = 0) {
  table.insert(std::make_shared<Thing>(name, kind));
}

/// Evicts a breaker for a new one, which is extracted again. Gives the name of the evicted one.
std::string evict(Table& table) {
  const auto newcomer = std::make_shared<Thing>("newcomer", 2);
  const auto thing = table.replace(newcomer, [](const Thing& one) { return one.kind; });
  if (!thing) return "none";
  CHECK(table.extract("newcomer") == newcomer);
  return thing->name();
}

}  // namespace

TEST_CASE("G5 a breaker is found by its name until it is extracted", "[G5]") {
  Table table;
  CHECK(use(table, "a") == nullptr);
  insert(table, "a");
  insert(table, "");
  CHECK(table.size() == 2);
  CHECK(use(table, "a")->name() == "a");
  CHECK(table.find("")->name().empty());
  CHECK(table.find("A") == nullptr);
  CHECK(table.extract("a")->name() == "a");
  CHECK(table.extract("a") == nullptr);
  CHECK(table.find("a") == nullptr);
  CHECK(table.size() == 1);
}

TEST_CASE("G3 the least recently used is evicted first, also if all are used many times", "[G3]") {
  Table table;
  for (const char* name : {"a", "b", "c", "d"}) insert(table, name);
  for (const char* name : {"d", "a", "a", "c", "a", "b", "b", "d", "c"}) static_cast<void>(use(table, name));
  static_cast<void>(table.find("a"));  // no use
  CHECK(evict(table) == "a");
  CHECK(evict(table) == "b");
  static_cast<void>(use(table, "d"));
  CHECK(evict(table) == "c");
  insert(table, "e");
  CHECK(evict(table) == "d");
  CHECK(evict(table) == "e");
  CHECK(evict(table) == "none");
}

TEST_CASE("G3 a breaker that was used again after another is not mistaken for an older one", "[G3]") {
  Table table;
  for (const char* name : {"a", "b"}) insert(table, name);
  for (const char* name : {"a", "b", "a"}) static_cast<void>(use(table, name));
  CHECK(evict(table) == "b");
}

TEST_CASE("G3 whatever the uses, the evicted one is what a plain list says", "[G3]") {
  Table table;
  std::list<std::string> by_use;
  std::minstd_rand random{7};
  int next = 0;
  for (int step = 0; step < 20'000; ++step) {
    if (by_use.size() < 8) {
      by_use.push_back(std::to_string(next++));
      insert(table, by_use.back());
    } else if (random() % 10 == 0) {
      REQUIRE(evict(table) == by_use.front());
      by_use.pop_front();
    } else {
      const auto used = std::next(by_use.begin(), static_cast<std::ptrdiff_t>(random() % by_use.size()));
      static_cast<void>(use(table, *used));
      by_use.splice(by_use.end(), by_use, used);
    }
  }
}

TEST_CASE("G3 after an insertion uses are in their order, also if threads competed before", "[G3]") {
  Table table;
  for (const char* name : {"a", "b", "c"}) insert(table, name);
  support::run_together(2, [&](int thread) {
    for (int i = 0; i < 20'000; ++i)
      static_cast<void>(use(table, thread == 0 ? "a" : i % 2 == 0 ? "b" : "c"));
  });
  for (int round = 0; round < 3; ++round) {
    insert(table, "new");
    for (const char* name : {"c", "a", "b"}) static_cast<void>(use(table, name));
    CHECK(evict(table) == "new");
  }
  CHECK(evict(table) == "c");
  CHECK(evict(table) == "a");
}

TEST_CASE("G3 if none may be evicted, nothing is inserted", "[G3]") {
  Table table;
  insert(table, "stays", 2);
  const auto newcomer = std::make_shared<Thing>("newcomer");
  CHECK(table.replace(newcomer, [](const Thing& one) { return one.kind; }) == nullptr);
  CHECK(table.find("newcomer") == nullptr);
  CHECK(table.size() == 1);
}

TEST_CASE("G3 a held breaker keeps its place in the order", "[G3]") {
  Table table;
  for (const char* name : {"a", "b", "c"}) insert(table, name);
  auto held = table.find("a");
  CHECK(evict(table) == "b");
  held.reset();
  CHECK(evict(table) == "a");
}

TEST_CASE("G3 kinds are evicted in their order, and one kind never", "[G3]") {
  Table table;
  insert(table, "stays", 2);
  insert(table, "late 1", 1);
  insert(table, "late 2", 1);
  insert(table, "early", 0);
  CHECK(evict(table) == "early");
  static_cast<void>(use(table, "late 1"));
  CHECK(evict(table) == "late 2");
  CHECK(evict(table) == "late 1");
  CHECK(evict(table) == "none");
  CHECK(table.size() == 1);
}

TEST_CASE("G3 names may be extracted and inserted again in any order", "[G3]") {
  Table table;
  for (int round = 0; round < 3; ++round) {
    for (const char* name : {"a", "b", "c"}) insert(table, name);
    static_cast<void>(use(table, "a"));
    CHECK(table.extract("b") != nullptr);
    CHECK(evict(table) == "c");
    CHECK(table.clear().size() == 1);
    CHECK(table.size() == 0);
    CHECK(evict(table) == "none");
  }
}

TEST_CASE("G5 names are visited in order", "[G5]") {
  Table table;
  for (const char* name : {"c", "a", "b"}) insert(table, name);
  std::string seen;
  table.for_each_in_order([&](std::string_view name, const Table::Handle& thing) {
    CHECK(name == thing->name());
    seen += name;
  });
  CHECK(seen == "abc");
}

TEST_CASE("G5 readers of all names and one writer leave the table whole", "[G5]") {
  constexpr int names = 20;
  Table table;
  std::atomic<int> wrong{0};
  for (int i = 0; i < names; ++i) insert(table, std::to_string(i));
  support::run_together(5, [&](int thread) {
    for (int i = 0; i < 2000; ++i) {
      const std::string name = std::to_string(i % names);
      if (thread == 0) {
        const auto newcomer = std::make_shared<Thing>("newcomer");
        const auto gone = table.replace(newcomer, [](const Thing&) { return 0; });
        if (!gone) continue;
        if (table.extract("newcomer") != newcomer) ++wrong;
        table.insert(gone);
      } else if (const auto found = use(table, name); found && found->name() != name) {
        ++wrong;
      }
    }
  });
  CHECK(wrong == 0);
  CHECK(table.size() == names);
}
