// G4: the addresses of the objects that must be one in the program, as each translation unit sees them.
#pragma once

#include <vector>

std::vector<const void*> objects_seen_by_first();
std::vector<const void*> objects_seen_by_second();
