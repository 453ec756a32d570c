// storm/plot.cpp: see plot.hpp.
#include "plot.hpp"

#include <fmt/format.h>

#include <fusebox/detail/utf8.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <iterator>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "words.hpp"

namespace storm {
namespace {

constexpr double gap = std::numeric_limits<double>::quiet_NaN();

struct Kind {
  Panel panel;
  std::string_view name;
  std::string_view heading;
  std::string_view unit;
  bool logarithmic;
  double highest;  ///< 0: by the data
  double (*value)(const Second&);
};

double positive(double value) { return value > 0 ? value : gap; }

constexpr std::array kinds{
    Kind{Panel::load, "load", "Load on the dependency: attempts per second", "", false, 0,
         [](const Second& one) { return static_cast<double>(one.attempts); }},
    Kind{Panel::success, "success", "Success, as users see it", " %", false, 100,
         [](const Second& one) {
           const auto ended = static_cast<double>(one.succeeded + one.failed);
           return ended > 0 ? 100 * static_cast<double>(one.succeeded) / ended : gap;
         }},
    Kind{Panel::p50, "p50", "Median latency of successful calls (logarithmic)", " ms", true, 0,
         [](const Second& one) { return positive(one.p50_ms); }},
    Kind{Panel::p99, "p99", "p99 latency of successful calls (logarithmic)", " ms", true, 0,
         [](const Second& one) { return positive(one.p99_ms); }},
    Kind{Panel::queued, "queued", "Calls that wait in the dependency's queue", "", false, 0,
         [](const Second& one) { return one.queued; }},
    Kind{Panel::busy, "busy", "Calls that the dependency serves", "", false, 0,
         [](const Second& one) { return one.busy; }},
    Kind{Panel::limit, "limit", "Adaptive limit: calls at once, mean of the processes", "", false, 0,
         [](const Second& one) { return positive(one.limit); }},
    Kind{Panel::breakers, "breakers", "Processes whose breaker is not closed", " %", false, 100,
         [](const Second& one) { return 100 * one.open_breakers; }},
    Kind{Panel::rejected, "rejected", "Calls refused by a policy, per second", "", false, 0,
         [](const Second& one) { return static_cast<double>(one.rejected); }},
    Kind{Panel::retries, "retries", "Retries and hedges per second", "", false, 0,
         [](const Second& one) { return static_cast<double>(one.retries + one.hedges); }},
};

struct Style {
  std::string_view colour;
  std::string_view dash;
};
/// Okabe and Ito's colours, darker, and dashes, so that no colour has to be told from another.
constexpr std::array styles{Style{"#4a5058", ""},        Style{"#c44a00", "7 3"},  Style{"#0067a5", "2 3"},
                            Style{"#007a58", "9 3 2 3"}, Style{"#a8457f", "12 4"}, Style{"#9a6a00", ""},
                            Style{"#2b86b8", "7 3"},     Style{"#6a4fb3", "2 3"}};

constexpr double width = 840, left = 62, right = 600, head = 46, panel_height = 150, panel_gap = 44,
                 foot = 30;

std::string xml(std::string_view text) {
  std::string escaped;
  for (const char letter : printable(text)) {
    switch (letter) {
      case '&': escaped += "&amp;"; break;
      case '<': escaped += "&lt;"; break;
      case '>': escaped += "&gt;"; break;
      case '"': escaped += "&quot;"; break;
      default: escaped += letter;
    }
  }
  return escaped;
}

std::string milliseconds(double value) {
  return value >= 1000 ? fmt::format("{:g} s", value / 1000) : fmt::format("{:g} ms", value);
}

/// 1, 2 or 5 times a power of ten: about `count` steps up to `highest`.
double step_of(double highest, int count) {
  double step = 1e-6;
  for (int i = 0; highest / step > count; ++i) step *= i % 3 == 1 ? 2.5 : 2;
  return step;
}

class Picture {
 public:
  Picture(const Result& result, const std::vector<Panel>& panels)
      : result_(result), length_(std::chrono::duration<double>(result.scenario.duration).count()) {
    const auto count = static_cast<double>(panels.size());
    height_ = head + count * panel_height + (count > 1 ? (count - 1) * panel_gap : 0) + foot;
    add(R"(<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {0:g} {1:g}" width="{0:g}" height="{1:g}" )"
        "font-family=\"system-ui, sans-serif\">\n",
        width, height_);
    const std::string title =
        result.scenario.title.empty() ? spoken(result.scenario.name) : result.scenario.title;
    add("<title>{}</title>\n<rect width=\"{:g}\" height=\"{:g}\" fill=\"#ffffff\"/>\n", xml(title), width,
        height_);
    text(16, 22, title, "font-size=\"15\" font-weight=\"bold\"");
    double top = head;
    for (const Panel one : panels) {
      panel(*std::find_if(kinds.begin(), kinds.end(), [&](const Kind& kind) { return kind.panel == one; }),
            top);
      top += panel_height + panel_gap;
    }
    times(height_ - foot);
    add("</svg>\n");
  }

