#!/usr/bin/env python3
"""The page of a dashboard in a real, headless Chromium. Ends with 77 if there is none.

check_page.py SERVER [--shots FOLDER]     SERVER is the program of server.cpp; FOLDER gets screenshots to look at
"""

import argparse
import http.client
import json
import os
import re
import subprocess
import sys
import time
import unicodedata

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "support"))
from browser import Browser, Missing  # noqa: E402

BREAKERS = 1000
# The contrast by WCAG 2 of each text with what is behind it.
CONTRASTS = """(() => {
  const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const rgb = (color) => {
    canvas.clearRect(0, 0, 1, 1), canvas.fillStyle = color, canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const luminance = (color) => {
    const [r, g, b] = rgb(color).slice(0, 3).map((part) => part / 255)
        .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (let one = element; one; one = one.parentElement) {
      const color = getComputedStyle(one).backgroundColor;
      if (rgb(color)[3] === 255) return luminance(color);
    }
  };
  const low = [];
  for (const one of document.querySelectorAll("body *")) {
    const text = [...one.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (!text || !one.checkVisibility() || one.closest(".skip, script, noscript, .zero")) continue;
    const [a, b] = [luminance(getComputedStyle(one).color), behind(one)].sort();
    if ((b + 0.05) / (a + 0.05) < 4.5) low.push([one.className || one.tagName, one.textContent, (b + 0.05) / (a + 0.05)]);
  }
  return {low, page: luminance(getComputedStyle(document.body).backgroundColor)};
})()"""
# The frames, what the page does in each of them, and how many rows exist, while the list is scrolled to its end.
SCROLL = """new Promise((done) => {
  const box = document.getElementById("rows"), frames = [], work = [];
  let last = performance.now(), rows = 0;
  box.scrollTop = 0;
  const step = () => {
    const now = performance.now();
    frames.push(now - last), last = now;
    rows = Math.max(rows, document.querySelectorAll("#canvas .row").length);
    if (box.scrollTop + box.clientHeight >= box.scrollHeight - 1 || frames.length > 400) {
      frames.sort((a, b) => a - b), work.sort((a, b) => a - b);
      return done({rows, work: work[work.length >> 1], median: frames[frames.length >> 1],
                   p95: frames[Math.floor(frames.length * 0.95)], longest: frames[frames.length - 1]});
    }
    const start = performance.now();
    box.scrollTop += 400;
    drawRows();
    work.push(performance.now() - start);
    requestAnimationFrame(step);
  };
  requestAnimationFrame(step);
})"""
SHOWN = "[...document.querySelectorAll('#canvas .row:not([hidden])')].sort((a, b) => a.ariaRowIndex - b.ariaRowIndex)"


class Check:
    def __init__(self):
        self.count, self.failures = 0, []

    def __call__(self, good, words):
        self.count += 1
        if not good:
            self.failures.append(words)
            print(f"FAILED: {words}", flush=True)


def opened(browser, url, *options):
    """The page with a few answers."""
    page = browser.open(url, *options)
    page.wait("typeof rows !== 'undefined' && rows.length > 0 && rows[0].policy?.samples.length >= 2")
    return page


def column(page, index):
    return page.evaluate(f"{SHOWN}.map((row) => row.cells === undefined && row.children[{index}].textContent)")


