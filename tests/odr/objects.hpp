// What both translation units see of the objects that must be one in the program.
#pragma once

#include <vector>

std::vector<const void*> objects_seen_by_first();
std::vector<const void*> objects_seen_by_second();
