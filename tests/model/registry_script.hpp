// model/registry_script.hpp: what is done to a registry, as data. A script is total: an index counts round
// the handles that are held, so that any part of a script is a script.
#pragma once

#include <ostream>
#include <string>
#include <utility>
#include <vector>

namespace model {

struct RegistryCommand {
  enum class Kind {
    get,          // with the default config
    get_with,     // with config number `config`
    get_refused,  // with a config that validate refuses
    find,         // and keep what is found
    let_go,       // of the handle `which`
    trip,         // fail, until it opens
    probe,        // wait, and let a probe in that says nothing
    force_open,   // the breaker that is held
    disable,
    reset_held,
    reset,  // by name
    reset_all,
    remove,
    clear,
    subscribe,
    unsubscribe,
  };

  Kind kind = Kind::get;
  int name = 0;
  int config = 0;
  bool keeps = false;  // the handle that get gave
  unsigned which = 0;  // of the handles that are held
};
using RegistryCommands = std::vector<RegistryCommand>;

struct RegistryScript {
  int max_breakers;
  RegistryCommands commands;
};

inline std::string to_code(const RegistryCommand& command) {
  constexpr const char* kinds[] = {"get",    "get_with",   "get_refused", "find",       "let_go", "trip",
                                   "probe",  "force_open", "disable",     "reset_held", "reset",  "reset_all",
                                   "remove", "clear",      "subscribe",   "unsubscribe"};
  std::string code = "{.kind = RegistryCommand::Kind::";
  code += kinds[static_cast<int>(command.kind)];
  if (command.name != 0) code += ", .name = " + std::to_string(command.name);
  if (command.config != 0) code += ", .config = " + std::to_string(command.config);
  if (command.keeps) code += ", .keeps = true";
  if (command.which != 0) code += ", .which = " + std::to_string(command.which);
  return code + "}";
}

inline void showValue(const RegistryScript& script, std::ostream& out) {  // NOLINT: RapidCheck's name
  out << "RegistryScript{" << script.max_breakers << ", {";
  const char* separator = "";
  for (const RegistryCommand& command : script.commands)
    out << std::exchange(separator, ", ") << to_code(command);
  out << "}}";
}

}  // namespace model
