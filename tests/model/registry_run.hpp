// model/registry_run.hpp: does a script to a registry and to the reference, and compares them after each
// command.
#pragma once

#include <fusebox/registry.hpp>
#include <fusebox/test/fake_clock.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "reference_registry.hpp"
#include "registry_script.hpp"

namespace model {

class RegistryRun {
 public:
  explicit RegistryRun(int max_breakers)
      : registry_{{.max_breakers = max_breakers, .default_config = config(ReferenceRegistry::default_config)},
                  clock_},
        reference_{max_breakers} {}

  /// Empty, or how the registry first differed from the reference.
  std::string run(const RegistryCommands& commands) {
    for (const RegistryCommand& command : commands) {
      do_one(command);
      compare();
      if (!problem_.empty()) return problem_ + ", after " + to_code(command);
    }
    return {};
  }

  [[nodiscard]] const ReferenceRegistry& reference() const { return reference_; }

 private:
  using Registry = fusebox::CircuitBreakerRegistry<fusebox::test::FakeClock>;
  using Kind = RegistryCommand::Kind;

  /// A handle of each, to the same breaker.
  struct Held {
    Registry::Handle real;
    ReferenceRegistry::Entry reference;
  };
  struct Made {
    std::weak_ptr<Registry::Breaker> real;
    std::weak_ptr<ReferenceEntry> reference;
  };

  static fusebox::CircuitBreakerConfig config(int number) { return {.failure_threshold = number + 1}; }
  static std::string name(const RegistryCommand& command) {
    return std::string(1, static_cast<char>('a' + command.name));
  }

  void do_one(const RegistryCommand& command) {
    const std::string name = RegistryRun::name(command);
    switch (command.kind) {
      case Kind::get: return keep(command, {registry_.get(name), reference_.get(name, -1)});
      case Kind::get_with:
        return keep(command,
                    {registry_.get(name, config(command.config)), reference_.get(name, command.config)});
      case Kind::get_refused: return get_refused(name);
      case Kind::find: {
        const Held found{registry_.find(name), reference_.find(name)};
        expect("what find gives", found.real != nullptr, found.reference != nullptr);
        if (found.real && found.reference) keep(command, found);
        return;
      }
      case Kind::let_go:
        if (!held_.empty())
          held_.erase(held_.begin() + static_cast<std::ptrdiff_t>(command.which % held_.size()));
        return;
      case Kind::reset: {
        const auto entry = reference_.find(name);
        if (entry) reference_.reset(*entry);
        return expect("what reset gives", registry_.reset(name), entry != nullptr);
      }
      case Kind::reset_all:
        registry_.reset_all();
        for (const auto& entry : reference_.entries()) reference_.reset(*entry);
        sort_events_ = true;  // of several breakers, in no order
        return;
      case Kind::remove: return expect("what remove gives", registry_.remove(name), reference_.remove(name));
      case Kind::clear: registry_.clear(); return reference_.clear();
      case Kind::subscribe:
        heard_.clear();
        since_ = reference_.events().size();
        subscription_ = registry_.on_state_change([this](const fusebox::StateChange& change) {
          heard_.push_back({change.name, change.from, change.to});
        });
        is_subscribed_ = true;
        return;
      case Kind::unsubscribe:
        subscription_.unsubscribe();
        is_subscribed_ = false;
        return;
      default:
        if (!held_.empty()) do_to(held_[command.which % held_.size()], command.kind);
    }
  }

  /// To a breaker that is held, registered or not.
  void do_to(const Held& held, Kind kind) {
    ReferenceEntry& entry = *held.reference;
    switch (kind) {
      case Kind::trip:
        if (entry.state != fusebox::State::closed) return;
        for (int i = 0; i <= entry.config; ++i) held.real->try_acquire().failure();
        entry.failures += entry.config + 1;
        ++entry.openings;
        return reference_.move(entry, fusebox::State::open);
      case Kind::probe:
        clock_.advance(held.real->config().reset_timeout);
        static_cast<void>(held.real->try_acquire());
        if (entry.state == fusebox::State::open) reference_.move(entry, fusebox::State::half_open);
        return;
      case Kind::force_open:
        held.real->force_open();
        return reference_.move(entry, fusebox::State::forced_open);
      case Kind::disable: held.real->disable(); return reference_.move(entry, fusebox::State::disabled);
      case Kind::reset_held: held.real->reset(); return reference_.reset(entry);
      default: return;
    }
  }

