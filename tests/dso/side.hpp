// How fusebox looks from inside a shared library.
#pragma once

#include <memory>

struct Side {
  const void* (*registry)();  // the address of default_registry()
  const void* (*policies)();  // the address of default_policy_registry()
  const void* (*fill)(
      const char* name);  // the bulkhead of this name, made with one slot, after two rejections
  const void* (*breaker)(const char* name);  // the address of the breaker of this name, made if new
  void (*force_open)(const char* name);
  bool (*is_open)(const char* name);             // forced or not
  bool (*call)(const char* name);                // a call that succeeds; false if the breaker rejects it
  void (*fail)(const char* name, int times);     // calls that throw
  bool (*catches_rejection)(void (*thrower)());  // does the library catch what the program throws?
  const void* (*breaker_with)(const char* name, int failure_threshold);
  bool (*same_category)(const void* category);  // is policy_error_category() this object?
  int (*listen)(const char* name);  // the number of changes that two subscriptions received, which have ended
};