  std::string take() { return std::move(text_); }

 private:
  template <class... Values>
  void add(fmt::format_string<Values...> format, Values&&... values) {
    fmt::format_to(std::back_inserter(text_), format, std::forward<Values>(values)...);
  }
  void text(double x, double y, std::string_view words, std::string_view attributes = {}) {
    add("<text x=\"{:.1f}\" y=\"{:.1f}\" {}{}>{}</text>\n", x, y,
        attributes.find("font-size") == std::string_view::npos ? "font-size=\"11\" " : "", attributes,
        xml(words));
  }
  void line(double x1, double y1, double x2, double y2, std::string_view attributes) {
    add("<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" {}/>\n", x1, y1, x2, y2, attributes);
  }
  [[nodiscard]] double to_x(double seconds) const { return left + (right - left) * seconds / length_; }

  /// The lowest and the highest value of all lines.
  [[nodiscard]] std::pair<double, double> bounds(const Kind& kind) const {
    double low = std::numeric_limits<double>::infinity(), high = 0;
    for (const PipelineResult& pipeline : result_.pipelines)
      for (const Second& second : pipeline.seconds) {
        const double value = kind.value(second);
        if (std::isnan(value)) continue;
        low = std::min(low, value);
        high = std::max(high, value);
      }
    if (kind.panel == Panel::load) high = std::max(high, steady_rate(result_.scenario));
    if (kind.logarithmic) return high > 0 ? std::pair{low / 1.2, high * 1.2} : std::pair{1.0, 10.0};
    if (kind.highest > 0) return {0, kind.highest};
    return {0, high > 0 ? high * 1.06 : 1};
  }

  void panel(const Kind& kind, double top) {
    const double bottom = top + panel_height;
    const auto [low, high] = bounds(kind);
    const double from = kind.logarithmic ? std::log10(low) : low;
    const double to = kind.logarithmic ? std::log10(high) : high;
    const auto to_y = [&, from = from, to = to](double value) {
      return bottom - panel_height * ((kind.logarithmic ? std::log10(value) : value) - from) / (to - from);
    };
    for (const Happening& one : happenings(result_.scenario)) {
      const double begin = to_x(std::min(one.from_s, length_)), end = to_x(std::min(one.to_s, length_));
      add("<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" fill=\"#fbe9df\"/>\n", begin,
          top, std::max(end - begin, 1.0), panel_height);
    }
    text(left, top - 7, kind.heading, "fill=\"#24292f\" font-weight=\"600\"");
    const auto tick = [&](double value, std::string_view words) {
      line(left, to_y(value), right, to_y(value), "stroke=\"#d8dee4\"");
      text(left - 6, to_y(value) + 4, words, "text-anchor=\"end\" fill=\"#57606a\"");
    };
    if (kind.logarithmic) {
      for (double power = 1e-3; power < high; power *= 10)
        for (const double factor : {1.0, 2.0, 5.0}) {
          const double value = power * factor;
          const bool few = high / low < 300;
          if (value >= low && value <= high && (few || factor == 1)) tick(value, milliseconds(value));
        }
    } else {
      const double step = step_of(high, 5);
      for (int i = 0; i * step <= high * 1.0001; ++i)
        tick(i * step, fmt::format("{:g}{}", i * step, kind.unit));
    }
    line(left, bottom, right, bottom, "stroke=\"#57606a\"");
    if (kind.panel == Panel::load) {
      const double calm = to_y(steady_rate(result_.scenario));
      line(left, calm, right, calm, "stroke=\"#24292f\" stroke-dasharray=\"1 4\"");
    }
    lines(kind, low, high, to_y, top, bottom);
    if (top > head) return;
    for (const Happening& one : happenings(result_.scenario))
      text(to_x(std::min(one.from_s, length_)) + 3, top + 12, one.label,
           "fill=\"#a8320a\" stroke=\"#ffffff\" stroke-width=\"3\" paint-order=\"stroke\"");
  }

  struct Label {
    double end;  ///< of the line
    double at;
    std::size_t pipeline;
  };

  template <class ToY>
  void lines(const Kind& kind, double low, double high, ToY to_y, double top, double bottom) {
    std::vector<Label> labels;
    for (std::size_t i = 0; i < result_.pipelines.size(); ++i) {
      const PipelineResult& pipeline = result_.pipelines[i];
      std::string d;
      double last = bottom;
      bool open = false;
      for (std::size_t second = 0; second < pipeline.seconds.size(); ++second) {
        const double value = kind.value(pipeline.seconds[second]);
        if (std::isnan(value)) {
          open = false;
          continue;
        }
        last = to_y(std::clamp(value, low, high));
        fmt::format_to(std::back_inserter(d), "{}{:.1f} {:.1f}", open ? 'L' : 'M',
                       to_x(static_cast<double>(second)), last);
        open = true;
      }
      const Style& style = styles[i % styles.size()];
      if (d.empty()) continue;  // an adaptive limit of a pipeline without one
      add("<path d=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"1.7\" stroke-dasharray=\"{}\"/>\n", d,
          style.colour, style.dash.empty() ? "none" : style.dash);
      labels.push_back({last, last, i});
    }
    std::stable_sort(labels.begin(), labels.end(),
                     [](const Label& a, const Label& b) { return a.end < b.end; });
    constexpr double distance = 15;
    double floor = top + 4;
    for (Label& label : labels) {
      label.at = std::max(label.end, floor);
      floor = label.at + distance;
    }
    double ceiling = bottom;
    for (auto label = labels.rbegin(); label != labels.rend(); ++label) {
      label->at = std::min(label->at, ceiling);
      ceiling = label->at - distance;
    }
    for (const Label& label : labels) {
      const Style& style = styles[label.pipeline % styles.size()];
      add("<path d=\"M{:.1f} {:.1f}L{:.1f} {:.1f}h22\" fill=\"none\" stroke=\"{}\" stroke-width=\"1.7\" "
          "stroke-dasharray=\"{}\"/>\n",
          right + 1, label.end, right + 8, label.at, style.colour, style.dash.empty() ? "none" : style.dash);
      text(right + 34, label.at + 4, title_of(result_.pipelines[label.pipeline]),
           fmt::format("fill=\"{}\"", style.colour));
    }
  }

  void times(double y) {
    static constexpr std::array steps{5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0};
    const auto* step =
        std::find_if(steps.begin(), steps.end() - 1, [&](double one) { return length_ / one <= 9; });
    for (int i = 0; i * *step <= length_; ++i) {
      const double x = to_x(i * *step);
      line(x, y, x, y + 4, "stroke=\"#57606a\"");
      text(x, y + 17, moment_text(i * *step), "text-anchor=\"middle\" fill=\"#57606a\"");
    }
  }

  const Result& result_;
  double length_;
  double height_ = 0;
  std::string text_;
};

}  // namespace

std::optional<Panel> panel_by_name(std::string_view name) {
  for (const Kind& kind : kinds)
    if (kind.name == name) return kind.panel;
  return std::nullopt;
}

std::string panel_names() {
  std::vector<std::string> names;
  for (const Kind& kind : kinds) names.emplace_back(kind.name);
  return list(names);
}

std::string svg(const Result& result, const std::vector<Panel>& panels) {
  return Picture{result, panels}.take();
}

}  // namespace storm
