#!/usr/bin/env python3
"""Opens the playground in a headless Chromium, uses it, and compares its numbers with the native build's.

check_page.py FOLDER NATIVE [SCREENSHOTS]

FOLDER is the built playground, NATIVE the program of native.cpp. With a folder for SCREENSHOTS, takes some.
Ends with 77 if there is no Chromium.
"""

import functools
import http.server
import json
import os
import pathlib
import subprocess
import sys
import threading
import urllib.parse

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "support"))
from browser import Browser, Missing  # noqa: E402

NUMBERS = """success_ratio peak_load_ratio amplification wasted_ratio recovery_s p50_ms p99_ms rejected_ratio""".split()
HOSTILE = (
    "#preset=%3Cimg%20src%3Dx%20onerror%3D%22window.hacked%3D1%22%3E",
    "#retries=%3Cscript%3Ewindow.hacked%3D1%3C%2Fscript%3E",
    "#%3Cscript%3Ewindow.hacked%3D1%3C%2Fscript%3E=1",
    "#preset=__proto__",
    "#__proto__=1",
    "#pipeline=constructor",
    "#retries=1e9",
    "#retries=NaN",
    "#retries=-1",
    "#retries=2&retries=3",
    "#seed=0.5",
    "#" + "a" * 100000,
    "#%ff%fe%00",
    "#from=90&to=10",
    "#javascript:window.hacked=1",
)
failures = []


def check(what, condition, seen=""):
    if not condition:
        failures.append(f"{what}: {seen}")


class Handler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def native(program, scenario, seed):
    """The result, and the C++."""
    question = json.dumps({"scenario": scenario, "seed": seed}) + "\n"
    done = subprocess.run([program], input=question, capture_output=True, encoding="utf-8", check=True, timeout=100)
    return done.stdout.splitlines()


def opened(browser, url, **options):
    page = browser.open(url, **options)
    page.wait("document.body.dataset.ready === 'true'")
    return page


def click(page, name):
    page.evaluate(f"document.getElementById('{name}').click()")


def text(page, name):
    return page.evaluate(f"document.getElementById('{name}').textContent")


def settled(page, time):
    """Paused at this time, and drawn."""
    page.wait(f"Math.abs(document.body.dataset.time - {time}) < 1e-6 && document.body.dataset.catching === 'false'")
    return page.evaluate("document.getElementById('mine-picture').toDataURL()")


def check_numbers(page, program):
    click(page, "finish")
    page.wait("document.body.dataset.ended === 'true'")
    for side in ("mine", "other"):
        result, cpp = native(program, page.evaluate(f"App.scenario('{side}')"), page.evaluate("App.seed()"))
        check(f"the result of {side}", page.evaluate(f"App.result('{side}')") == result, "not the native one")
        summary = json.loads(result)["summary"]
        check(f"calls of {side}", summary["calls"] > 1000, summary)
        for name in NUMBERS:
            seen = json.loads(page.evaluate(f"document.getElementById('{name}-{side}').dataset.value"))
            check(f"{name} of {side}", seen == summary[name], f"{seen}, natively {summary[name]}")
        if side == "mine":
            check("the C++", text(page, "cpp") == json.loads(cpp), text(page, "cpp"))
    check("what is read aloud", "of calls succeed" in text(page, "said"), text(page, "said"))


def check_settings(page):
    """A setting changes the picture, the link and the C++; with the keyboard alone."""
    if page.evaluate("document.getElementById('play').textContent") == "Pause":
        click(page, "play")
    time = 66
    page.evaluate(f"(seek => {{ seek.value = {time - 1}; seek.dispatchEvent(new Event('input')); }})("
                  "document.getElementById('seek'))")
    settled(page, time - 1)
    click(page, "step")
    before = settled(page, time)
    cpp = text(page, "cpp")
    check("the picture is drawn", len(before) > 5000, len(before))
    check("the picture of the same moment", settled(page, time) == before, "another one")

    page.evaluate("document.getElementById('set-clients').focus()")
    page.press("ArrowLeft")
    page.wait("location.hash.includes('clients=')")
    changed = settled(page, time)
    check("a slider changes the picture", changed != before, "it does not")
    check("a slider says its value", page.evaluate("document.getElementById('set-clients').ariaValueText || "
          "document.getElementById('set-clients').getAttribute('aria-valuetext')"), "nothing")
    page.press("ArrowRight")
    page.wait("!location.hash.includes('clients=')")
    check("the slider put back", settled(page, time) == before, "another picture")

    page.evaluate("document.getElementById('seek').focus()")
    page.press("ArrowRight")
    settled(page, time + 1)
    page.press("ArrowLeft")
    check("the time put back", settled(page, time) == before, "another picture")

    page.evaluate("document.getElementById('set-breaker').focus()")
    page.press(" ")
    page.wait("location.hash.includes('breaker=0')")
    check("a switch changes the picture", settled(page, time) != before, "it does not")
    check("a switch changes the C++", "CircuitBreaker" in cpp and "CircuitBreaker" not in text(page, "cpp"), cpp)

    page.evaluate("document.getElementById('set-retries').focus()")
    page.press("Home")
    page.wait("location.hash.includes('retries=0')")
    return page.evaluate("location.href")


