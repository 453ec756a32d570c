// A response type that is not known by its shape needs one function beside it.
// expect: this response type is unknown: write .void write_response.Response&, const fusebox::HttpResponse&.
#include <fusebox/error_response.hpp>

#include <string>

namespace mine {
struct Response {
  int code = 200;
  std::string text;
};

#ifdef FUSEBOX_COMPILE_FAIL
}  // namespace mine
#else
inline void write_response(Response& response, const fusebox::HttpResponse& answer) {
  response = {answer.status, answer.body};
}
}  // namespace mine
#endif

inline void answer(mine::Response& response) { fusebox::send_not_found_error(response); }
