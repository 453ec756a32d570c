// verdict: no_expectation.cpp:15: part of no whole wrong use: #ifdef

// A pointer is no int.
// expect: (invalid conversion|cannot initialize)
void whole() {
#ifdef FUSEBOX_COMPILE_FAIL
  int number = "one";
#else
  int number = 1;
#endif
}

// A pointer is no bool&, for some reason.
void without_expectation() {
#ifdef FUSEBOX_COMPILE_FAIL
  bool& flag = "true";
#else
  bool flag = true;
#endif
}