def check_look(check, page, what, origin):
    check(not page.problems, f"H71 {what}: no error: {page.problems}")
    asked = {one for one in page.requests if not one.startswith("data:")}
    check(asked == {origin, origin + "dashboard.json"}, f"H71 {what}: asks for nothing else: {asked}")
    check(page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{what}: is not wider than the screen")
    wide = page.evaluate("[...document.querySelectorAll('body *')].filter((one) => one.checkVisibility() && !one.closest("
                         "'.skip, .chips, .heads') && one.getBoundingClientRect().right > innerWidth + 0.5)"
                         ".map((one) => one.className || one.tagName)")
    check(wide == [], f"{what}: nothing sticks out: {wide}")
    contrasts = page.evaluate(CONTRASTS)
    check(contrasts["low"] == [], f"{what}: each text is readable: {contrasts['low'][:5]}")
    nameless = page.evaluate("[...document.querySelectorAll('button, input, [tabindex]')].filter((one) => "
                             "one.checkVisibility() && !one.textContent.trim() && !one.ariaLabel).map((one) => one.outerHTML)")
    check(nameless == [], f"{what}: all that can be used has a name: {nameless}")
    return contrasts["page"]


def check_list(check, page, health):
    page.evaluate("document.getElementById('pause').click()")
    total = page.evaluate("view.shown.length")
    check(total == BREAKERS, f"H75 every breaker is in the list: {total}")
    states = page.evaluate("view.shown.map((one) => one.tone)")
    check(states == sorted(states, reverse=True) and states[0] > 0, "H75 the worst are on top")
    lost = page.evaluate("[view.shown[0].state, view.shown[0].rejected, view.shown.at(-1).rate]")
    check(lost[0] == "open" and lost[1] > 0 and lost[2] > 1, f"H70 an open breaker rejects, a closed one has calls: {lost}")
    for by, key in (("name", "name"), ("rate", "rate"), ("failing", "failing ?? -1"), ("rejected", "rejected")):
        orders = []
        for _ in range(2):
            page.evaluate(f"document.querySelector('[data-by={by}] button').focus()")
            page.press("Enter")
            orders.append(page.evaluate(f"view.shown.map((one) => one.{key})"))
            said = page.evaluate(f"document.querySelector('[data-by={by}]').ariaSort")
            check(said == ("descending" if page.evaluate("view.down") else "ascending"), f"H75 {by}: says how it sorts: {said}")
        up, down = (orders if by == "name" else orders[::-1])
        check(up == sorted(up) and down == sorted(down, reverse=True), f"H75 sorts by {by}")
    page.press("Escape")
    page.press("/")
    check(page.evaluate("document.activeElement.id") == "filter", "H75 / leads to the filter")
    page.call("Input.insertText", text="PAYMENTS")
    check(column(page, 1)[:2] in (["payments", "payments eu"], ["payments eu", "payments"]) and len(column(page, 1)) == 2,
          f"H75 the filter finds part of a name: {column(page, 1)}")
    page.evaluate("(box => { box.value = 'nobody'; box.dispatchEvent(new Event('input')); })(document.getElementById('filter'))")
    check("No policy fits" in page.evaluate("document.getElementById('empty').textContent"), "H75 an empty list says why")
    page.evaluate("(box => { box.value = ''; box.dispatchEvent(new Event('input')); })(document.getElementById('filter'))")
    page.evaluate("[...document.querySelectorAll('#tones button')].find((one) => one.textContent.startsWith('Open')).click()")
    check(set(column(page, 0)) == {"open"}, f"H75 a chip shows one state: {set(column(page, 0))}")
    page.evaluate("[...document.querySelectorAll('#tones button')].find((one) => one.textContent.startsWith('Open')).click()")
    kinds = page.evaluate("[...document.querySelectorAll('#kinds button span')].map((one) => one.textContent)")
    known = page.evaluate("[...KINDS.keys()]")
    check(kinds == [*page.evaluate("[...KINDS.values()].map((one) => one.many)"), "All"], f"H70 each kind has a chip: {kinds}")
    check(set(health) - {"timestamp", "summary"} == set(known), f"H70 the page knows each kind: {known}, {list(health)}")
    empty = [kind for kind in known if not health.get(kind)]
    check(not empty, f"H70 the server has a policy of each kind, but of {empty}")
    page.evaluate("[...document.querySelectorAll('#kinds button')].at(-1).click()")
    check(page.evaluate("view.shown.length") == BREAKERS + len(known) - 1, "H70 all policies")
    chips = page.evaluate("""(() => {
      const policy = new Policy("leases", "payments");
      policy.update({}, 1);
      model.policies.set(policy.key, policy);
      drawList();
      const texts = [...document.querySelectorAll("#kinds button span")].map((one) => one.textContent);
      model.policies.delete(policy.key);
      drawList();
      return texts;
    })()""")
    check("leases" in chips, f"H70 so has a kind that the page does not know: {chips}")
    page.evaluate("document.querySelector('#kinds button').click()")


def check_keyboard(check, page):
    page.evaluate("document.getElementById('rows').focus()")
    page.press("End")
    last = page.evaluate("view.shown.at(-1).name")
    shown = page.evaluate("document.getElementById(document.getElementById('rows').getAttribute('aria-activedescendant'))"
                          ".children[1].textContent")
    check(shown == last, f"H75 End leads to the last: {shown}, {last}")
    page.evaluate("document.querySelector('[data-by=name] button').click()")
    page.evaluate("document.querySelector('[data-by=name] button').click()")
    told = page.evaluate("""(() => {
      const id = document.getElementById("rows").getAttribute("aria-activedescendant");
      return id === null || document.getElementById(id)?.children[1].textContent === view.current.split(" ").slice(1).join(" ");
    })()""")
    check(told, "H75 after sorting, the current row is still the one that is told")
    page.evaluate("document.getElementById('rows').focus()")
    page.press("Home")
    page.press("ArrowDown")
    page.press("Enter")
    name = page.evaluate("view.shown[1].name")
    check(page.evaluate("document.querySelector('.detail-name').textContent") == name, "H75 Enter opens a policy")
    check(page.evaluate("document.activeElement.id") == "back", "H75 the focus is in it")
    check(page.evaluate("document.querySelectorAll('#detail button[data-action]').length") == 0, "H73 no button by default")
    facts = page.evaluate("[...document.querySelectorAll('.facts dt')].map((one) => one.textContent)")
    check("Rejected count" in facts and len(facts) >= 9, f"H70 all its numbers: {facts}")
    page.press("Escape")
    check(page.evaluate("document.getElementById('detail').hidden && document.activeElement.id") == "rows", "H75 Escape closes")


def check_speed(check, page):
    page.evaluate("document.querySelector('[data-by=rate] button').click()")
    page.evaluate("document.getElementById('pause').click()")  # goes on
    times = []
    for _ in range(4):
        times.append(page.evaluate("""(async () => {
          await refresh();
          return performance.getEntriesByName("fusebox-refresh")[0].duration;
        })()"""))
    scroll = page.evaluate(SCROLL)
    nodes = page.evaluate("document.querySelectorAll('*').length")
    print(f"{BREAKERS} breakers: a refresh takes {min(times):.1f} to {max(times):.1f} ms of the page; a frame while scrolling "
          f"{scroll['median']:.1f} ms, of which its own {scroll['work']:.1f}, 95 % below {scroll['p95']:.1f}, longest "
          f"{scroll['longest']:.1f}; {nodes} elements")
    check(min(times) < 50, f"H75 a refresh takes less than three frames: {times}")
    check(scroll["rows"] < 60 and nodes < 3500, f"H75 only visible rows exist: {scroll}, {nodes} elements")
    check(scroll["work"] < 16, f"H75 scrolling does not stutter: {scroll}")  # a busy machine is late with frames


def check_events(check, page):
    events = page.evaluate("[...document.querySelectorAll('#events li')].map((one) => one.textContent)")
    check(any("half-open → open" in one and "probe failed" in one and "503" in one for one in events),
          f"H72 an event says what and why: {events[:3]}")
    check(len(events) <= 200, f"H72 not more than the config says: {len(events)}")


def quoted(name):
    """As the page shows it."""
    def is_odd(one):
        return unicodedata.category(one)[0] == "C" or (one.isspace() and one != " ")

    if name and not re.search(r'^[\s"]|\s$|\s\s', name) and not any(map(is_odd, name)):
        return name
    return '"' + "".join(f"\\u{{{ord(one):x}}}" if one == "\\" or is_odd(one) else one for one in name) + '"'


def shown_as(page, name):
    return page.evaluate(f"quoted({json.dumps(name)})")


def check_hostile(check, page, origin):
    check(not page.problems, f"H71 hostile names cause no error: {page.problems}")
    check(page.evaluate("window.hacked === undefined && document.images.length === 0"), "H71 hostile names do nothing")
    check(page.evaluate("document.querySelectorAll('script').length") == 1, "H71 no other script exists")
    title = page.evaluate("document.getElementById('title').textContent")
    check("</title><script>" in title and "</title><script>" in page.evaluate("document.title"), f"H71 the title is text: {title}")
    names = page.evaluate("view.shown.map((one) => one.name)")
    check(len(names) == 13 and "__proto__" in names and any(len(one) == 512 for one in names), f"H71 each is a name: {names}")
    for name in names:
        page.evaluate(f"show({json.dumps('circuitBreakers ' + name)})")
        shown = page.evaluate("document.querySelector('.detail-name').textContent")
        check(shown == quoted(name), f"H71 the name is shown as it is: {shown!r}, {name!r}")
    odd = [name for name in names if shown_as(page, name) != name]
    check(len(odd) >= 4, f"H71 a name with what cannot be seen is in quotes: {odd}")
    alike = ["a b", "a  b", " a", "a ", '" a"', " \u202e", r" \u{202e}", "a\u00a0b", "a\u200bb", "ab", "\u202eba", ""]
    ways = [shown_as(page, name) for name in alike]
    check(len(set(ways)) == len(alike) and all(ways[i] == quoted(name) for i, name in enumerate(alike)) and
          all(one.isprintable() for one in ways), f"H71 no two names look alike: {ways}")
    page.evaluate("document.querySelector('[data-by=name] button').click()")
    check(page.evaluate("window.hacked === undefined") and not page.problems, f"H71 nor opened: {page.problems}")
    # The policy is enforced, not only sent.
    blocked = page.evaluate("""(() => {
      try { document.body.innerHTML = "<img src=x onerror=window.hacked=1>"; return false; } catch { return true; }
    })()""")
    check(blocked, "H71 no markup can be made from a text")
    page.problems.clear()


def check_actions(check, page, name):
    page.evaluate(f"show({json.dumps('circuitBreakers ' + name)})")
    buttons = page.evaluate("[...document.querySelectorAll('#detail button[data-action]')].map((one) => one.dataset.action)")
    check(buttons == ["reset", "force-open"], f"H73 the buttons of the functions: {buttons}")
    page.evaluate("document.querySelector('[data-action=force-open]').focus()")
    page.press("Enter")
    page.evaluate("refresh().then(refresh)")
    check(page.evaluate("model.policies.get(view.open).state") != "forced-open", "H73 forcing open asks again")
    page.press("Enter")
    page.wait("model.policies.get(view.open).state === 'forced-open'", 10)
    page.wait("document.querySelector('#detail .state').textContent === 'forced-open'", 10)
    page.evaluate("document.querySelector('[data-action=reset]').click()")
    page.wait("model.policies.get(view.open).state === 'closed'", 10)
    check(not page.problems, f"H73 acting causes no error: {page.problems}")


    # A login in front of the service answers with a page, and nothing is done.
    said = page.evaluate("""(async () => {
      const real = window.fetch;
      let asked;
      window.fetch = async (url, options) => { asked = options; return new Response("<title>Log in</title>", {status: 200}); };
      document.querySelector("[data-action=reset]").click();
      const output = document.querySelector(".actions output"), {redirect} = asked;
      while (output.textContent === "…") await new Promise((done) => setTimeout(done, 10));
      window.fetch = real;
      return [output.textContent, redirect];
    })()""")
    check(said == ["Refused: <title>Log in</title>", "error"], f"H73 only 204 is a success: {said}")
    armed = page.evaluate("""(() => {
      const button = document.querySelector("[data-action=force-open]");
      button.dispatchEvent(new MouseEvent("click", {detail: 1}));
      button.dispatchEvent(new MouseEvent("click", {detail: 2}));
      const armed = button.classList.contains("armed");
      button.dispatchEvent(new Event("blur"));
      return armed;
    })()""")
    check(armed, "H73 a double click does not force open")


def check_answers(check, page):
    """What the page makes of answers that it does not expect. Ends with answers that are made up."""
    page.evaluate("document.getElementById('pause').click()")
    page.evaluate("""(async () => {
      await refresh();
      window.given = await ask();
      window.count = 0;
      window.change = (document) => document;
      ask = async () => { ++count; return change(structuredClone(given)); };
      window.first = () => model.policies.values().next().value;
    })()""")
    asked = page.evaluate("""(async () => {
      change = () => ({error: "down"});
      view.paused = false;
      await refresh();
      const before = count;
      await new Promise((done) => setTimeout(done, 300));
      return [count - before, model.refresh, document.getElementById("trouble").hidden];
    })()""")
    check(asked == [0, 500, False], f"H70 another document is an error, and not asked for at once: {asked}")
    rates = page.evaluate("""(async () => {
      const later = (seconds, calls) => (document) => {
        document.health.timestamp = new Date(Date.parse(given.health.timestamp) + seconds * 1000).toISOString();
        for (const one of Object.values(document.health.circuitBreakers)) one.successCount += calls;
        return document;
      };
      change = later(-3600, 0);
      await refresh();
      const none = first().samples.length;
      change = later(-3590, 50);
      await refresh();
      return [none, first().samples.length, first().rate];
    })()""")
    check(rates == [0, 1, 5], f"H70 rates begin anew if the clock was set back: {rates}")
    other = page.evaluate("""(async () => {
      change = (document) => {
        document.instance = "another";
        for (const one of document.events) one.cause = "of another process", one.time = "2030-01-01T00:00:00.000Z";
        document.health.timestamp = "2030-01-01T00:00:00.000Z";
        return document;
      };
      show(null);
      await refresh();
      const trouble = document.getElementById("trouble");
      return [first().samples.length, trouble.hidden, trouble.textContent.includes("Another instance"),
              document.querySelector("#events li").textContent.includes("of another process")];
    })()""")
    check(other == [0, False, True, True], f"H70 H72 another instance begins anew: {other}")


def check_attack(check, browser, plain, armed):
    """A page of another origin tries all that a browser lets it."""
    page = browser.open(plain + "robots.txt")  # without the policy of the page
    page.problems.clear()
    tries = page.evaluate(f"""(async () => {{
      const url = {json.dumps(armed + "dashboard/action")};
      const attempt = async (options) => {{
        try {{ return (await fetch(url, {{method: "POST", body: "search", ...options}})).status; }} catch {{ return "blocked"; }}
      }};
      return [await attempt({{mode: "no-cors"}}), await attempt({{headers: {{"X-Fusebox-Action": "force-open"}}}}),
              await attempt({{mode: "no-cors", headers: {{"X-Fusebox-Action": "force-open"}}}})];
    }})()""")
    check(set(tries) <= {0, "blocked"}, f"H74 another origin gets nothing: {tries}")
    _, text = ask(armed, "GET", "/dashboard.json", {})
    state = json.loads(text)["health"]["circuitBreakers"]["search"]["state"]
    check(state == "closed", f"H74 and does nothing: {state}")
    page.close()


def ask(origin, method, path, headers, body=None):
    connection = http.client.HTTPConnection(origin[len("http://"):-1], timeout=10)
    connection.request(method, path, body=body, headers=headers)
    response = connection.getresponse()
    text = response.read().decode("utf-8")
    connection.close()
    return response, text


def check_requests(check, armed):
    good = {"X-Fusebox-Action": "force-open", "Origin": armed[:-1]}
    path = "/dashboard/action"
    for what, status, headers in (
        ("another origin", 403, {**good, "Origin": "http://evil.example"}),
        ("no origin", 403, {"X-Fusebox-Action": "force-open"}),
        ("the origin null", 403, {**good, "Origin": "null"}),
        ("a name that leads here", 403, {**good, "Host": "evil.example", "Origin": "http://evil.example"}),
        ("without the header", 403, {"Origin": armed[:-1]}),
        ("another site", 403, {**good, "Sec-Fetch-Site": "cross-site"}),
        ("no such action", 404, {**good, "X-Fusebox-Action": "close"}),
    ):
        response, _ = ask(armed, "POST", path, headers, "search")
        check(response.status == status, f"H74 {what}: {response.status}")
    response, _ = ask(armed, "POST", path, good, "nobody")
    check(response.status == 404, f"H74 no such breaker: {response.status}")
    response, _ = ask(armed, "GET", path, good)
    check((response.status, response.headers["Allow"]) == (405, "POST"), f"H74 GET: {response.status}")
    _, text = ask(armed, "GET", "/dashboard.json", {})
    state = json.loads(text)["health"]["circuitBreakers"]["search"]["state"]
    check(state == "closed", f"H74 no refused request acts: {state}")
    response, text = ask(armed, "GET", "/", {})
    policy = response.headers["Content-Security-Policy"]
    check("default-src 'none'" in policy and "unsafe" not in policy, f"H71 {policy}")
    check(response.headers["X-Content-Type-Options"] == "nosniff", "H71 nosniff")
    check(not re.search(r"(?:src|href)=[\"']?(?:https?:)?//", text), "H71 no outside resource")


def run(server, shots):
    check = Check()
    with subprocess.Popen([server, str(BREAKERS)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as served:
        plain, armed = (f"http://127.0.0.1:{served.stdout.readline().strip()}/" for _ in range(2))
        try:
            check_requests(check, armed)
            with Browser() as browser:
                backs = {}
                for what, width, height, dark in (("desktop, light", 1360, 860, False), ("desktop, dark", 1360, 860, True),
                                                  ("phone, light", 390, 844, False), ("phone, dark", 360, 700, True)):
                    page = opened(browser, plain, width, height, dark)
                    backs[dark] = check_look(check, page, what, plain)
                    if shots:
                        time.sleep(4)
                        page.screenshot(os.path.join(shots, f"dashboard, {what}.png".replace(", ", "-")))
                    if what == "desktop, light":
                        check_events(check, page)
                        check_list(check, page, json.loads(ask(plain, "GET", "/dashboard.json", {})[1])["health"])
                        check_keyboard(check, page)
                        check_speed(check, page)
                    elif what == "desktop, dark":
                        page.evaluate("document.getElementById('theme').click()")
                        check(page.evaluate(CONTRASTS)["page"] > 0.8, "H75 the colours can be chosen")
                        page.evaluate("document.getElementById('theme').click()")
                        page.wait("document.getAnimations().length === 0")  # colours of buttons change gradually
                        check(page.evaluate(CONTRASTS) == {"low": [], "page": backs[True]}, "H75 dark, whatever the system says")
                        page.evaluate("document.getElementById('theme').click()")  # as the system, for the next pages
                    elif what == "phone, light":
                        page.evaluate("show(view.shown[0].key)")
                        check(page.evaluate("document.getElementById('detail').checkVisibility()"), "a phone shows a policy")
                        check_look(check, page, "phone, a policy", plain)
                    check(not page.problems, f"{what}: no error in the end: {page.problems}")
                    page.close()
                check(backs[True] < 0.1 < 0.8 < backs[False], f"dark is dark, light is light: {backs}")
                page = opened(browser, armed, 1360, 860)
                check_actions(check, page, "payments")
                check_hostile(check, page, armed)
                check_answers(check, page)
                page.close()
                check_attack(check, browser, plain, armed)
            served.stdin.close()
            check(served.wait(10) == 0, "the server ends")
        finally:
            served.kill()
    print(f"{check.count} checks, {len(check.failures)} failed")
    return 1 if check.failures else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("server")
    parser.add_argument("--shots")
    arguments = parser.parse_args()
    try:
        return run(os.path.abspath(arguments.server), arguments.shots)
    except Missing as missing:
        print(missing)
        return 77


if __name__ == "__main__":
    sys.exit(main())
