// fusebox/dashboard/detail/page_view.hpp: the last part of the page's script: events, one policy, the head,
// the loop.
#pragma once
// IWYU pragma: private, include <fusebox/dashboard.hpp>

#include <string_view>

#include <fusebox/detail/macros.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

inline constexpr std::string_view dashboard_view = R"js(
// The side: all events, or one policy with its own

function makeEvent(event, isNamed) {
  const known = KINDS.has(event.kind), tone = event.kind !== "circuitBreakers" ?
    ({saturated: WARN, exhausted: WARN, throttling: WARN, enabled: NOTE}[event.what] ?? OK) :
    kindOf("circuitBreakers").state({state: event.what})[1];
  const at = new Date(event.time);
  const change = event.from ? `${words(event.from)} → ${words(event.what)}` : words(event.what);
  const why = [event.reason && words(event.reason), event.cause, event.times > 1 && `${event.times} times`].filter(Boolean);
  return make("li", {},
    make("div", {class: "line"}, make("bdi", {text: isNamed ? quoted(event.name) : "", title: event.name}),
      make("time", {text: at.toLocaleTimeString(), datetime: event.time, title: at.toLocaleString()})),
    make("div", {class: "why"}, make("span", {class: "state", "data-tone": String(tone), text: change}),
      make("span", {text: (known && event.kind !== "circuitBreakers" ? ` ${kindOf(event.kind).one}` : "") +
        (why.length ? ` · ${why.join(" · ")}` : "")})));
}

function drawEvents() {
  const policy = view.open && model.policies.get(view.open);
  const filter = view.filter.toLowerCase();
  const wanted = model.events.filter((event) => policy ? event.name === policy.name :
    !filter || event.name.toLowerCase().includes(filter)).slice(0, 200);
  const mark = `${view.open ?? ""}\n${filter}\n` + wanted.map((one) => `${one.number}x${one.times}@${one.time}`).join();
  if ($("events").dataset.mark === mark) return;
  $("events").dataset.mark = mark;
  $("events").replaceChildren(...wanted.map((event) => makeEvent(event, !policy)));
  $("no-events").hidden = wanted.length !== 0;
}

let detail = null;
function makeDetail(policy) {
  const spark = makeSpark("chart", 320, 96);
  const parts = {key: policy.key, spark, state: make("span", {class: "state"}), now: make("span", {class: "soft"}),
    legend: make("p", {class: "legend number"}, make("span"), make("span")), facts: make("dl", {class: "facts"}),
    related: make("div", {class: "related"})};
  const buttons = make("div", {class: "actions"}), output = make("output");
  const run = async (button, action) => {
    buttons.querySelectorAll("button").forEach((one) => { one.disabled = true; });
    setText(output, "…");
    try {
      await act(action, policy.name);
      setText(output, "Done.");
      await refresh();
    } catch (error) {
      setText(output, `Refused: ${error.message}`);
    }
    buttons.querySelectorAll("button").forEach((one) => { one.disabled = false; });
  };
  if (policy.kind === "circuitBreakers") {
    if (model.actions.reset) {
      const reset = make("button", {type: "button", text: "Reset", "data-action": "reset"});
      reset.addEventListener("click", () => run(reset, "reset"));
      buttons.append(reset);
    }
    if (model.actions.forceOpen) {
      const force = make("button", {type: "button", text: "Force open", class: "danger", "data-action": "force-open"});
      const disarm = () => { force.classList.remove("armed"); setText(force, "Force open"); };
      force.addEventListener("blur", disarm);
      force.addEventListener("click", (event) => {
        if (event.detail > 1) return;  // a double click does not confirm
        if (force.classList.contains("armed")) { disarm(); return run(force, "force-open"); }
        force.classList.add("armed");
        setText(force, "Reject all calls now");
      });
      buttons.append(force);
    }
  }
  const has = buttons.childElementCount > 0;
  buttons.append(output);
  $("detail").replaceChildren(
    make("p", {class: "detail-name"}, make("bdi", {text: quoted(policy.name)})),
    make("div", {class: "detail-state"}, parts.state, parts.now), spark.svg, parts.legend,
    ...(has ? [buttons] : []), parts.facts, make("h3", {text: "Same name"}), parts.related, make("h3", {text: "Events"}));
  return parts;
}

const shownFact = (value) => typeof value !== "number" ? String(value) : Number.isInteger(value) ?
  value.toLocaleString("en") : String(+value.toPrecision(4));
