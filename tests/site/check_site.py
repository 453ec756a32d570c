#!/usr/bin/env python3
"""Opens the site in a headless Chromium: as files and from a server, wide and on a phone, light and dark.

tests/site/check_site.py build/site [SCREENSHOTS]

The exit code is 1 if something is wrong, and 77 if there is no Chromium.
"""

import base64
import contextlib
import functools
import http.server
import os
import pathlib
import re
import sys
import threading

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "support"))
from browser import Browser, Missing  # noqa: E402

PAGES = ("index", "pages", "retry", "circuit-breaker", "rules", "comparison", "scoreboard", "cheat-sheet", "adaptive-limit",
         "source/include/fusebox/retry.hpp")
SIZES = (("desktop", 1280, 900), ("phone", 390, 800))
SCROLLS = ".md-typeset__scrollwrap, pre, .diagram, .highlight, .md-sidebar__scrollwrap, .md-search__scrollwrap, .md-tabs__list"
failures = []


def check(what, condition, seen=""):
    if not condition:
        failures.append(f"{what}: {seen}")


def attempt(what, function, *arguments):
    try:
        function(*arguments)
    except TimeoutError as late:
        failures.append(f"{what}: {late}")


class Handler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def check_page(page, what, width, allowed):
    check(f"{what}: the console", page.problems == [], page.problems)
    outside = [url for url in page.requests if not url.startswith((*allowed, "data:", "about:", "blob:"))]
    check(f"{what}: requests to others", outside == [], outside)
    wide = page.evaluate("document.documentElement.scrollWidth")
    check(f"{what}: fits", wide <= width, f"{wide} pixels on {width}")
    cut = page.evaluate(f"""[...document.querySelectorAll('.md-content *')]
        .filter((one) => !one.closest('{SCROLLS}') && one.getClientRects().length &&
                         one.getBoundingClientRect().right > {width} + 1)
        .slice(0, 3).map((one) => one.outerHTML.slice(0, 80))""")
    check(f"{what}: nothing sticks out", cut == [], cut)
    lost = page.evaluate("[...document.images].filter((one) => one.complete && !one.naturalWidth).map((one) => one.src)")
    check(f"{what}: images", lost == [], lost)


def check_search(browser, address, what):
    """The page loses a query that comes while its scripts begin: then it is asked again, as a user would."""
    page = browser.open(f"{address}/index.html")
    found = False
    for _ in range(10):
        page.evaluate("""(() => {
            const query = document.querySelector('.md-search__input');
            const toggle = document.getElementById('__search');
            if (toggle.checked) { query.blur(); toggle.click(); }
            toggle.click();
            query.focus();
            for (const value of ['', 'retry']) {
                query.value = value;
                query.dispatchEvent(new Event('keyup'));
            }
        })()""")
        with contextlib.suppress(TimeoutError):
            page.wait("document.querySelectorAll('.md-search-result__link').length > 5", seconds=6)
            found = True
            break
    check(f"{what}: the search finds something", found)
    links = page.evaluate("[...document.querySelectorAll('.md-search-result__link')].map((one) => one.href.split('?')[0])")
    check(f"{what}: the search finds the page", f"{address}/retry.html" in links, links)
    check(f"{what}: the console while searching", page.problems == [], page.problems)
    page.close()


def check_navigation(browser, address):
    """Each page is one click away from its section, and the anchor of a rule is there."""
    page = browser.open(f"{address}/rules.html#b9-a-rejection-records-no-outcome", width=1280)
    page.wait("scrollY > 5000")
    page.wait("document.querySelector('.md-nav--secondary .md-nav__link--active') !== null")
    shown = page.evaluate("""[...document.querySelectorAll('.md-nav--secondary .md-nav__link')]
        .filter((one) => one.getClientRects().length).length""")
    check("the table of contents of the rules shows one section", 25 < shown < 80, shown)
    page.close()


def check_sheet(browser, address):
    page = browser.open(f"{address}/cheat-sheet.html", media="print")
    pdf = base64.b64decode(page.call("Page.printToPDF", printBackground=True, preferCSSPageSize=True)["data"])
    check("the cheat sheet is one sheet", len(re.findall(rb"/Type\s*/Page\b", pdf)) in (1, 2), "more than two pages")
    page.close()


def check_playground(browser, address, folder):
    page = browser.open(f"{address}/playground.html")
    if os.path.exists(os.path.join(folder, "playground", "index.html")):
        page.evaluate("document.querySelector('iframe.playground').scrollIntoView()")
        page.wait("""(() => { const frame = document.querySelector('iframe.playground').contentDocument;
                              return frame && frame.body && frame.body.dataset.ready === 'true'; })()""")
    check("the playground: the console", page.problems == [], page.problems)
    page.close()


def main():
    folder = os.path.abspath(sys.argv[1])
    screenshots = sys.argv[2] if len(sys.argv) > 2 else None
    if screenshots:
        os.makedirs(screenshots, exist_ok=True)
    files = pathlib.Path(folder).as_uri()
    backs = {}
    for dark in (False, True):
        with Browser() as browser:  # a new one: the site keeps the choice of colours
            for name in PAGES:
                for size, width, height in SIZES[dark:]:  # dark: on a phone
                    what = f"{name}, {size}, {'dark' if dark else 'light'}"
                    page = browser.open(f"{files}/{name}.html", width=width, height=height, dark=dark)
                    check_page(page, what, width, (files,))
                    backs.setdefault(name, set()).add((dark, page.evaluate("getComputedStyle(document.body).backgroundColor")))
                    if screenshots:
                        page.screenshot(os.path.join(screenshots, what.replace("/", "_").replace(", ", "-") + ".png"))
                    page.close()
            if not dark:
                attempt("the search, as files", check_search, browser, files, "as files")
                check_sheet(browser, files)
                with http.server.ThreadingHTTPServer(
                        ("127.0.0.1", 0), functools.partial(Handler, directory=folder)) as server:
                    threading.Thread(target=server.serve_forever, daemon=True).start()
                    address = f"http://127.0.0.1:{server.server_address[1]}"
                    attempt("the search, from a server", check_search, browser, address, "from a server")
                    attempt("the rules", check_navigation, browser, address)
                    attempt("the playground", check_playground, browser, address, folder)
                    server.shutdown()
    for name, seen in backs.items():
        check(f"{name}: light and dark", len(seen) == 2 and len({color for _, color in seen}) == 2, seen)

    print("\n".join(failures) or f"site: {len(PAGES)} pages opened, light and dark, wide and narrow: as they should be")
    return 1 if failures else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Missing as missing:
        print(missing)
        sys.exit(77)
