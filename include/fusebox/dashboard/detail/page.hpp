// fusebox/dashboard/detail/page.hpp: puts the page of a dashboard together (H71).
#pragma once
// IWYU pragma: private, include <fusebox/dashboard.hpp>

#include <string>
#include <string_view>

#include <fusebox/dashboard/config.hpp>
#include <fusebox/dashboard/detail/page_body.hpp>
#include <fusebox/dashboard/detail/page_list.hpp>
#include <fusebox/dashboard/detail/page_model.hpp>
#include <fusebox/dashboard/detail/page_style.hpp>
#include <fusebox/dashboard/detail/page_view.hpp>
#include <fusebox/dashboard/detail/sha256.hpp>
#include <fusebox/detail/utf8.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

[[nodiscard]] inline std::string dashboard_script() {
  return std::string{dashboard_model}.append(dashboard_list).append(dashboard_view);
}

/// Names the style and the script by their hashes; nothing else may run or be loaded. Trusted Types: the
/// script itself can make no markup from a text.
[[nodiscard]] inline std::string dashboard_csp() {
  static const std::string policy =
      "default-src 'none'; script-src " + csp_hash(dashboard_script()) + "; style-src " +
      csp_hash(dashboard_style) +
      "; img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
      "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";
  return policy;
}

/// The text as HTML, also in an attribute.
[[nodiscard]] inline std::string html_text(std::string_view text) {
  std::string out;
  for_each_character(text, [&](std::string_view character) {
    switch (character.front()) {
      case '&': out.append("&amp;"); break;
      case '<': out.append("&lt;"); break;
      case '>': out.append("&gt;"); break;
      case '"': out.append("&quot;"); break;
      case '\'': out.append("&#39;"); break;
      default: out.append(is_control(character) ? std::string_view{"\xEF\xBF\xBD"} : character);
    }
  });
  return out;
}

[[nodiscard]] inline std::string dashboard_page(const DashboardConfig& config) {
  std::string page{dashboard_head};
  page.append("<meta name=\"fusebox-data\" content=\"").append(html_text(config.data_path));
  page.append("\">\n<meta name=\"fusebox-action\" content=\"").append(html_text(config.action_path));
  page.append("\">\n<title>").append(html_text(config.title)).append("</title>\n<style>");
  page.append(dashboard_style).append("</style>\n</head>").append(dashboard_body);
  page.append("<script>").append(dashboard_script()).append("</script>\n</body>\n</html>\n");
  return page;
}

}  // namespace detail

FUSEBOX_END_NAMESPACE
