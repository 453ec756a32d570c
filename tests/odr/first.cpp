#define OBJECTS_SEEN objects_seen_by_first
#include "unit.inl"