  void get_refused(const std::string& name) {
    std::string said;
    try {
      static_cast<void>(registry_.get(name, {.success_threshold = 0}));
    } catch (const std::invalid_argument& error) {
      said = error.what();
    }
    expect("the refusal names the field", said.find("success_threshold") != std::string::npos, true);
  }

  /// Both gave a breaker: is it the same as ever, and does it stay?
  void keep(const RegistryCommand& command, Held got) {
    bool known = false;
    for (const Made& made : made_) {
      const bool same_real = made.real.lock() == got.real;
      const bool same_reference = made.reference.lock() == got.reference;
      expect("it is the same breaker as before", same_real, same_reference);
      known = known || same_real;
    }
    std::erase_if(made_, [](const Made& made) { return made.real.expired(); });
    if (!known) made_.push_back({got.real, got.reference});
    expect("the number of its config", got.real->config().failure_threshold - 1, got.reference->config);
    if (command.keeps) held_.push_back(std::move(got));
  }

  void compare() {
    const auto stats = registry_.stats();
    expect("size()", registry_.size(), reference_.entries().size());
    expect("config_conflicts()", registry_.config_conflicts(), reference_.conflicts());
    expect("unregistered()", registry_.unregistered(), reference_.unregistered());
    expect("stats()", stats.size(), reference_.entries().size());
    for (const auto& entry : reference_.entries()) {
      const auto found = stats.find(entry->name);
      if (found == stats.end()) return fail("stats() has not " + entry->name);
      compare(entry->name, found->second, *entry);
    }
    for (const Held& held : held_)
      compare("held " + held.reference->name, held.real->stats(), *held.reference);
    if (is_subscribed_) compare_events();
  }

  void compare(const std::string& what, const fusebox::CircuitBreakerStats& stats,
               const ReferenceEntry& entry) {
    if (stats.state != entry.state) {
      fail(what + " is " + std::string{to_string(stats.state)} + ", by the rules " +
           std::string{to_string(entry.state)});
    }
    expect("failures", stats.failure_count, static_cast<std::uint64_t>(entry.failures));
    expect("openings", stats.opened_count, static_cast<std::uint64_t>(entry.openings));
  }

  void compare_events() {
    const auto& all = reference_.events();
    std::vector<RegistryEvent> expected(all.begin() + static_cast<std::ptrdiff_t>(since_), all.end());
    std::vector<RegistryEvent> heard = heard_;
    if (std::exchange(sort_events_, false)) {
      const auto by_name = [](const RegistryEvent& a, const RegistryEvent& b) { return a.name < b.name; };
      std::stable_sort(expected.begin(), expected.end(), by_name);
      std::stable_sort(heard.begin(), heard.end(), by_name);
    }
    expect("events", heard.size(), expected.size());
    if (heard != expected) fail("the events differ");
    // Each was compared once.
    since_ = all.size();
    heard_.clear();
  }

  template <class A, class B>
  void expect(const char* what, A got, B expected) {
    if (got != expected)
      fail(std::string{what} + ": " + std::to_string(got) + ", by the rules " + std::to_string(expected));
  }
  void fail(std::string problem) {
    if (problem_.empty()) problem_ = std::move(problem);
  }

  fusebox::test::FakeClock clock_;
  Registry registry_;
  ReferenceRegistry reference_;
  std::vector<Held> held_;
  std::vector<Made> made_;
  std::vector<RegistryEvent> heard_;
  std::size_t since_ = 0;
  bool is_subscribed_ = false;
  bool sort_events_ = false;
  fusebox::Subscription subscription_;
  std::string problem_;
};

}  // namespace model
