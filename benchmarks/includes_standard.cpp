// What the compile time of includes_fusebox.cpp is measured against.
#include <chrono>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <vector>
