// Errors, categories and error responses.
#include <fusebox/api_error.hpp>
#include <fusebox/error_code.hpp>
#include <fusebox/error_response.hpp>

#include <string>

using namespace fusebox;

struct UnknownResponse {
  int code = 200;
  std::string text;
};

struct KnownResponse {
  int code = 200;
  std::string text;
};

void write_response(KnownResponse& response, const HttpResponse& answer) {
  response = {answer.status, answer.body};
}

// An int is no ErrorCategory: the status of a response has to go through category_of.
// expect: (cannot convert|cannot initialize).*ErrorCategory
void category_from_int() {
#ifdef FUSEBOX_COMPILE_FAIL
  constexpr ErrorCategory category = 404;
#else
  constexpr ErrorCategory category = category_of(404);
  static_assert(http_status(category) == 404);
#endif
}

// A number is no ErrorCode.
// expect: (no matching function|no matching constructor|could not convert|cannot convert)
void api_error_from_status() {
#ifdef FUSEBOX_COMPILE_FAIL
  const ApiError error{404, "no such order"};
#else
  const ApiError error{ErrorCode::not_found, "no such order"};
#endif
}

// One pair of braces too many would make a field of two pointers.
// expect: (deleted|no matching|could not convert|no known conversion)
void validation_error_with_too_many_braces() {
  KnownResponse response;
#ifdef FUSEBOX_COMPILE_FAIL
  send_validation_error(response, {{{"email", "Invalid"}, {"name", "missing"}}});
#else
  send_validation_error(response, {{"email", "Invalid"}, {"name", "missing"}});
#endif
}

// The same for one field, and for with_details.
// expect: (deleted|no matching|could not convert|no known conversion|ambiguous)
void details_with_too_many_braces() {
#ifdef FUSEBOX_COMPILE_FAIL
  const auto error = ApiError{ErrorCode::bad_request}.with_details({{{"email", "Invalid"}}});
#else
  const auto error = ApiError{ErrorCode::bad_request}.with_details({{"email", "Invalid"}});
#endif
}

// A response type of unknown shape needs one function beside it.
// expect: response type is unknown.*write_response
void send_to_unknown_response() {
#ifdef FUSEBOX_COMPILE_FAIL
  UnknownResponse response;
  send_not_found_error(response);
#else
  KnownResponse response;
  send_not_found_error(response);
#endif
}