function drawDetail() {
  const policy = view.open && model.policies.get(view.open);
  if (view.open && !policy) view.open = null;
  $("back").hidden = $("detail").hidden = !policy;
  const kind = policy && kindOf(policy.kind).one;
  setText($("side-title"), policy ? kind[0].toUpperCase() + kind.slice(1) : "Events");
  if (!policy) { detail = null; return; }
  if (!detail || detail.key !== policy.key) detail = makeDetail(policy);
  set(detail.state, "data-tone", String(policy.tone));
  setText(detail.state, policy.state);
  setText(detail.now, policy.now);
  detail.spark.draw(policy.samples);
  setText(detail.legend.firstChild, `${figure(policy.rate)} calls/s`);
  setText(detail.legend.lastChild, `${percent(policy.failing)} fail, ${figure(policy.rejected)}/s rejected`);
  const facts = Object.entries(policy.stats).filter(([key]) => key !== "state").map(([key, value]) =>
    [label(key), key.endsWith("Time") ? ago(model.time - Date.parse(value)) : key === "failureRate" ||
      key === "rejectionRatio" ? percent(value) : shownFact(value)]);
  if (detail.facts.childElementCount !== facts.length)
    detail.facts.replaceChildren(...facts.map(() => make("div", {}, make("dt"), make("dd"))));
  facts.forEach(([name, value], i) => {
    setText(detail.facts.children[i].firstChild, name);
    setText(detail.facts.children[i].lastChild, value);
  });
  const related = [...model.policies.values()].filter((one) => one !== policy &&
    (one.name === policy.name || one.name.startsWith(policy.name + " ") || policy.name.startsWith(one.name + " ")));
  const mark = related.map((one) => one.key).join("\n");
  if (detail.mark === mark) return;
  detail.mark = mark;
  detail.related.hidden = detail.related.previousSibling.hidden = related.length === 0;
  detail.related.replaceChildren(...related.slice(0, 12).map((one) => {
    const button = make("button", {type: "button", text: `${kindOf(one.kind).one}${one.name === policy.name ? "" : " " +
      quoted(one.name)}`});
    button.addEventListener("click", () => show(one.key));
    return button;
  }));
}

function show(key) {
  view.open = key;
  view.current = key ?? view.current;
  $("side").scrollTop = 0;
  look(key ? "side" : "list");
  drawDetail();
  drawEvents();
  drawRows();
}
function look(which) {
  $("main").dataset.view = which;
  document.querySelectorAll(".views button").forEach((one) => set(one, "aria-pressed", String(one.dataset.view === which)));
  drawRows();
}

// The head

function drawHead() {
  const {summary} = model, totals = model.totals();
  setText($("title"), model.title);
  document.title = (summary.open ? `(${summary.open} open) ` : "") + model.title;
  setText($("verdict"), summary.open ? plural(summary.open, "breaker") + " open" :
    summary.halfOpen ? plural(summary.halfOpen, "breaker") + " probing" : "All breakers closed");
  set($("verdict"), "data-tone", String(summary.open ? BAD : summary.halfOpen ? WARN : OK));
  const all = totals.rate + totals.rejected, lost = all ? (totals.failed + totals.rejected) / all : null;
  const tiles = [[String(summary.total), "breakers", OK], [String(summary.open), "open", summary.open ? BAD : OK],
    [percent(lost), "of calls lost", lost >= 0.2 ? BAD : OK],
    [figure(totals.rate), "calls/s", OK], [figure(totals.rejected), "rejected/s", totals.rejected ? WARN : OK]];
  if (!$("tiles").childElementCount)
    $("tiles").append(...tiles.map(() => make("div", {class: "tile"}, make("b"), make("span"))));
  tiles.forEach(([value, text, tone], i) => {
    const tile = $("tiles").children[i];
    setText(tile.firstChild, value);
    setText(tile.lastChild, text);
    set(tile, "data-tone", String(tone));
  });
}

function draw() {
  drawHead();
  drawList();
  drawDetail();
  drawEvents();
}

// Asking again and again; once at a time, and not while nobody looks.

