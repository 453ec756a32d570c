// verdict: message_of_another.cpp:24: no message matches 'too large': A char is too small

template <class T>
constexpr int size_of() {
  static_assert(sizeof(T) <= 4, "too large");
  static_assert(sizeof(T) >= 2, "too small");
  return sizeof(T);
}

// A double is too large.
// expect: too large
void too_large() {
#ifdef FUSEBOX_COMPILE_FAIL
  constexpr int size = size_of<double>();
#else
  constexpr int size = size_of<float>();
#endif
}

// A char is too small, but the message of the double is expected.
// expect: too large
void too_small() {
#ifdef FUSEBOX_COMPILE_FAIL
  constexpr int size = size_of<char>();
#else
  constexpr int size = size_of<short>();
#endif
}
