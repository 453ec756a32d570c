// pipeline_checks.hpp: what the models of pipelines check, whatever drives the calls.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "fuzz/input.hpp"
#include "pipeline_run.hpp"
#include "rapidcheck.hpp"

namespace model::flow {

/// Random scripts do what the rules say, and reach every kind of ending.
inline void check_scripts(const std::string& what, const std::vector<Pipeline>& all) {
  Reached reached;
  const auto byte = rc::gen::cast<std::uint8_t>(rc::gen::resize(rc::kNominalSize, rc::gen::inRange(0, 256)));
  const auto bytes = rc::gen::resize(150, rc::gen::container<std::vector<std::uint8_t>>(byte));
  CHECK(rc::check(what, [&] {
    const auto choices = *bytes;
    fuzz::Input input{choices.data(), choices.size()};
    if (const std::string problem = compare_any(all, input, reached); !problem.empty()) RC_FAIL(problem);
  }));
  CHECK(reached.values > 100);
  CHECK(reached.late > 100);
  CHECK(reached.timed_out > 100);
  CHECK(reached.cancelled > 100);
  CHECK(reached.rejected > 100);
  CHECK(reached.retried > 100);
  CHECK(reached.refused_by_budget > 100);
  CHECK(reached.waited > 100);
  CHECK(reached.cut_short > 50);
  CHECK(reached.fell_back > 100);
  CHECK(reached.hooks_threw > 50);
  CHECK(reached.probes > 50);
  CHECK(reached.abandoned > 100);
  CHECK(reached.throttled > 100);
  CHECK(reached.faults > 100);
  CHECK(reached.delayed > 100);
  CHECK(reached.delayed_too_long > 50);
}

/// They hold every pair of these kinds in every order that compose() allows. A retry is one kind, with or
/// without a budget.
inline void check_pairs(const std::string& kinds, const std::vector<Pipeline>& all) {
  const std::set<std::pair<char, char>> refused{{'A', 'R'}, {'R', 'T'}, {'R', 'F'}, {'R', 'W'}, {'R', 'G'}};
  std::set<std::pair<char, char>> held;
  for (const auto& one : all) {
    std::string order = one.kinds;
    for (char& kind : order)
      if (kind == 'S' || kind == 'H') kind = 'R';
    for (std::size_t i = 0; i < order.size(); ++i)
      for (std::size_t j = i + 1; j < order.size(); ++j) held.insert({order[i], order[j]});
  }
  for (const char outer : kinds) {
    for (const char inner : kinds) {
      if (outer == inner || refused.contains({outer, inner})) continue;
      INFO(outer << inner);
      CHECK(held.contains({outer, inner}));
    }
  }
}

}  // namespace model::flow
