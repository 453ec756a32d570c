// verdict: no_right_use.cpp:14: part of no whole wrong use: // expect

// A pointer is no int.
// expect: (invalid conversion|cannot initialize)
void whole() {
#ifdef FUSEBOX_COMPILE_FAIL
  int number = "one";
#else
  int number = 1;
#endif
}

// A pointer is no bool&.
// expect: (invalid initialization|cannot bind|no known conversion)
void half() {
#ifdef FUSEBOX_COMPILE_FAIL
  bool& flag = "true";
#endif
}
