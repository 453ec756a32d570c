// storm/report.cpp: see report.hpp.
#include "report.hpp"

#include <fmt/format.h>

#include <fusebox/detail/json_writer.hpp>
#include <fusebox/detail/utf8.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "columns.hpp"
#include "cpp_text.hpp"
#include "web/files.hpp"
#include "words.hpp"

namespace storm {
namespace {

/// A text as text of HTML, also in an attribute in quotes.
std::string html(std::string_view text) {
  std::string escaped;
  fusebox::detail::for_each_character(text, [&](std::string_view character) {
    switch (character.front()) {
      case '&': escaped += "&amp;"; break;
      case '<': escaped += "&lt;"; break;
      case '>': escaped += "&gt;"; break;
      case '"': escaped += "&quot;"; break;
      case '\'': escaped += "&#39;"; break;
      case '\n': escaped += '\n'; break;
      default:
        escaped += fusebox::detail::is_control(character) ? std::string_view{"\xEF\xBF\xBD"} : character;
    }
  });
  return escaped;
}

double seconds_of(Duration duration) { return std::chrono::duration<double>(duration).count(); }

// The data.

std::string json_number(double value) { return std::isfinite(value) ? exact(value) : "null"; }

struct Series {
  std::string_view name;
  double (*value)(const Second&);
};
template <auto Member>
double member(const Second& second) {
  return static_cast<double>(second.*Member);
}
constexpr std::array series{
    Series{"calls", &member<&Second::calls>},
    Series{"succeeded", &member<&Second::succeeded>},
    Series{"failed", &member<&Second::failed>},
    Series{"rejected", &member<&Second::rejected>},
    Series{"attempts", &member<&Second::attempts>},
    Series{"served", &member<&Second::served>},
    Series{"wasted", &member<&Second::wasted>},
    Series{"retries", &member<&Second::retries>},
    Series{"hedges", &member<&Second::hedges>},
    Series{"busy", &member<&Second::busy>},
    Series{"queued", &member<&Second::queued>},
    Series{"in_flight", &member<&Second::in_flight>},
    Series{"open_breakers", &member<&Second::open_breakers>},
    Series{"limit", &member<&Second::limit>},
    Series{"p50_ms", &member<&Second::p50_ms>},
    Series{"p99_ms", &member<&Second::p99_ms>},
};

void append_pipeline(std::string& out, const Result& result, const PipelineResult& pipeline) {
  fusebox::detail::JsonObject object{out};
  object.text("name", pipeline.name);
  object.text("title", title_of(pipeline));
  {
    fusebox::detail::JsonObject summary{object.member("summary")};
    for (const Column& column : columns())
      summary.member(column.name) += json_number(column.value(result.scenario, pipeline));
  }
  fusebox::detail::JsonObject seconds{object.member("seconds")};
  for (const Series& one : series) {
    std::string& text = seconds.member(one.name);
    text += '[';
    for (std::size_t i = 0; i < pipeline.seconds.size(); ++i) {
      if (i > 0) text += ',';
      text += json_number(one.value(pipeline.seconds[i]));
    }
    text += ']';
  }
}

// The page.

class Page {
 public:
  explicit Page(const Result& result) : result_(result), scenario_(result.scenario) {}

  std::string text() {
    const std::string title = scenario_.title.empty() ? spoken(scenario_.name) : scenario_.title;
    add("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
        "<link rel=\"icon\" href=\"data:,\">\n");
    add("<title>{} – storm lab</title>\n", html(title));
    add("<style>\n{}\n{}</style>\n</head>\n<body>\n", web::style_css, web::report_css);
    add("<header>\n<p class=\"kicker\">Storm lab of fusebox · scenario <code>{}</code> · seed {}</p>\n"
        "<h1>{}</h1>\n",
        html(scenario_.name), result_.seed, html(title));
    if (!scenario_.description.empty()) add("<p class=\"lead\">{}</p>\n", html(scenario_.description));
    add("</header>\n<main>\n");
    conclusion();
    what_happens();
    comparison();
    charts();
    pipelines();
    again();
    add("</main>\n<script type=\"application/json\" id=\"data\">{}</script>\n", report_data(result_));
    add("<script>\n{}\n{}</script>\n</body>\n</html>\n", web::charts_js, web::report_js);
    return std::move(text_);
  }

 private:
  template <class... Values>
  void add(fmt::format_string<Values...> format, Values&&... values) {
    fmt::format_to(std::back_inserter(text_), format, std::forward<Values>(values)...);
  }

