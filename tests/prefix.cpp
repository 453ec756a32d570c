// Compiled with prefix.hpp, so that there is a target that owns the precompiled header.
