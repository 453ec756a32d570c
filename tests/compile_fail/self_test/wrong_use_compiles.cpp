// verdict: wrong_use_compiles.cpp:17: the wrong use compiles: An int is no bool

// A pointer is no int.
// expect: (invalid conversion|cannot initialize)
void refused() {
#ifdef FUSEBOX_COMPILE_FAIL
  int number = "one";
#else
  int number = 1;
#endif
}

// An int is no bool: C++ does not agree.
// expect: (invalid conversion|cannot initialize)
void compiles() {
#ifdef FUSEBOX_COMPILE_FAIL
  bool flag = 1;
#else
  bool flag = true;
#endif
}