  void conclusion() {
    add("<section id=\"in-short\">\n<h2>In short</h2>\n<ul class=\"findings\">\n");
    for (const std::string& sentence : conclusions(result_)) add("<li>{}</li>\n", html(sentence));
    add("</ul>\n</section>\n");
  }

  void what_happens() {
    add("<section id=\"what-happens\">\n<h2>What happens</h2>\n");
    const double length = seconds_of(scenario_.duration);
    const std::vector<Happening> all = happenings(scenario_);
    add("<div class=\"timeline\" aria-hidden=\"true\">");
    const auto stretch = [&](std::string_view kind, double from, double to, std::string_view label) {
      add("<span class=\"{}\" style=\"left:{:.2f}%;width:{:.2f}%\"><i>{}</i></span>", kind,
          from / length * 100, (std::min(to, length) - from) / length * 100, html(label));
    };
    if (scenario_.warm_up.count() > 0) stretch("warm-up", 0, seconds_of(scenario_.warm_up), "warm-up");
    for (const Happening& one : all) stretch("disturbance", one.from_s, one.to_s, one.label);
    add("</div>\n<ol class=\"times\">\n");
    if (scenario_.warm_up.count() > 0)
      add("<li><b>0:00 to {}</b> warm-up: nothing counts yet.</li>\n",
          moment_text(seconds_of(scenario_.warm_up)));
    for (const Happening& one : all)
      add("<li><b>{} to {}</b> {}</li>\n", moment_text(one.from_s), moment_text(one.to_s), html(one.words));
    if (all.empty()) add("<li>Nothing goes wrong from outside: what you see is the load itself.</li>\n");
    add("<li><b>{}</b> the end.</li>\n</ol>\n", moment_text(length));
    for (const std::string& paragraph : story(scenario_)) add("<p>{}</p>\n", html(paragraph));
    add("</section>\n");
  }

  void comparison() {
    add("<section id=\"comparison\">\n<h2>The pipelines compared</h2>\n"
        "<p>A <em>pipeline</em> is a set of policies, such as retry and circuit breaker, through which a "
        "service "
        "makes each call. The best value of a column looks <span class=\"best\">like this</span>, a peak of "
        "{} × or "
        "more <span class=\"bad\">like this</span>. A pipeline whose success is far from the best has no "
        "best latency. "
        "A click on a heading sorts.</p>\n",
        amplifies_from);
    add("<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"The pipelines compared\">\n<table "
        "id=\"table\">"
        "\n<thead><tr><th scope=\"col\" data-sort=\"text\">Pipeline</th>");
    for (const Column& column : columns())
      if (is_shown(column))
        add("<th scope=\"col\" data-sort=\"number\" title=\"{}\">{}</th>", html(column.explanation),
            html(column.heading));
    add("</tr></thead>\n<tbody>\n");
    for (const PipelineResult& pipeline : result_.pipelines) row(pipeline);
    add("</tbody>\n</table>\n</div>\n<details class=\"meanings\" open>\n<summary>What the columns "
        "say</summary>\n<dl>\n");
    for (const Column& column : columns())
      if (is_shown(column))
        add("<div><dt>{}</dt><dd>{}{}</dd></div>\n", html(column.heading), html(column.explanation),
            sense(column));
    add("</dl>\n</details>\n</section>\n");
  }

  /// Plain numbers are in the CSV: they compare nothing.
  static bool is_shown(const Column& column) { return column.unit != Column::Unit::count; }

  static std::string_view sense(const Column& column) {
    switch (column.better) {
      case Column::Better::more: return " More is better.";
      case Column::Better::less: return " Less is better.";
      case Column::Better::neither: break;
    }
    return "";
  }

  void row(const PipelineResult& pipeline) {
    add("<tr><th scope=\"row\">{}<code>{}</code></th>", html(title_of(pipeline)), html(pipeline.name));
    for (const Column& column : columns()) {
      if (!is_shown(column)) continue;
      const double value = column.value(scenario_, pipeline);
      std::string text = html(text_of(column, value));
      const bool best = is_best(column, result_, pipeline, best_text(column, result_));
      const bool bad = column.name == "peak_load_ratio" && value >= amplifies_from;
      std::string_view note;
      if (best) note = "<span class=\"hidden\"> (best)</span>";
      if (bad && !best) note = "<span class=\"hidden\"> (amplifies)</span>";
      add("<td data-value=\"{}\"{}>{}{}</td>", exact(value),
          best  ? " class=\"best\""
          : bad ? " class=\"bad\""
                : "",
          text, note);
    }
    add("</tr>\n");
  }

