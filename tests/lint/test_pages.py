"""Every public name is explained on a page for users."""

from support import LintTest, header, path

from lint import pages

GUIDE = """# Guide

`one`, `Clock`, `Retry`

## Breaker

`Breaker::good()`

## State

```cpp
State state = State::a;  // or b
```
"""
BODY = """
struct Shop {
  Shop();
  ~Shop();
  int price = 0;
  int (*judge)(int) = nullptr;
  bool operator==(const Shop&) const;
  explicit operator bool() const;
 private:
  int hidden;
};
struct Declared;
Shop open_shop(int hour);
template <class T>
inline constexpr bool is_shop = false;
enum class Size : int { small = 1, large };
namespace detail {
struct Machine {};
enum class Part { bolt };
}
"""
NAMES = ("Shop", "Shop::price", "Shop::judge", "open_shop", "is_shop", "Size", "Size::small", "Size::large")


def guide(more=""):
    return {"docs/guide.md": GUIDE + more}


def shop(more, page="docs/guide.md"):
    """A header with BODY, and what a page says of it."""
    changes = {**guide(), path("registry"): header("registry", body=BODY)}
    changes[page] = changes.get(page, "") + more
    return changes


class Pages(LintTest):
    def test_all_names_on_a_page(self):
        self.accepts(pages.check, guide())
        self.accepts(pages.check, shop(f"\n## Shop\n\n`{'`, `'.join(NAMES)}`\n"))

    def test_each_name_is_asked_for(self):
        for name in NAMES:
            if name in ("Shop", "Size"):
                continue
            page = ", ".join(f"`{other.split('::')[-1]}`" for other in NAMES if other != name)
            where = " in one section with" if "::" in name else ""
            with self.subTest(name=name):
                self.refuses(
                    pages.check, shop(f"\n## Shop\n\n{page}\n"), f"{path('registry')}:", f"{name} is on no page for users{where}"
                )

    def test_a_type(self):
        page = ", ".join(f"`{name.split('::')[-1]}`" for name in NAMES if name != "Shop")
        missing = pages.check(self.tree(shop(f"\n## Shop\n\n{page}\n")))
        self.assertEqual(len(missing), 3, missing)  # and its two fields

    def test_where_a_name_does_not_count(self):
        for page, text in (
            ("docs/guide.md", "\nThe words one and open_shop in prose.\n"),
            ("docs/guide.md", "\n<!-- preamble\n`open_shop(8)`\n-->\n"),
            ("docs/guide.md", "\n`open_shops`, `reopen_shop`\n"),
            ("docs/rules.md", "\n`open_shop(8)`\n"),
            ("docs/decisions/one.md", "\n`open_shop(8)`\n"),
            ("README.md", "\n`open_shop(8)`\n"),
        ):
            changes = {**guide(), path("registry"): header("registry", body="int open_shop(int hour);")}
            changes[page] = changes.get(page, "") + text
            with self.subTest(text=text, page=page):
                self.refuses(pages.check, changes, "open_shop is on no page")

    def test_where_a_name_counts(self):
        for text in ("\n`open_shop(8)`\n", "\n```sh\n```\n\n```cpp\nauto x = open_shop(8);\n```\n", "\n``a `open_shop` b``\n"):
            changes = {**guide(text), path("registry"): header("registry", body="int open_shop(int hour);")}
            with self.subTest(text=text):
                self.accepts(pages.check, changes)

    def test_a_member_far_from_its_class(self):
        body = {path("registry"): header("registry", body="struct Shop {\n  int at;\n};")}
        self.refuses(pages.check, {**guide("\n## A\n\n`Shop`\n\n## B\n\n`at`\n"), **body}, "Shop::at is on no page")
        self.accepts(pages.check, {**guide("\n## A\n\n`Shop`\n\n```sh\n# B\n```\n\n`at`\n"), **body})

    def test_what_need_not_be_on_a_page(self):
        for body in (
            "namespace detail {\nint hidden();\n}",
            "class Shop;",
            "struct Retry : std::exception {\n  using std::exception::exception;\n};",
            "struct Retry {\n private:\n  int hidden;\n  enum class Part { bolt };\n};",
            "FUSEBOX_END_NAMESPACE\nnamespace fmt {\nstruct formatter {\n  int parse();\n};\n}\nFUSEBOX_BEGIN_NAMESPACE",
        ):
            with self.subTest(body=body):
                self.accepts(pages.check, {**guide(), path("registry"): header("registry", body=body)})
        hidden = header("detail/ticks", "detail/macros", body="int hidden();")
        self.accepts(pages.check, {**guide(), path("detail/ticks"): hidden})

    def test_exceptions(self):
        changes = {**guide(), path("registry"): header("registry", body="int open_shop(int hour);")}
        self.accepts(pages.check, changes, ON_NO_PAGE={"open_shop": "why"})
        self.refuses(pages.check, guide(), "ON_NO_PAGE lists 'open_shop'", ON_NO_PAGE={"open_shop": "why"})
