#include "objects.hpp"

#include <cstdio>

int main() {
  if (objects_seen_by_first() != objects_seen_by_second()) {
    std::puts("the two translation units see different objects");
    return 1;
  }
  std::puts("one of each");
}