  void charts() {
    add("<section id=\"over-time\">\n<h2>Over time</h2>\n"
        "<p>Each line is a pipeline; the letter at its end is its key. Shaded: the disturbance. Choose which "
        "to show. "
        "Point at a chart, or focus it and use the arrow keys, to read values.</p>\n"
        "<noscript><p>The charts need JavaScript, which is turned off.</p></noscript>\n"
        "<div id=\"legend\"></div>\n<div id=\"charts\" class=\"grid\"></div>\n</section>\n");
    add("<section id=\"load-of-each\">\n<h2>The load that each pipeline makes</h2>\n"
        "<p>Attempts per second that reach {}, all on one scale. Dotted: its calm load.</p>\n"
        "<div id=\"multiples\" class=\"grid small\"></div>\n</section>\n",
        html(scenario_.dependencies.empty() ? "the dependency" : scenario_.dependencies.back().name));
  }

  void pipelines() {
    add("<section id=\"pipelines\">\n<h2>What is in each pipeline</h2>\n"
        "<p>In the order in which a call meets the policies, as the library itself explains it.</p>\n");
    for (std::size_t i = 0; i < result_.pipelines.size(); ++i) {
      const PipelineResult& pipeline = result_.pipelines[i];
      add("<details class=\"pipeline\">\n<summary>{} <code>{}</code></summary>\n<pre>{}</pre>\n",
          html(title_of(pipeline)), html(pipeline.name), html(pipeline.explanation));
      if (const std::string code = cpp_of(pipeline); !code.empty())
        add("<p>In C++:</p>\n<pre>{}</pre>\n", html(code));
      add("</details>\n");
    }
    add("</section>\n");
  }

  void again() {
    add("<section id=\"again\">\n<h2>Run it again</h2>\n<pre>make storm SCENARIO={} SEED={} "
        "OUT=storm-results</pre>\n"
        "<p>The same scenario and seed give the same numbers, bit for bit, on every machine. Another seed "
        "gives "
        "other random moments: what holds for a few seeds holds. The simulation drives the library's own "
        "policies "
        "on simulated time; no formula stands for them. What it leaves out: the network, and the time that a "
        "client "
        "process needs itself.</p>\n</section>\n",
        html(shell_word(scenario_.name)), result_.seed);
  }

  /// The C++ of the pipeline; empty if the scenario does not have it.
  [[nodiscard]] std::string cpp_of(const PipelineResult& pipeline) const {
    for (const PipelineSpec& spec : scenario_.pipelines)
      if (spec.name == pipeline.name) return to_cpp(spec, scenario_.dependencies.back().name);
    return {};
  }

  static std::string shell_word(std::string_view text) {
    constexpr std::string_view harmless =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./";
    if (!text.empty() && text.find_first_not_of(harmless) == std::string_view::npos) return std::string{text};
    std::string quoted = "'";
    for (const char letter : text) quoted += letter == '\'' ? std::string{"'\\''"} : std::string{letter};
    return quoted + "'";
  }

  const Result& result_;
  const Scenario& scenario_;
  std::string text_;
};

}  // namespace

std::string report_data(const Result& result) {
  const Scenario& scenario = result.scenario;
  std::string out;
  {
    fusebox::detail::JsonObject object{out};
    object.text("scenario", scenario.name);
    object.text("seed", std::to_string(result.seed));
    object.member("duration_s") += json_number(seconds_of(scenario.duration));
    object.member("warm_up_s") += json_number(seconds_of(scenario.warm_up));
    object.member("steady") += json_number(steady_rate(scenario));
    object.text("dependency", scenario.dependencies.empty() ? "" : scenario.dependencies.back().name);
    object.member("bands") += '[';
    bool first = true;
    for (const Happening& one : happenings(scenario)) {
      if (!first) out += ',';
      first = false;
      fusebox::detail::JsonObject band{out};
      band.member("from") += json_number(one.from_s);
      band.member("to") += json_number(one.to_s);
      band.text("label", one.label);
    }
    out += ']';
    object.member("pipelines") += '[';
    for (std::size_t i = 0; i < result.pipelines.size(); ++i) {
      if (i > 0) out += ',';
      append_pipeline(out, result, result.pipelines[i]);
    }
    out += ']';
  }
  // "<" stands only in strings; "</script" and "<!--" would end or change the element.
  std::string safe;
  for (const char letter : out) {
    if (letter == '<') {
      safe += "\\u003c";
    } else {
      safe += letter;
    }
  }
  return safe;
}

std::string html_report(const Result& result) { return Page{result}.text(); }

}  // namespace storm
