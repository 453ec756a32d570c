// fuzz/prometheus_text.hpp: a strict reader of the text exposition format 0.0.4
// (https://prometheus.io/docs/instrumenting/exposition_formats/).
//
// Families stand together, each with HELP and TYPE before its samples; nothing but what the format asks for
// is taken: no empty lines, no other comments, no spaces beyond the one that separates.
#pragma once

#include <cstdlib>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "input.hpp"

namespace fuzz {

using Labels = std::map<std::string, std::string>;

struct Family {
  std::string type;
  std::string help;
  std::map<Labels, std::string> samples;
};

class PrometheusText {
 public:
  explicit PrometheusText(std::string_view text) : all_{text}, rest_{text} {
    while (!rest_.empty()) {
      const auto end = rest_.find('\n');
      expect(end != std::string_view::npos, "a line without its end");
      line_ = rest_.substr(0, end);
      rest_.remove_prefix(end + 1);
      if (take("# HELP ")) {
        read_help();
      } else if (take("# TYPE ")) {
        read_type();
      } else {
        read_sample();
      }
    }
  }

  [[nodiscard]] const std::map<std::string, Family>& families() const { return families_; }

 private:
  void expect(bool holds, std::string_view what) const { check(holds, what, all_); }

  bool take(std::string_view literal) {
    if (!line_.starts_with(literal)) return false;
    line_.remove_prefix(literal.size());
    return true;
  }

  /// [a-zA-Z_][a-zA-Z0-9_]*, and of a metric colons too.
  std::string name(bool may_have_colons) {
    const auto belongs = [&](char c, bool first) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (may_have_colons && c == ':') ||
             (!first && c >= '0' && c <= '9');
    };
    std::size_t size = 0;
    while (size < line_.size() && belongs(line_[size], size == 0)) ++size;
    expect(size > 0, "no name");
    std::string taken{line_.substr(0, size)};
    line_.remove_prefix(size);
    return taken;
  }

  void read_help() {
    const std::string metric = name(true);
    expect(!families_.contains(metric), "HELP twice, or a family in two places");
    expect(take(" "), "no help");
    for (std::size_t i = 0; i < line_.size(); ++i) {
      if (line_[i] != '\\') continue;
      ++i;
      expect(i < line_.size() && (line_[i] == '\\' || line_[i] == 'n'), "an unknown escape in a help");
    }
    families_[metric].help = line_;
    current_ = metric;
  }

  void read_type() {
    const std::string metric = name(true);
    expect(metric == current_ && families_[metric].type.empty(), "TYPE without its HELP, or twice");
    expect(take(" "), "no type");
    static const std::set<std::string_view> types{"counter", "gauge", "histogram", "summary", "untyped"};
    expect(types.contains(line_), "an unknown type");
    families_[metric].type = line_;
  }

  void read_sample() {
    const std::string metric = name(true);
    expect(metric == current_, "a sample outside its family");
    Family& family = families_[metric];
    expect(!family.type.empty(), "a sample before its TYPE");
    const Labels labels = read_labels();
    expect(take(" "), "no value");
    expect(is_value(line_), "not a value");
    const bool is_new = family.samples.emplace(labels, line_).second;
    expect(is_new, "a series twice");
    expect(family.type != "counter" || line_.front() != '-', "a counter below 0");
  }

  Labels read_labels() {
    Labels labels;
    if (!take("{")) return labels;
    do {
      const std::string label = name(false);
      expect(take("=\""), "a label without a value");
      const bool is_new = labels.emplace(label, read_label_value()).second;
      expect(is_new, "a label twice");
    } while (take(","));
    expect(take("}"), "labels without an end");
    return labels;
  }

  std::string read_label_value() {
    std::string value;
    while (!take("\"")) {
      expect(!line_.empty(), "a label's value without an end");
      if (take("\\\\")) {
        value += '\\';
      } else if (take("\\\"")) {
        value += '"';
      } else if (take("\\n")) {
        value += '\n';
      } else {
        expect(line_.front() != '\\', "an unknown escape");
        value += line_.front();
        line_.remove_prefix(1);
      }
    }
    return value;
  }

  /// A number as strtod reads it, but decimal, or one of the three words.
  static bool is_value(std::string_view text) {
    if (text == "NaN" || text == "+Inf" || text == "-Inf") return true;
    if (text.empty() || text.find_first_not_of("0123456789+-.eE") != std::string_view::npos) return false;
    const std::string copy{text};
    char* end = nullptr;
    std::strtod(copy.c_str(), &end);
    return end == copy.c_str() + copy.size();
  }

  std::string_view all_;
  std::string_view rest_;
  std::string_view line_;
  std::string current_;
  std::map<std::string, Family> families_;
};

}  // namespace fuzz
