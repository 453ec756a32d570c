// verdict: no_use.cpp: no wrong use
int number = 1;
