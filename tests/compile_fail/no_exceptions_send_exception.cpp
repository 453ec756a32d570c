// Without exceptions an answer is made from an ApiError.
// flags: -fno-exceptions
// expect: send_exception needs exceptions
#include <fusebox/error_response.hpp>

struct Response {};
inline void write_response(Response&, const fusebox::HttpResponse&) {}
#ifdef FUSEBOX_COMPILE_FAIL

inline void answer(Response& response, const std::exception_ptr& exception) {
  fusebox::send_exception(response, exception);
}
#else

inline void answer(Response& response, const fusebox::ApiError& error) {
  fusebox::send_api_error(response, error);
}
#endif
