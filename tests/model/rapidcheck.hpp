// model/rapidcheck.hpp: RapidCheck, and how a property becomes a Catch2 test.
//
// RC_PARAMS says how many sequences and from which seed; without it 10,000 from a fixed one, so that `make
// test` is always the same.
#pragma once

#include <rapidcheck.h>

#include <cstdlib>
#include <initializer_list>
#include <string>
#include <vector>

#include "catch.hpp"

namespace model {

inline const int default_parameters = ::setenv("RC_PARAMS", "max_success=10000 seed=1", 0);

/// Holds run(script) to be empty for scripts of `generator`, and prints the smallest that is not.
template <class Script, class Run>
bool holds(const std::string& what, const rc::Gen<Script>& generator, Run run) {
  return rc::check(what, [&] {
    const Script script = *generator;
    if (const std::string problem = run(script); !problem.empty()) RC_FAIL(problem);
  });
}

/// One of the values, each as likely as the others also where little is made; shrinks to the first.
template <class T>
rc::Gen<T> any_of(std::initializer_list<T> values) {
  return rc::gen::resize(rc::kNominalSize, rc::gen::sizedElementOf(std::vector<T>{values}));
}

}  // namespace model
