// fusebox/dashboard/detail/page_list.hpp: the second part of the page's script: the list of policies.
//
// Texts reach elements by textContent alone. Only the rows that can be seen exist, and are written only if
// they change: the cost of a refresh does not grow with the policies.
#pragma once
// IWYU pragma: private, include <fusebox/dashboard.hpp>

#include <string_view>

#include <fusebox/detail/macros.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

inline constexpr std::string_view dashboard_list = R"js(
const $ = (id) => document.getElementById(id);
const SVG = "http://www.w3.org/2000/svg";

function make(tag, {text, ...fields} = {}, ...children) {
  const element = tag === "svg" || tag === "path" ? document.createElementNS(SVG, tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(fields)) element.setAttribute(name, value);
  if (text !== undefined) element.textContent = text;
  element.append(...children);
  return element;
}
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
function set(element, name, value) {
  if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

const figure = (n) => n === 0 ? "0" : n < 9.95 ? n.toFixed(1) : n < 999.5 ? String(Math.round(n)) :
  n < 99950 ? (n / 1000).toFixed(1) + "k" : Math.round(n / 1000) + "k";
const percent = (share) => share === null ? "–" : share === 0 ? "0 %" :
  share < 0.01 ? "<1 %" : `${Math.round(share * 100)} %`;
const words = (name) => name.replace(/_/g, " ");
// No two names look alike because of what cannot be seen.
const quoted = (name) => !name || /^[\s"]|\s$|\s\s|\p{C}|[^\S ]/u.test(name) ?
  `"${name.replace(/[\\\p{C}]|[^\S ]/gu, (c) => `\\u{${c.codePointAt(0).toString(16)}}`)}"` : name;
const label = (key) => key.replace(/Ms$/, " (ms)").replace(/Time$/, "").replace(/([A-Z])/g, (c) => " " + c.toLowerCase())
  .replace(/^./, (c) => c.toUpperCase());
function ago(ms) {
  const seconds = Math.max(0, Math.round(ms / 1000));
  return seconds < 2 ? "now" : seconds < 60 ? `${seconds} s ago` : seconds < 3600 ? `${Math.floor(seconds / 60)} min ago` :
    seconds < 86400 ? `${Math.floor(seconds / 3600)} h ago` : `${Math.floor(seconds / 86400)} d ago`;
}

// Calls as an area, what failed or was rejected as another from the ground.
function curves(samples, width, height) {
  if (samples.length < 2) return ["", "", ""];
  let top = 1e-9;
  const points = samples.map((one) => {
    const all = (one.calls + one.rejected) / one.seconds, lost = (one.failed + one.rejected) / one.seconds;
    top = Math.max(top, all);
    return [all, lost];
  });
  const step = width / (Math.max(20, points.length) - 1), x = (i) => (width - (points.length - 1 - i) * step).toFixed(1);
  const y = (value) => (height - 1.5 - value / top * (height - 4)).toFixed(1);
  const line = points.map(([all], i) => `${i ? "L" : "M"}${x(i)} ${y(all)}`).join("");
  const ground = `L${x(points.length - 1)} ${height}L${x(0)} ${height}Z`;
  const lost = points.some((one) => one[1] > 0) ?
    points.map((one, i) => `${i ? "L" : "M"}${x(i)} ${one[1] > 0 ? y(one[1]) : height}`).join("") + ground : "";
  return [line + ground, line, lost];
}
function makeSpark(name, width, height) {
  const paths = ["area", "curve", "lost"].map((one) => make("path", {class: one}));
  const ground = make("path", {class: "ground", d: `M0 ${height - 0.5}H${width}`});
  const svg = make("svg", {class: name, viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none",
    "aria-hidden": "true"}, ground, ...paths);
  return {svg, draw: (samples) => curves(samples, width, height).forEach((d, i) => set(paths[i], "d", d))};
}

// The list

const view = {kind: "circuitBreakers", tone: null, filter: "", by: "tone", down: true, shown: [], current: null,
  open: null, paused: false};
const TONES = [[BAD, "Open"], [WARN, "Strained"], [NOTE, "Special"], [OK, "Well"]];
const BY = {
  tone: (a, b) => a.tone - b.tone || a.rejected - b.rejected,
  name: (a, b) => a.name < b.name ? -1 : a.name > b.name ? 1 : 0,
  rate: (a, b) => a.rate - b.rate,
  failing: (a, b) => (a.failing ?? -1) - (b.failing ?? -1),
  rejected: (a, b) => a.rejected - b.rejected,
};
const rows = [];

function makeRow() {
  const cells = ["state", "name", "number right", "number right", "number right", "", "soft"]
    .map((name) => make("div", {role: "gridcell", class: name}));
  const name = make("bdi"), kind = make("small"), spark = makeSpark("spark", 116, 28);
  cells[1].append(name, kind);
  cells[5].append(spark.svg);
  const element = make("div", {role: "row", class: "columns row"}, ...cells);
  const row = {element, cells, name, kind, spark, policy: null, drawn: null, at: -1};
  element.addEventListener("click", () => row.policy && show(row.policy.key));
  $("canvas").append(element);
  return row;
}

function fill(row, policy, index, height) {
  if (row.at !== index) {
    row.at = index;
    row.element.style.transform = `translateY(${index * height}px)`;
    row.element.setAttribute("aria-rowindex", String(index + 2));
    row.element.id = `row-${index}`;
  }
  const {cells} = row;
  if (row.policy !== policy) {
    row.policy = policy;
    row.drawn = null;
    setText(row.name, quoted(policy.name));
    cells[1].title = policy.name;
  }
  row.element.classList.toggle("current", policy.key === view.current);
  setText(row.kind, view.kind ? "" : kindOf(policy.kind).one);
  set(cells[0], "data-tone", String(policy.tone));
  setText(cells[0], policy.state);
  const drawn = policy.samples[policy.samples.length - 1];
  if (row.drawn === drawn && drawn) return setText(cells[6], policy.now);
  row.drawn = drawn;
  setText(cells[2], figure(policy.rate));
  cells[2].classList.toggle("zero", policy.rate === 0);
  setText(cells[3], percent(policy.failing));
  cells[3].classList.toggle("hot", policy.failing >= 0.2);
  cells[3].classList.toggle("zero", !policy.failing);
  setText(cells[4], figure(policy.rejected));
  cells[4].classList.toggle("hot", policy.rejected > 0);
  cells[4].classList.toggle("zero", policy.rejected === 0);
  setText(cells[6], policy.now);
  row.spark.draw(policy.samples);
}

let rowHeight = 44;
function drawRows() {
  const box = $("rows"), first = Math.max(0, Math.floor(box.scrollTop / rowHeight) - 4);
  const count = Math.min(view.shown.length - first, Math.ceil(box.clientHeight / rowHeight) + 9);
  const size = Math.max(count, 0);
  while (rows.length < size) rows.push(makeRow());
  for (const row of rows) row.used = false;
  for (let index = first; index < first + size; ++index) {
    const row = rows[index % rows.length];
    row.used = true;
    row.element.hidden = false;
    fill(row, view.shown[index], index, rowHeight);
  }
  for (const row of rows) if (!row.used) row.element.hidden = true;
  const at = view.shown.findIndex((one) => one.key === view.current);
  if (at >= first && at < first + size) set(box, "aria-activedescendant", `row-${at}`);
  else box.removeAttribute("aria-activedescendant");
}

function choose() {
  const filter = view.filter.toLowerCase();
  const shown = [];
  const kinds = new Map(), tones = [0, 0, 0, 0];
  for (const policy of model.policies.values()) {
    if (filter && !policy.lower.includes(filter)) continue;
    kinds.set(policy.kind, (kinds.get(policy.kind) ?? 0) + 1);
    if (view.kind && policy.kind !== view.kind) continue;
    ++tones[policy.tone];
    if (view.tone === null || policy.tone === view.tone) shown.push(policy);
  }
  const by = BY[view.by], sign = view.down ? -1 : 1;
  shown.sort((a, b) => sign * by(a, b) || BY.name(a, b));
  view.shown = shown;
  return {kinds, tones};
}

function chips(box, chosen, all, pick) {
  const wanted = all.map(([value]) => String(value)).join("\n");
  if (box.dataset.values !== wanted) {
    box.dataset.values = wanted;
    box.replaceChildren(...all.map(([value]) => {
      const button = make("button", {type: "button"}, make("span"), make("i"));
      button.addEventListener("click", () => { pick(value); draw(); });
      return button;
    }));
  }
  all.forEach(([value, text, count], i) => {
    const button = box.children[i];
    setText(button.firstChild, text);
    setText(button.lastChild, count === null ? "" : String(count));
    set(button, "aria-pressed", String(value === chosen));
  });
}

function drawList() {
  const {kinds, tones} = choose();
  const known = new Set([...model.policies.values()].map((one) => one.kind));
  const all = [...new Set([...KINDS.keys(), ...known])].filter((kind) => known.has(kind) || kind === "circuitBreakers");
  chips($("kinds"), view.kind, [...all.map((kind) => [kind, kindOf(kind).many, kinds.get(kind) ?? 0]),
    ...(all.length > 1 ? [[null, "All", null]] : [])], (kind) => { view.kind = kind; view.tone = null; });
  const used = TONES.filter(([tone]) => tones[tone] || view.tone === tone);
  $("tones").hidden = used.length < 2 && view.tone === null;
  chips($("tones"), view.tone, used.map(([tone, text]) => [tone, text, tones[tone]]),
    (tone) => { view.tone = view.tone === tone ? null : tone; });
  for (const head of $("heads").children) {
    if (head.dataset.by) set(head, "aria-sort", head.dataset.by !== view.by ? "none" : view.down ? "descending" : "ascending");
  }
  set($("grid"), "aria-rowcount", String(view.shown.length + 1));
  $("canvas").style.height = `${view.shown.length * rowHeight}px`;
  $("rows").hidden = view.shown.length === 0;
  $("empty").hidden = view.shown.length !== 0;
  setText($("empty"), model.policies.size === 0 ? "No policy has been used yet." : "No policy fits the filter.");
  drawRows();
}

function moveTo(index) {
  if (!view.shown.length) return;
  index = Math.min(Math.max(index, 0), view.shown.length - 1);
  view.current = view.shown[index].key;
  const box = $("rows"), top = index * rowHeight;
  if (top < box.scrollTop) box.scrollTop = top;
  if (top + rowHeight > box.scrollTop + box.clientHeight) box.scrollTop = top + rowHeight - box.clientHeight;
  drawRows();
}

)js";

}  // namespace detail

FUSEBOX_END_NAMESPACE
