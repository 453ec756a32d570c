// fusebox/detail/registry/named_configs.hpp: NamedConfigs, configs of policies by name or prefix (B19).
#pragma once
// IWYU pragma: private

#include <cstddef>
#include <map>
#include <string>
#include <string_view>

#include <fusebox/detail/throw.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// Not thread-safe.
template <class Config>
class NamedConfigs {
 public:
  /// `registry` is the type that errors name.
  explicit NamedConfigs(const char* registry) noexcept : registry_{registry} {}

  /// For a name, or for a prefix that one `*` follows. Replaces the config of an equal pattern. A pattern
  /// that is refused changes nothing.
  void set(std::string_view pattern, const Config& config) {
    const std::size_t star = pattern.find('*');
    if (pattern.empty() || star < pattern.size() - 1) {
      throw_invalid(std::string{registry_} +
                    ".configure pattern must be a name, or a prefix and one * at its end, got \"" +
                    std::string{pattern} + "\"");
    }
    const bool is_name = star == std::string_view::npos;
    (is_name ? by_name_ : by_prefix_).insert_or_assign(std::string{pattern.substr(0, star)}, config);
  }

  /// That of the name, else that of its longest prefix, else null.
  [[nodiscard]] const Config* find(std::string_view name) const {
    if (const auto found = by_name_.find(name); found != by_name_.end()) return &found->second;
    for (;;) {
      // The prefixes of a name stand before it in the order, the longest of them last.
      auto next = by_prefix_.upper_bound(name);
      if (next == by_prefix_.begin()) return nullptr;
      const std::string& before = (--next)->first;
      // In range: it stands before the name, so it is a prefix or differs from it where both go on.
      std::size_t alike = 0;
      while (alike < before.size() && before[alike] == name[alike]) ++alike;
      if (alike == before.size()) return &next->second;
      name = name.substr(0, alike);  // no longer prefix of it is there
    }
  }

 private:
  // Not std::less<>: <functional> is too large for a policy's header.
  struct ByText {
    using is_transparent = void;
    [[nodiscard]] bool operator()(std::string_view a, std::string_view b) const noexcept { return a < b; }
  };
  using Configs = std::map<std::string, Config, ByText>;
  const char* registry_;
  Configs by_name_;
  Configs by_prefix_;
};

}  // namespace detail

FUSEBOX_END_NAMESPACE
