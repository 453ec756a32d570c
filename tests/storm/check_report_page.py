#!/usr/bin/env python3
"""A report of storm in a real, headless Chromium. Ends with 77 if there is none.

check_report_page.py STORM [--shots FOLDER]     STORM is the program; FOLDER gets screenshots to look at
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "support"))
from browser import Browser, Missing  # noqa: E402

ATTACK = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'&amp;"
SCENARIO = {
    "name": "page",
    "title": f"Hostile {ATTACK}",
    "description": ATTACK,
    "duration": "60s",
    "warm_up": "10s",
    "clients": {"count": 300, "instances": 3, "calls_per_minute": 6},
    "dependencies": [{"name": f"service {ATTACK}", "capacity": 10, "queue": 20,
                      "disturbances": [{"kind": "outage", "from": "20s", "to": "30s"}]}],
    "pipelines": [
        {"name": "no_policy", "title": ATTACK, "policies": []},
        {"name": "plain_retry", "policies": [{"policy": "retry", "base_delay": "0s", "jitter": "none"}]},
        {"name": "breaker", "policies": [{"policy": "breaker", "reset_timeout": "2s"}]},
        *({"name": f"limit_{n}", "policies": [{"policy": "bulkhead", "max_concurrent": n}]} for n in range(1, 8)),
        {"name": "standard_pipeline", "title": "As it comes", "policies": [{"policy": "standard_pipeline"}]},
    ],
}

# The contrast of two colours by WCAG 2, of each series, and of the text, with the page.
CONTRASTS = """(() => {
  const luminance = (color) => {
    const [r, g, b] = color.match(/[\\d.]+/g).slice(0, 3).map((part) => part / 255)
        .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (a, b) => (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  const page = luminance(getComputedStyle(document.body).backgroundColor);
  const lines = [...document.querySelectorAll("#multiples .storm-chart path")];
  return {
    series: lines.map((line) => contrast(luminance(getComputedStyle(line).stroke), page)),
    text: contrast(luminance(getComputedStyle(document.body).color), page),
    soft: contrast(luminance(getComputedStyle(document.querySelector(".storm-chart-note")).color), page),
    page,
  };
})()"""


class Check:
    def __init__(self):
        self.failures = []

    def __call__(self, good, words):
        if not good:
            self.failures.append(words)
            print(f"FAILED: {words}", flush=True)


def texts(page, selector):
    return page.evaluate(f"[...document.querySelectorAll({json.dumps(selector)})].map((one) => one.textContent)")


def check_loading(check, page, url, what):
    page.wait("document.documentElement.dataset.ready === 'yes'")
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    check(not page.problems, f"{what}: no error: {page.problems}")
    asked = [one for one in page.requests if not one.startswith("data:")]
    check(asked == [url], f"{what}: asks for nothing but itself: {asked}")
    check(page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{what}: is not wider than the screen")
    check(page.evaluate("document.images.length") == 0, f"{what}: no element comes from a name")


def check_table(check, page):
    def column():
        return page.evaluate("[...document.querySelectorAll('#table tbody tr')].map((row) => row.cells[2].dataset.value)")

    before = column()
    for wanted in ("ascending", "descending"):
        page.evaluate("document.querySelectorAll('#table thead button')[2].focus()")
        page.press("Enter")
        values = [float(value) for value in column()]
        check(values == sorted(values, reverse=wanted == "descending"), f"the table sorts, {wanted}: {values}")
        check(page.evaluate("document.querySelectorAll('#table thead th')[2].getAttribute('aria-sort')") == wanted,
              f"the heading says so: {wanted}")
    check(sorted(before) == sorted(column()), "sorting loses no row")
    check(len(texts(page, "#table .best")) > 0, "best values are marked")


def check_legend(check, page):
    def drawn(chart=0):
        return page.evaluate(f"[...document.querySelectorAll('#charts .storm-chart')[{chart}].querySelectorAll('path')]"
                             ".filter((one) => one.style.display !== 'none').length")

    boxes = "document.querySelectorAll('#legend input')"
    check(page.evaluate(f"{boxes}.length") == len(SCENARIO["pipelines"]), "the legend has each pipeline")
    few = page.evaluate(f"[...{boxes}].filter((box) => box.checked).length")
    check(0 < few < len(SCENARIO["pipelines"]), f"a few are shown at first: {few}")
    check(drawn() == few, "as many lines as boxes are checked")
    page.evaluate(f"{boxes}[0].focus()")
    page.press(" ")
    check(drawn() == few - 1 and drawn(1) == few - 1, "the space bar hides a pipeline in each chart")
    page.press(" ")
    check(drawn() == few, "and shows it again")
    page.evaluate("[...document.querySelectorAll('#legend button')].find((one) => one.textContent === 'all').click()")
    check(drawn() == len(SCENARIO["pipelines"]), "'all' shows all")
    page.evaluate("[...document.querySelectorAll('#legend button')].find((one) => one.textContent === 'a few').click()")
    check(drawn() == few, "'a few' shows the few again")


def check_cursor(check, page, data):
    chart = "document.querySelectorAll('#charts .storm-chart')[0]"
    page.evaluate(f"{chart}.querySelector('svg').focus()")
    page.press("Home")
    for _ in range(3):
        page.press("ArrowRight")
    page.press("ArrowRight", shift=True)
    rows = page.evaluate(f"[...{chart}.querySelectorAll('.storm-chart-readout-row')].map((row) => "
                         "[row.firstChild.textContent, row.lastChild.textContent])")
    head = texts(page, ".storm-chart-readout-head")[0]
    check(head == "0:13", f"three steps and ten lead to second 13: {head}")
    standard = next(one for one in data["pipelines"] if one["name"] == "standard_pipeline")
    wanted = f"{standard['seconds']['attempts'][13]}/s"
    shown = [value for name, value in rows if name.endswith("As it comes")]
    check(shown == [wanted], f"the cursor reads the data: {shown}, {wanted}")
    page.press("Escape")
    check(page.evaluate(f"{chart}.querySelector('.storm-chart-readout').hidden"), "Escape hides the values")
    page.evaluate(f"{chart}.querySelector('svg').scrollIntoView({{block: 'center'}})")
    box = page.evaluate(f"(() => {{ const box = {chart}.querySelector('svg').getBoundingClientRect();"
                        "return [box.x, box.y, box.width, box.height]; })()")
    page.move(box[0] + box[2] * 0.45, box[1] + box[3] / 2)
    check(not page.evaluate(f"{chart}.querySelector('.storm-chart-readout').hidden"), "the pointer shows values, too")


def check_data(check, page, csv):
    data = page.evaluate("JSON.parse(document.getElementById('data').textContent)")
    names = [one["name"] for one in data["pipelines"]]
    check(names == [one["name"] for one in SCENARIO["pipelines"]], f"the pipelines: {names}")
    header, *rows = [line.split(",") for line in csv.splitlines()]
    for one, row in zip(data["pipelines"], rows):
        for name, value in list(zip(header, row))[1:]:
            shown = one["summary"][name]
            check(float(value) == (float("inf") if shown is None else shown), f"{one['name']}: {name} is that of the CSV")
    check(page.evaluate("document.querySelector('h1').textContent") == SCENARIO["title"], "the title is text")
    return data


def run(storm, shots):
    check = Check()
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "page.json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump(SCENARIO, file)
        subprocess.run([storm, "run", "--scenario", path, "--seed", "7", "--out", folder], check=True,
                       stdout=subprocess.DEVNULL)
        with open(os.path.join(folder, "page.csv"), encoding="utf-8", newline="") as file:
            csv = file.read()
        url = f"file://{folder}/page.html"
        with Browser() as browser:
            backs = {}
            for what, width, height, dark in (("desktop, light", 1280, 900, False), ("desktop, dark", 1280, 900, True),
                                              ("phone, light", 390, 844, False), ("phone, dark", 390, 844, True)):
                page = browser.open(url, width, height, dark)
                check_loading(check, page, url, what)
                contrasts = page.evaluate(CONTRASTS)
                backs[dark] = contrasts["page"]
                check(len(contrasts["series"]) == len(SCENARIO["pipelines"]), f"{what}: a small chart for each pipeline")
                check(min(contrasts["series"]) >= 3, f"{what}: each line stands out: {contrasts['series']}")
                check(min(contrasts["text"], contrasts["soft"]) >= 4.5, f"{what}: text is readable: {contrasts}")
                if shots:
                    page.screenshot(os.path.join(shots, f"report, {what}.png".replace(", ", "-")), whole=True)
                if what == "desktop, light":
                    data = check_data(check, page, csv)
                    check_table(check, page)
                    check_legend(check, page)
                    check_cursor(check, page, data)
                    check(not page.problems, f"no error in the end: {page.problems}")
                page.close()
            check(backs[True] < 0.1 < 0.8 < backs[False], f"dark is dark, light is light: {backs}")
    print(f"{len(check.failures)} failure(s)" if check.failures else "the report works")
    return 1 if check.failures else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("storm")
    parser.add_argument("--shots")
    arguments = parser.parse_args()
    try:
        return run(os.path.abspath(arguments.storm), arguments.shots)
    except Missing as missing:
        print(missing)
        return 77


if __name__ == "__main__":
    sys.exit(main())
