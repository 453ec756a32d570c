// support/arguments.hpp: parses a command line: prints --help, and refuses unknown arguments.
#pragma once

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace support {

/// The whole text as a number; nothing if it is not a number in [least, most].
inline std::optional<long> parse_number(std::string_view text, long least, long most) {
  long number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc{} || stop != end || number < least || number > most) return std::nullopt;
  return number;
}

/// "500ms", "10s", "5m": above 0, at most a day.
inline std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
  using std::chrono::milliseconds;
  constexpr milliseconds longest = std::chrono::hours{24};
  constexpr std::pair<std::string_view, milliseconds> units[] = {
      {"ms", milliseconds{1}}, {"s", std::chrono::seconds{1}}, {"m", std::chrono::minutes{1}}};
  for (const auto& [suffix, unit] : units) {
    if (!text.ends_with(suffix)) continue;
    const auto number = parse_number(text.substr(0, text.size() - suffix.size()), 1, longest / unit);
    if (number) return *number * unit;
  }
  return std::nullopt;
}

class Arguments {
 public:
  explicit Arguments(std::string summary) : summary_{std::move(summary)} {}

  Arguments& flag(std::string name, std::string help, bool& target) {
    options_.push_back({std::move(name), {}, std::move(help), [&target](std::string_view) {
                          target = true;
                          return true;
                        }});
    return *this;
  }

  /// An option with a value: --help shows `form` for it, and `accept` says whether it is valid.
  Arguments& value(std::string name, std::string form, std::string help,
                   std::function<bool(std::string_view)> accept) {
    options_.push_back({std::move(name), std::move(form), std::move(help), std::move(accept)});
    return *this;
  }

  /// The same, without which the program does not run.
  Arguments& required(std::string name, std::string form, std::string help,
                      std::function<bool(std::string_view)> accept) {
    value(std::move(name), std::move(form), std::move(help), std::move(accept));
    options_.back().is_required = true;
    return *this;
  }

  /// For any text that is not empty.
  Arguments& required(std::string name, std::string form, std::string help, std::string& target) {
    return required(std::move(name), std::move(form), std::move(help),
                    [&target](std::string_view text) { return !(target = text).empty(); });
  }

  /// Ends the program after --help (status 0), and at the first argument that is invalid or missing
  /// (status 2).
  void parse(int argc, char** argv) const {
    const std::string_view path = argc > 0 ? argv[0] : "example";
    const std::string program{path.substr(path.rfind('/') + 1)};
    const auto refuse = [&program](const std::string& what) {
      std::fputs((program + ": " + what + "; try --help\n").c_str(), stderr);
      std::exit(2);
    };
    std::vector<const Option*> given;
    for (int i = 1; i < argc; ++i) {
      const std::string_view argument = argv[i];
      if (argument == "--help") {
        print_help(program);
        std::exit(0);
      }
      const Option* option = find(argument);
      if (option == nullptr) {
        refuse(fmt::format("unknown argument '{}'", argument));
      } else if (option->form.empty()) {
        option->accept({});
      } else if (++i == argc) {
        refuse(fmt::format("{} needs a value: {}", argument, option->form));
      } else if (!option->accept(argv[i])) {
        refuse(fmt::format("{} must be {}, got '{}'", argument, option->form, argv[i]));
      }
      given.push_back(option);
    }
    for (const Option& option : options_) {
      if (option.is_required && std::find(given.begin(), given.end(), &option) == given.end()) {
        refuse(fmt::format("{} is missing: {}", option.name, option.form));
      }
    }
  }

 private:
  struct Option {
    std::string name;
    std::string form;  // empty if it takes no value
    std::string help;
    std::function<bool(std::string_view)> accept;
    bool is_required = false;
  };

  [[nodiscard]] const Option* find(std::string_view name) const {
    for (const Option& option : options_) {
      if (option.name == name) return &option;
    }
    return nullptr;
  }

  void print_help(const std::string& program) const {
    fmt::print("Usage: {} [--help]", program);
    for (const Option& option : options_) {
      fmt::print(" [{}{}]", option.name, option.form.empty() ? "" : " VALUE");
    }
    fmt::print("\n\n{}\n\n  {:<16}shows this and ends\n", summary_, "--help");
    for (const Option& option : options_) {
      fmt::print("  {:<16}{}{}{}\n", option.name, option.help, option.form.empty() ? "" : "; VALUE is ",
                 option.form);
    }
  }

  std::string summary_;
  std::vector<Option> options_;
};

}  // namespace support
