// A side that is loaded with dlopen, until it is destroyed.
#pragma once

#include "side.hpp"

#include <dlfcn.h>

#include <stdexcept>

class Module {
 public:
  Module(const char* path, const char* entry) : handle_{dlopen(path, RTLD_NOW | RTLD_LOCAL)} {
    if (handle_ == nullptr) throw std::runtime_error{dlerror()};
    side_ = reinterpret_cast<const Side* (*)()>(dlsym(handle_, entry))();
  }
  ~Module() { dlclose(handle_); }
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;

  const Side* operator->() const { return side_; }

 private:
  void* handle_;
  const Side* side_ = nullptr;
};

inline Module load_module() { return {MODULE_PATH, "side_module"}; }
inline Module load_module_hidden() { return {MODULE_HIDDEN_PATH, "side_module_hidden"}; }