let timer = 0, asking = null;
function refresh() {
  asking ??= (async () => {
    clearTimeout(timer);
    try {
      const document = await ask();
      const start = performance.now();
      model.take(document);
      draw();
      performance.clearMeasures("fusebox-refresh");
      performance.measure("fusebox-refresh", {start, end: performance.now()});
      const isOther = Date.now() - model.changed < RECENT_MS;
      if (isOther) setText($("trouble"), "Another instance answers. The rates begin anew.");
      $("trouble").hidden = !isOther;
    } catch (error) {
      setText($("trouble"), `No answer from the service (${error.message}). ` +
        (model.received ? `These numbers are from ${new Date(model.received).toLocaleTimeString()}.` : ""));
      $("trouble").hidden = false;
    }
    asking = null;
    plan();
    tick();
  })();
  return asking;
}
function plan() {
  clearTimeout(timer);
  if (!view.paused && !document.hidden) timer = setTimeout(refresh, model.refresh);
}
function tick() {
  setText($("age"), view.paused ? "paused" : model.received ? ago(Date.now() - model.received) : "");
}

function measureRow() {
  rowHeight = parseInt(getComputedStyle(document.documentElement).getPropertyValue("--row"), 10);
  for (const row of rows) row.at = -1;
  $("canvas").style.height = `${view.shown.length * rowHeight}px`;
  drawRows();
}

const THEMES = ["auto", "light", "dark"];
function setTheme(theme) {
  if (theme === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  setText($("theme"), {auto: "\u25d0 Auto", light: "\u25cb Light", dark: "\u25cf Dark"}[theme]);
  $("theme").setAttribute("aria-label", `Colours: ${theme}`);
}

function start() {
  let theme = "auto";
  try { theme = localStorage.getItem("fusebox-theme") ?? theme; } catch { /* no storage */ }
  setTheme(THEMES.includes(theme) ? theme : "auto");
  $("theme").addEventListener("click", () => {
    theme = THEMES[(THEMES.indexOf(document.documentElement.dataset.theme ?? "auto") + 1) % 3];
    setTheme(theme);
    try { localStorage.setItem("fusebox-theme", theme); } catch { /* no storage */ }
  });
  $("pause").addEventListener("click", () => {
    view.paused = !view.paused;
    set($("pause"), "aria-pressed", String(view.paused));
    setText($("pause"), view.paused ? "Resume" : "Pause");
    if (view.paused) plan(); else refresh();
    tick();
  });
  $("filter").addEventListener("input", () => { view.filter = $("filter").value.trim(); $("rows").scrollTop = 0; draw(); });
  for (const head of $("heads").children) {
    head.querySelector("button")?.addEventListener("click", () => {
      view.down = head.dataset.by === view.by ? !view.down : head.dataset.by !== "name";
      view.by = head.dataset.by;
      $("rows").scrollTop = 0;
      draw();
    });
  }
  let waiting = false;
  $("rows").addEventListener("scroll", () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => { waiting = false; drawRows(); });
  }, {passive: true});
  const page = () => Math.max(1, Math.floor($("rows").clientHeight / rowHeight) - 1);
  $("rows").addEventListener("keydown", (event) => {
    const at = view.shown.findIndex((one) => one.key === view.current);
    const to = {ArrowDown: at + 1, ArrowUp: at - 1, PageDown: at + page(), PageUp: at - page(), Home: 0,
      End: view.shown.length - 1}[event.key];
    if (to === undefined && event.key !== "Enter") return;
    event.preventDefault();  // the same Enter would press the button that gets the focus
    if (event.key === "Enter") {
      if (at >= 0) { show(view.current); $("back").focus(); }
      return;
    }
    moveTo(to);
  });
  const close = () => { if (view.open) { show(null); $("rows").focus(); } };
  $("back").addEventListener("click", close);
  document.addEventListener("keydown", (event) => {
    const typing = event.target instanceof HTMLInputElement;
    if (event.key === "/" && !typing) { event.preventDefault(); look("list"); $("filter").focus(); }
    if (event.key === "Escape" && !(typing && view.filter)) close();
  });
  document.querySelectorAll(".views button").forEach((one) =>
    one.addEventListener("click", () => one.dataset.view === "side" ? (show(null), look("side")) : look("list")));
  document.addEventListener("visibilitychange", () => { if (!document.hidden && !view.paused) refresh(); else plan(); });
  new ResizeObserver(measureRow).observe($("rows"));
  setInterval(tick, 1000);
  refresh();
}
start();
)js";

}  // namespace detail

FUSEBOX_END_NAMESPACE