def check_names(page):
    """All that can be used has a name, and can be reached."""
    nameless = page.evaluate("""[...document.querySelectorAll('button, select, input')].filter((one) =>
        !(one.labels && one.labels.length && one.labels[0].textContent.trim()) && !one.textContent.trim() &&
        !one.getAttribute('aria-label'))
        .map((one) => one.id || one.outerHTML)""")
    check("names", nameless == [], nameless)
    seen = []
    page.evaluate("document.querySelector('.skip').focus()")
    for _ in range(120):
        page.press("Tab")
        seen.append(page.evaluate("document.activeElement.id || document.activeElement.className || document.activeElement.tagName"))
    wanted = ["preset", "pipeline", "other", "seek", "play", "step", "finish", "speed", "set-retry", "set-retries", "set-breaker",
              "copy-code", "copy-link"]
    places = [seen.index(one) if one in seen else -1 for one in wanted]
    check("the order of Tab", -1 not in places and places == sorted(places), list(zip(wanted, places)))


def check_hostile(browser, address):
    for fragment in HOSTILE:
        page = opened(browser, address + fragment)
        said = page.evaluate("document.getElementById('message').hidden ? '' : document.getElementById('message').textContent")
        what = urllib.parse.unquote(fragment)[:60]
        check(f"{what} says what is wrong", said and len(said) < 300, said)
        check(f"{what} runs nothing", page.evaluate("window.hacked === undefined"), "it did")
        check(f"{what} plays all the same", page.evaluate("document.getElementById('play').textContent") == "Pause", said)
        check(f"{what}: the console", page.problems == [], page.problems)
        page.close()


def check_outage(page):
    """Within a second of playing, it is there."""
    page.wait("document.getElementById('verdict').textContent.startsWith('Now: outage')", 20)
    page.wait("/^0\\s% succeed/.test(document.getElementById('mine-now').textContent)", 20)


def check_layouts(browser, address, folder):
    colors = []
    for name, width, height in (("desktop", 1280, 900), ("phone", 360, 740)):
        for dark in (False, True):
            link = address + "#preset=outage&pipeline=plain_retry&other=standard_pipeline&base_delay=0.5"
            page = opened(browser, link, width=width, height=height, dark=dark)
            click(page, "finish")
            page.wait("document.body.dataset.ended === 'true'")
            wide = page.evaluate("document.documentElement.scrollWidth")
            check(f"{name}: fits", wide <= width, wide)
            colors.append(page.evaluate("getComputedStyle(document.body).backgroundColor"))
            if folder:
                page.screenshot(os.path.join(folder, f"{name}-{'dark' if dark else 'light'}.png"), whole=True)
            check(f"{name}: the console", page.problems == [], page.problems)
            page.close()
    check("light and dark", colors[0] == colors[2] != colors[1] == colors[3], colors)


def main():
    folder, program, *rest = sys.argv[1:]
    screenshots = rest[0] if rest else None
    if screenshots:
        os.makedirs(screenshots, exist_ok=True)
    handler = functools.partial(Handler, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server, Browser() as browser:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_address[1]}/"
        page = opened(browser, address)
        check_outage(page)
        check_numbers(page, program)
        link = check_settings(page)
        check_numbers(page, program)
        check_names(page)
        cpp = text(page, "cpp")
        check("the console", page.problems == [], page.problems)
        outside = [url for url in page.requests if not url.startswith((address, "data:", "about:"))]
        check("requests to others", outside == [], outside)
        page.close()

        page = opened(browser, link)
        check("a link brings the settings", text(page, "cpp") == cpp, text(page, "cpp"))
        check("a link says nothing", page.evaluate("document.getElementById('message').hidden"), text(page, "message"))
        page.close()

        page = opened(browser, pathlib.Path(folder).resolve().joinpath("index.html").as_uri(), dark=True)
        check_outage(page)
        check("the console, of a file", page.problems == [], page.problems)
        page.close()

        check_hostile(browser, address)
        check_layouts(browser, address, screenshots)
        server.shutdown()

    print("\n".join(failures) or "the page is as it should be")
    return 1 if failures else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Missing as missing:
        print(missing)
        sys.exit(77)
