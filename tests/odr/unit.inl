// The text of both translation units: OBJECTS_SEEN names the function that it defines.
#include "all_headers.hpp"
#include "objects.hpp"

std::vector<const void*> OBJECTS_SEEN() {
  std::vector<const void*> objects{&fusebox::http_category(), &fusebox::network_error_category(),
                                   &fusebox::policy_error_category(), &fusebox::category_condition()};
  objects.push_back(&fusebox::default_registry());
  objects.push_back(fusebox::get_circuit_breaker("odr").get());
  return objects;
}
