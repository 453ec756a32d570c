// verdict: 5 wrong uses give the expected errors, [12] of them only by themselves
// flags: -DLIMIT=4
template <class T>
constexpr int size_of() {
  static_assert(sizeof(T) <= LIMIT, "too large");
  return sizeof(T);
}

template <class T>
void size_later() {
  size_of<T>();
}

template <class T>
auto deduced() {
  size_later<T>();
}

// A literal is no int*.
// expect: (invalid conversion|cannot initialize)
void own_line() {
#ifdef FUSEBOX_COMPILE_FAIL
  const int* pointer = 1;
#else
  const int* pointer = nullptr;
#endif
}

// A double is too large. The error is in the template, and only names this line.
// expect: too large
void line_of_the_instantiation() {
#ifdef FUSEBOX_COMPILE_FAIL
  constexpr int size = size_of<double>();
#else
  constexpr int size = size_of<float>();
#endif
}

// A double is still too large. The error above hides this one.
// expect: too large
void hidden() {
#ifdef FUSEBOX_COMPILE_FAIL
  constexpr int size = size_of<double>();
#else
  constexpr int size = size_of<char>();
#endif
}

// A long double is too large. Only g++ names this line: clang forgets what deduced() led to.
// expect: too large
void end_of_the_source() {
#ifdef FUSEBOX_COMPILE_FAIL
  deduced<long double>();
#else
  deduced<int>();
#endif
}

// A note is a message too: this one says where the function is declared.
// expect: (declared here|explicitly deleted)
void deleted(int) = delete;
void note() {
#ifdef FUSEBOX_COMPILE_FAIL
  deleted(1);
#else
  own_line();
#endif
}
