#define OBJECTS_SEEN objects_seen_by_second
#include "unit.inl"
