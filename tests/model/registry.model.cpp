// CircuitBreakerRegistry against rules G1 to G3: few names, little room, everything that is seen compared
// after each command.
#include <cstddef>
#include <tuple>

#include "rapidcheck.hpp"
#include "registry_run.hpp"
#include "registry_script.hpp"

using namespace model;

namespace {

rc::Gen<RegistryScript> registry_script() {
  using Command = RegistryCommand;
  using Kind = Command::Kind;
  const auto kind = rc::gen::weightedElement<Kind>({{16, Kind::get},
                                                    {6, Kind::get_with},
                                                    {1, Kind::get_refused},
                                                    {4, Kind::find},
                                                    {8, Kind::let_go},
                                                    {6, Kind::trip},
                                                    {3, Kind::probe},
                                                    {3, Kind::force_open},
                                                    {2, Kind::disable},
                                                    {1, Kind::reset_held},
                                                    {1, Kind::reset},
                                                    {1, Kind::reset_all},
                                                    {2, Kind::remove},
                                                    {1, Kind::clear},
                                                    {2, Kind::subscribe},
                                                    {1, Kind::unsubscribe}});
  const auto command = rc::gen::build<Command>(rc::gen::set(&Command::kind, kind),
                                               rc::gen::set(&Command::name, any_of({0, 1, 2, 3, 4, 5})),
                                               rc::gen::set(&Command::config, any_of({0, 1, 2})),
                                               rc::gen::set(&Command::keeps, any_of({false, true, true})),
                                               rc::gen::set(&Command::which, any_of({0U, 1U, 2U, 3U})));
  return rc::gen::map(rc::gen::pair(any_of({2, 1, 3, 4}), rc::gen::container<RegistryCommands>(command)),
                      [](const auto& parts) { return RegistryScript{parts.first, parts.second}; });
}

}  // namespace

TEST_CASE("G1 to G3: a registry has the breakers that the rules say, and evicts in their order") {
  std::size_t scripts = 0;
  std::size_t evicted = 0;
  std::size_t unregistered = 0;
  std::size_t conflicts = 0;
  CHECK(
      holds("a registry does what the reference does", registry_script(), [&](const RegistryScript& script) {
        RegistryRun run{script.max_breakers};
        const std::string problem = run.run(script.commands);
        ++scripts;
        evicted += run.reference().evicted();
        unregistered += run.reference().unregistered();
        conflicts += run.reference().conflicts();
        return problem;
      }));

  // The scripts get everywhere.
  CHECK(evicted > scripts);
  CHECK(unregistered > scripts);
  CHECK(conflicts * 5 > scripts);
}
