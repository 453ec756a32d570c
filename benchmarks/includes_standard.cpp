// The baseline for the compile time of includes_fusebox.cpp.
#include <chrono>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <vector>
