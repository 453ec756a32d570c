// storm/scenario_json.cpp: one reader for each shape of scenario.hpp.
#include "scenario_json.hpp"

#include <cstddef>
#include <string>

#include "check.hpp"
#include "config_json.hpp"
#include "json_reader.hpp"

namespace storm {

namespace {

/// A name of a file and of a row of a table.
void read_id(JsonMembers& members, std::string& out) {
  members.require("name", [&](const JsonValue& value) {
    value.read(out);
    const auto is_fine = [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    };
    bool is_good = !out.empty() && out.size() <= 64;
    for (const char c : out) is_good = is_good && is_fine(c);
    if (!is_good) value.fail("must be 1 to 64 of a-z, 0-9, _ and -");
  });
}

[[nodiscard]] PipelineSpec read_pipeline(const JsonValue& value) {
  JsonMembers members{value};
  PipelineSpec spec;
  read_id(members, spec.name);
  spec.title = spec.name;
  members.read("title", spec.title);
  members.require("policies", [&](const JsonValue& list) {
    list.each([&](const JsonValue& policy) { read_policy(policy, spec.policies); });
    constexpr std::size_t most = 32;
    if (spec.policies.size() > most) list.fail("must have at most 32 policies");
  });
  members.end();
  return spec;
}

[[nodiscard]] std::vector<PipelineSpec> read_pipelines(const JsonValue& value) {
  std::vector<PipelineSpec> specs;
  value.each([&](const JsonValue& one) {
    specs.push_back(read_pipeline(one));
    for (std::size_t i = 0; i + 1 < specs.size(); ++i) {
      if (specs[i].name == specs.back().name) throw JsonError{one.path() + ".name", "is there already"};
    }
  });
  constexpr std::size_t most = 100;
  if (specs.empty() || specs.size() > most) value.fail("must have 1 to 100 pipelines");
  return specs;
}

[[nodiscard]] Clients read_clients(const JsonValue& value) {
  JsonMembers members{value};
  Clients clients;
  members.read("count", clients.count);
  members.read("instances", clients.instances);
  members.read("calls_per_minute", clients.calls_per_minute);
  members.read_name("arrivals", clients.arrivals, {"poisson", "steady", "closed"});
  members.read("think_time", clients.think_time);
  members.read("timeout", clients.timeout);
  members.read("surges", [&](const JsonValue& list) {
    list.each([&](const JsonValue& one) {
      JsonMembers fields{one};
      Surge& surge = clients.surges.emplace_back();
      fields.require("from", surge.from);
      fields.require("to", surge.to);
      fields.require("factor", surge.factor);
      fields.end();
    });
  });
  members.end();
  return clients;
}

[[nodiscard]] Disturbance read_disturbance(const JsonValue& value) {
  JsonMembers members{value};
  Disturbance one;
  members.require("kind", [&](const JsonValue& name) {
    name.read_name(one.kind, {"outage", "slow", "errors", "capacity"});
  });
  members.require("from", one.from);
  members.require("to", one.to);
  members.read("shard", one.shard);
  switch (one.kind) {
    case Disturbance::Kind::outage: members.read("hangs", one.hangs); break;
    case Disturbance::Kind::errors:
      members.read("rate", one.rate);
      members.read("status", one.status);
      members.read("retry_after", [&](const JsonValue& time) {
        Duration wait{};
        time.read(wait);
        one.retry_after = wait;
      });
      break;
    default: members.require("factor", one.factor); break;
  }
  members.end();
  return one;
}

[[nodiscard]] Dependency read_dependency(const JsonValue& value) {
  JsonMembers members{value};
  Dependency spec;
  members.read("name", spec.name);
  members.read("capacity", spec.capacity);
  members.read("queue", spec.queue);
  members.read("shards", spec.shards);
  members.read("service", [&](const JsonValue& time) {
    JsonMembers fields{time};
    fields.read_name("kind", spec.service.kind, {"constant", "exponential", "lognormal"});
    fields.read("median", spec.service.median);
    fields.read("p99_ratio", spec.service.p99_ratio);
    fields.end();
  });
  members.read("limit", [&](const JsonValue& limit) {
    JsonMembers fields{limit};
    fields.require("per_second", spec.limit.per_second);
    fields.read("retry_after", spec.limit.retry_after);
    fields.end();
  });
  members.read("drops_abandoned", spec.drops_abandoned);
  members.read("disturbances", [&](const JsonValue& list) {
    list.each([&](const JsonValue& one) { spec.disturbances.push_back(read_disturbance(one)); });
  });
  members.end();
  return spec;
}

[[nodiscard]] Scenario read_scenario(const JsonValue& value, const std::vector<PipelineSpec>& shared) {
  JsonMembers members{value};
  Scenario scenario;
  read_id(members, scenario.name);
  scenario.title = scenario.name;
  members.read("title", scenario.title);
  members.read("description", scenario.description);
  members.read("duration", scenario.duration);
  members.read("warm_up", scenario.warm_up);
  members.read("clients", [&](const JsonValue& clients) { scenario.clients = read_clients(clients); });
  members.require("dependencies", [&](const JsonValue& list) {
    list.each([&](const JsonValue& one) { scenario.dependencies.push_back(read_dependency(one)); });
  });
  scenario.pipelines = shared;
  members.read("pipelines", [&](const JsonValue& list) {
    if (!list.value().is_string()) {
      scenario.pipelines = read_pipelines(list);
    } else if (list.value() != "default") {
      list.fail("must be a list, or \"default\"");
    }
  });
  members.end();
  if (const std::string wrong = check(scenario); !wrong.empty()) throw JsonError{"", wrong};
  return scenario;
}

}  // namespace

PipelineSpec parse_pipeline(std::string_view json) { return read_pipeline(root_of(parse_json(json))); }

std::vector<PipelineSpec> parse_pipelines(std::string_view json) {
  return read_pipelines(root_of(parse_json(json)));
}

Scenario parse_scenario(std::string_view json, const std::vector<PipelineSpec>& shared) {
  return read_scenario(root_of(parse_json(json)), shared);
}

}  // namespace storm
