// verdict: quoted_source.cpp:\d+: no message matches 'bare number': A pointer is no int

// A pointer is no int. Compilers quote the comment beside it, which is no message.
// expect: bare number
void quoted() {
#ifdef FUSEBOX_COMPILE_FAIL
  int number = "one";  // error: a bare number
#else
  int number = 1;
#endif
}
