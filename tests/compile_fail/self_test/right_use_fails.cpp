// verdict: right_use_fails.cpp: the right uses do not compile

// A pointer is no int.
// expect: (invalid conversion|cannot initialize)
void both_wrong() {
#ifdef FUSEBOX_COMPILE_FAIL
  int number = "one";
#else
  int number = "1";
#endif
}
