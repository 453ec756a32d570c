// storm/words.cpp: see words.hpp.
#include "words.hpp"

#include <fmt/format.h>

#include <fusebox/detail/utf8.hpp>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "columns.hpp"

namespace storm {
namespace {

double seconds_of(Duration duration) { return std::chrono::duration<double>(duration).count(); }

/// Three digits: 1,200; 12.5; 0.31.
std::string number(double value) {
  if (std::abs(value) >= 1000) {
    std::string digits = fmt::format("{:.0f}", value);
    for (std::size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, 1, ',');
    return digits;
  }
  return fmt::format("{:.3g}", value);
}

std::string count(double value, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", number(value), value == 1 ? one : many);
}

std::string percent(double share) {
  return fmt::format("{:.{}f} %", share * 100, share >= 0.1 || share == 0 ? 0 : 1);
}

const Column& column(std::string_view name) {
  return *std::find_if(columns().begin(), columns().end(),
                       [&](const Column& one) { return one.name == name; });
}

/// The mean of a service time, without the queue.
double mean_service_s(const ServiceTime& service) {
  const double median = seconds_of(service.median);
  switch (service.kind) {
    case ServiceTime::Kind::constant: return median;
    case ServiceTime::Kind::exponential: return median / std::log(2.0);
    case ServiceTime::Kind::lognormal: break;
  }
  const double sigma =
      std::log(service.p99_ratio) / 2.3263478740408408;  // the 99th percentile of a normal one
  return median * std::exp(sigma * sigma / 2);
}

std::string service_words(const Dependency& dependency) {
  const ServiceTime& service = dependency.service;
  const std::string median = duration_text(service.median);
  switch (service.kind) {
    case ServiceTime::Kind::constant: return fmt::format("A call takes it {}.", median);
    case ServiceTime::Kind::exponential:
      return fmt::format("Half of the calls take it less than {}, some much more (exponential).", median);
    case ServiceTime::Kind::lognormal: break;
  }
  const auto slow = std::chrono::duration_cast<Duration>(service.median * service.p99_ratio);
  return fmt::format("Half of the calls take it less than {}, one in a hundred more than {}.", median,
                     duration_text(slow));
}

std::string clients_words(const Clients& clients) {
  std::string words = fmt::format("{} call through {}", count(clients.count, "client", "clients"),
                                  count(clients.instances, "process of a service", "processes of a service"));
  if (clients.arrivals == Arrivals::closed) {
    words += fmt::format(", each again {} after its last call has ended.", duration_text(clients.think_time));
  } else {
    words += fmt::format(", {} a minute each: {} a second in all, {}.",
                         count(clients.calls_per_minute, "call", "calls"),
                         number(clients.count * clients.calls_per_minute / 60),
                         clients.arrivals == Arrivals::poisson ? "at random moments" : "at equal distances");
  }
  words += fmt::format(" A client waits at most {}; after that its call has failed, whatever comes.",
                       duration_text(clients.timeout));
  if (clients.instances > 1)
    words += " Each process has policies of its own, and knows nothing of the others.";
  return words;
}

std::string dependency_words(const Scenario& scenario, const Dependency& dependency) {
  std::string words = scenario.dependencies.size() > 1
                          ? fmt::format("{}: it", dependency.name)
                          : fmt::format("The calls reach {}. It", dependency.name);
  words += fmt::format(" serves {} at once", count(dependency.capacity, "call", "calls"));
  if (dependency.shards > 1)
    words += fmt::format(" in each of its {} shards; a client belongs to one of them", dependency.shards);
  words += dependency.queue > 0
               ? fmt::format(". {} more can wait; a further one gets 503 at once. ", number(dependency.queue))
               : std::string{". No call can wait: a further one gets 503 at once. "};
  words += service_words(dependency);
  const double most = dependency.capacity * dependency.shards / mean_service_s(dependency.service);
  words += fmt::format(" So it can serve about {} calls a second", number(most));
  if (scenario.clients.arrivals != Arrivals::closed)
    words += fmt::format("; the clients ask for {} of that", percent(steady_rate(scenario) / most));
  words += '.';
  if (dependency.limit.per_second > 0)
    words +=
        fmt::format(" It answers 429 above {} calls a second, {} Retry-After.",
                    number(dependency.limit.per_second), dependency.limit.retry_after ? "with a" : "without");
  words += dependency.drops_abandoned ? " It notices when its caller has left, and stops."
                                      : " It does not notice when its caller has left: such work is wasted.";
  return words;
}

Happening happening(const Scenario& scenario, const Dependency& dependency, const Disturbance& disturbance) {
  Happening one{seconds_of(disturbance.from), seconds_of(disturbance.to), {}, {}};
  std::string who = dependency.name;
  if (disturbance.shard >= 0) who = fmt::format("shard {} of {}", disturbance.shard, who);
  switch (disturbance.kind) {
    case Disturbance::Kind::outage:
      one.label = "outage";
      one.words = disturbance.hangs ? fmt::format("{} hangs: it accepts calls and answers none.", who)
                                    : fmt::format("{} is down: it refuses every connection.", who);
      break;
    case Disturbance::Kind::slow:
      one.label = fmt::format("{} × slower", number(disturbance.factor));
      one.words = fmt::format("{} needs {} times as long for each call.", who, number(disturbance.factor));
      break;
    case Disturbance::Kind::errors:
      one.label = fmt::format("{} errors", percent(disturbance.rate));
      one.words = fmt::format("{} answers {} of the calls with {}.", who, percent(disturbance.rate),
                              disturbance.status);
      break;
    case Disturbance::Kind::capacity:
      one.label = fmt::format("{} capacity", percent(disturbance.factor));
      one.words = fmt::format("{} has {} of its capacity.", who, percent(disturbance.factor));
      break;
  }
  if (disturbance.retry_after)
    one.words +=
        fmt::format(" Its failures carry a Retry-After of {}.", duration_text(*disturbance.retry_after));
  if (disturbance.shard >= 0) one.label = fmt::format("shard {}: {}", disturbance.shard, one.label);
  if (scenario.dependencies.size() > 1) one.label = fmt::format("{}: {}", dependency.name, one.label);
  return one;
}

std::vector<std::string> names(const std::vector<const PipelineResult*>& pipelines) {
  std::vector<std::string> all;
  for (const PipelineResult* pipeline : pipelines) all.push_back(spoken(pipeline->name));
  return all;
}

/// "plain retry (3.20 ×)" each.
std::vector<std::string> names_with(const Result& result, std::string_view column_name,
                                    const std::vector<const PipelineResult*>& pipelines) {
  const Column& one = column(column_name);
  std::vector<std::string> all;
  for (const PipelineResult* pipeline : pipelines)
    all.push_back(
        fmt::format("{} ({})", spoken(pipeline->name), text_of(one, one.value(result.scenario, *pipeline))));
  return all;
}

template <class Member>
std::vector<const PipelineResult*> sorted_by(const Result& result, Member member) {
  std::vector<const PipelineResult*> all;
  for (const PipelineResult& pipeline : result.pipelines) all.push_back(&pipeline);
  std::stable_sort(all.begin(), all.end(), [&](const PipelineResult* a, const PipelineResult* b) {
    return a->summary.*member < b->summary.*member;
  });
  return all;
}

/// Those that look like the first one, from the front or from the back.
std::vector<const PipelineResult*> alike(const Result& result, std::string_view column_name,
                                         std::vector<const PipelineResult*> from) {
  const Column& one = column(column_name);
  const std::string text = text_of(one, one.value(result.scenario, *from.front()));
  std::erase_if(from, [&](const PipelineResult* other) {
    return text_of(one, one.value(result.scenario, *other)) != text;
  });
  return from;
}

std::string value_text(const Result& result, std::string_view column_name, const PipelineResult& pipeline) {
  const Column& one = column(column_name);
  return text_of(one, one.value(result.scenario, pipeline));
}

/// Who keeps the load low?
std::string on_load(const Result& result, bool disturbed) {
  const std::string& dependency = result.scenario.dependencies.back().name;
  const std::string when = disturbed ? "once the disturbance is over" : "in the busiest second";
  auto by_peak = sorted_by(result, &Summary::peak_load_ratio);
  std::vector<const PipelineResult*> quiet, loud;
  for (const PipelineResult* pipeline : by_peak)
    (pipeline->summary.peak_load_ratio < amplifies_from ? quiet : loud).push_back(pipeline);
  std::reverse(loud.begin(), loud.end());
  const std::string limit = fmt::format("{:.1f} times its calm load", amplifies_from);
  if (loud.empty())
    return fmt::format("No pipeline amplifies: {}, the load on {} stays below {} with {}; highest: {}.", when,
                       dependency, limit, quiet.size() == 1 ? "it" : "each",
                       names_with(result, "peak_load_ratio", {quiet.back()}).front());
  if (quiet.empty())
    return fmt::format("{} {}, the load on {} reaches {} or more: {}.",
                       loud.size() == 1 ? "The pipeline amplifies:" : "Every pipeline amplifies:", when,
                       dependency, limit, list(names_with(result, "peak_load_ratio", loud)));
  return fmt::format("{}{}, the load on {} stays below {} with {}. It amplifies with {}.",
                     static_cast<char>(std::toupper(when.front())), when.substr(1), dependency, limit,
                     list(names_with(result, "peak_load_ratio", quiet)),
                     list(names_with(result, "peak_load_ratio", loud)));
}

std::string on_users(const Result& result) {
  auto ascending = sorted_by(result, &Summary::success_ratio);
  const auto worst = alike(result, "success_ratio", ascending);
  std::reverse(ascending.begin(), ascending.end());
  const auto best = alike(result, "success_ratio", ascending);
  const std::string least = value_text(result, "success_ratio", *worst.front());
  const std::string most = value_text(result, "success_ratio", *best.front());
  if (least == most)
    return fmt::format("{} of the users' calls succeed{}.", most,
                       result.pipelines.size() > 1 ? ", with each pipeline" : "");
  return fmt::format(
      "Users are served best by {}: {} of their calls succeed. They are served worst by {}: {}.",
      list(names(best)), most, list(names(worst)), least);
}

std::string on_attempts(const Result& result) {
  const auto ascending = sorted_by(result, &Summary::amplification);
  const PipelineResult& most = *ascending.back();
  const PipelineResult& least = *ascending.front();
  const std::string wasted = value_text(result, "wasted_ratio", most);
  if (most.summary.amplification - least.summary.amplification < 0.05)
    return fmt::format("{} about {:.2f} attempts for each call.",
                       result.pipelines.size() > 1 ? "Each pipeline sends" : "It sends",
                       most.summary.amplification);
  return fmt::format(
      "Most attempts for each call are sent by {}: {:.2f}, of which {} bring no user a success; fewest by "
      "{}: {:.2f}.",
      spoken(most.name), most.summary.amplification, wasted, spoken(least.name), least.summary.amplification);
}

std::string on_recovery(const Result& result) {
  const auto ascending = sorted_by(result, &Summary::recovery_s);
  std::vector<const PipelineResult*> back, never;
  for (const PipelineResult* pipeline : ascending)
    (std::isinf(pipeline->summary.recovery_s) ? never : back).push_back(pipeline);
  if (back.empty()) return "With no pipeline are users served as before the disturbance within this run.";
  const auto fastest = alike(result, "recovery_s", back);
  const std::string shortest = value_text(result, "recovery_s", *back.front());
  const std::string longest = value_text(result, "recovery_s", *back.back());
  std::string words;
  if (shortest == longest) {
    words = fmt::format("Users are served as before {} after the disturbance{}.", shortest,
                        never.empty() && back.size() > 1 ? ", with each pipeline"
                        : never.empty()                  ? ""
                                                         : fmt::format(" with {}", list(names(back))));
  } else {
    words =
        fmt::format("Users are served as before {} after the disturbance with {}, and {} after it with {}.",
                    shortest, list(names(fastest)), longest, spoken(back.back()->name));
  }
  if (!never.empty()) words += fmt::format(" Never within this run: {}.", list(names(never)));
  return words;
}

/// Of those that do not amplify, who serves users best?
std::string on_balance(const Result& result) {
  const PipelineResult* best = nullptr;
  std::size_t quiet = 0;
  for (const PipelineResult& pipeline : result.pipelines) {
    if (pipeline.summary.peak_load_ratio >= amplifies_from) continue;
    ++quiet;
    if (!best || pipeline.summary.success_ratio > best->summary.success_ratio) best = &pipeline;
  }
  if (quiet < 2 || quiet == result.pipelines.size()) return {};
  return fmt::format("Of the pipelines that do not amplify, {} serves users best ({}).", spoken(best->name),
                     value_text(result, "success_ratio", *best));
}

std::string on_pair(const Result& result, std::string_view first, std::string_view second) {
  const PipelineResult *one = nullptr, *other = nullptr;
  for (const PipelineResult& pipeline : result.pipelines) {
    if (pipeline.name == first) one = &pipeline;
    if (pipeline.name == second) other = &pipeline;
  }
  if (!one || !other) return {};
  return fmt::format(
      "{} against {}: peak load {} against {}, users' success {} against {}, {} against {} attempts per "
      "call.",
      static_cast<char>(std::toupper(first.front())) + spoken(first).substr(1), spoken(second),
      value_text(result, "peak_load_ratio", *one), value_text(result, "peak_load_ratio", *other),
      value_text(result, "success_ratio", *one), value_text(result, "success_ratio", *other),
      fmt::format("{:.2f}", one->summary.amplification), fmt::format("{:.2f}", other->summary.amplification));
}

}  // namespace

double steady_rate(const Scenario& scenario) {
  const Clients& clients = scenario.clients;
  if (clients.arrivals == Arrivals::closed) {
    double cycle = seconds_of(clients.think_time);
    for (const Dependency& dependency : scenario.dependencies) cycle += mean_service_s(dependency.service);
    return cycle > 0 ? clients.count / cycle : 0;
  }
  return clients.count * clients.calls_per_minute / 60;
}

std::vector<Happening> happenings(const Scenario& scenario) {
  std::vector<Happening> all;
  for (const Surge& surge : scenario.clients.surges) {
    const bool more = surge.factor >= 1;
    all.push_back({seconds_of(surge.from), seconds_of(surge.to),
                   fmt::format("{} × calls", number(surge.factor)),
                   fmt::format("the clients call {} times as often{}.", number(surge.factor),
                               more ? "" : ", which is less")});
  }
  for (const Dependency& dependency : scenario.dependencies)
    for (const Disturbance& disturbance : dependency.disturbances)
      all.push_back(happening(scenario, dependency, disturbance));
  std::stable_sort(all.begin(), all.end(),
                   [](const Happening& a, const Happening& b) { return a.from_s < b.from_s; });
  return all;
}

std::vector<std::string> story(const Scenario& scenario) {
  std::vector<std::string> paragraphs{clients_words(scenario.clients)};
  if (scenario.dependencies.size() > 1) {
    std::string chain = "clients";
    for (const Dependency& dependency : scenario.dependencies) chain += " → " + dependency.name;
    paragraphs.push_back(fmt::format(
        "A call passes {} tiers: {}. Each process of a tier calls the next tier through a pipeline of "
        "its own. The load is counted at the last one.",
        scenario.dependencies.size(), chain));
  }
  for (const Dependency& dependency : scenario.dependencies)
    paragraphs.push_back(dependency_words(scenario, dependency));
  paragraphs.push_back(
      fmt::format("The simulation plays {}. Nothing counts in the first {}, the warm-up. Each pipeline meets "
                  "the same clients "
                  "and the same disturbances.",
                  duration_text(scenario.duration), duration_text(scenario.warm_up)));
  return paragraphs;
}

std::vector<std::string> conclusions(const Result& result) {
  if (result.pipelines.empty()) return {};
  const bool disturbed = !happenings(result.scenario).empty();
  std::vector<std::string> sentences{on_load(result, disturbed), on_users(result)};
  sentences.push_back(on_balance(result));
  sentences.push_back(on_attempts(result));
  if (disturbed) sentences.push_back(on_recovery(result));
  sentences.push_back(on_pair(result, "standard_pipeline", "plain_retry"));
  std::erase(sentences, std::string{});
  return sentences;
}

std::string spoken(std::string_view name) {
  std::string words{name};
  std::replace(words.begin(), words.end(), '_', ' ');
  return words;
}

std::string title_of(const PipelineResult& pipeline) {
  return pipeline.title.empty() ? spoken(pipeline.name) : pipeline.title;
}

std::string printable(std::string_view text) { return fusebox::detail::shown_text(text); }

std::string duration_text(Duration duration) {
  const double seconds = seconds_of(duration);
  if (seconds >= 120 && std::fmod(seconds, 30) == 0) return fmt::format("{:.3g} min", seconds / 60);
  if (seconds >= 1) return fmt::format("{} s", number(seconds));
  if (seconds >= 1e-3) return fmt::format("{} ms", number(seconds * 1e3));
  return seconds == 0 ? std::string{"0 s"} : fmt::format("{} µs", number(seconds * 1e6));
}

std::string moment_text(double seconds) {
  const auto whole = static_cast<long long>(std::floor(seconds));
  const std::string rest =
      seconds > static_cast<double>(whole)
          ? fmt::format(".{:.0f}", std::floor((seconds - static_cast<double>(whole)) * 10))
          : std::string{};
  if (whole >= 3600) return fmt::format("{}:{:02}:{:02}{}", whole / 3600, whole / 60 % 60, whole % 60, rest);
  return fmt::format("{}:{:02}{}", whole / 60, whole % 60, rest);
}

std::string list(const std::vector<std::string>& parts) {
  std::string all;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i > 0) all += i + 1 == parts.size() ? " and " : ", ";
    all += parts[i];
  }
  return all;
}

}  // namespace storm
