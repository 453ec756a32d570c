// fusebox/dashboard/detail/page_style.hpp: the CSS of the page.
#pragma once
// IWYU pragma: private, include <fusebox/dashboard.hpp>

#include <string_view>

#include <fusebox/detail/macros.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

inline constexpr std::string_view dashboard_style = R"css(
:root {
  color-scheme: light dark;
  --page: light-dark(#f5f6f8, #0e1217);
  --card: light-dark(#ffffff, #161b22);
  --raised: light-dark(#eef1f5, #1f262f);
  --line: light-dark(#e2e6ec, #262d37);
  --text: light-dark(#18202b, #e5e9ef);
  --soft: light-dark(#5a6474, #9aa5b3);
  --link: light-dark(#1f5fd0, #79aaff);
  --ok: light-dark(#157347, #4cc38a);
  --note: light-dark(#5b5bd6, #a9a9ff);
  --warn: light-dark(#8f5a00, #f0b54a);
  --bad: light-dark(#c02a37, #ff7b80);
  --flow: light-dark(#4a7fd6, #5d92e6);
  --tint: light-dark(#dbe7fa, #1d3152);
  --row: 44px;
  font: 14px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
}
:root[data-theme="light"] { color-scheme: light; }
:root[data-theme="dark"] { color-scheme: dark; }
* { box-sizing: border-box; }
[hidden] { display: none !important; }
html, body { height: 100%; margin: 0; }
body {
  display: flex; flex-direction: column; background: var(--page); color: var(--text);
  height: 100dvh; overflow: hidden;
}
h1, h2, h3, p, ol, dl, dd { margin: 0; padding: 0; }
h1 { font-size: 16px; font-weight: 650; letter-spacing: -0.01em; }
h2 { font-size: 13px; font-weight: 650; }
h3 { font-size: 12px; font-weight: 600; color: var(--soft); }
button, input { font: inherit; color: inherit; }
button {
  background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 5px 11px; cursor: pointer;
}
button:hover { background: var(--raised); }
:focus-visible { outline: 2px solid var(--link); outline-offset: 1px; }
.skip { position: absolute; left: -999px; }
.skip:focus { left: 12px; top: 8px; background: var(--card); padding: 8px 12px; z-index: 9; border-radius: 8px; }
.number { font-variant-numeric: tabular-nums; }
.soft { color: var(--soft); }

/* The head: what, how well, how fresh */
.top { display: flex; align-items: center; gap: 10px 14px; padding: 14px 20px 10px; flex-wrap: wrap; }
.brand { display: flex; align-items: center; gap: 9px; min-width: 0; }
.brand svg { flex: none; width: 22px; height: 22px; color: var(--link); }
.brand h1 { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; max-width: 40vw; }
.verdict { display: flex; align-items: center; gap: 7px; padding: 3px 11px; border-radius: 99px; font-weight: 550;
  background: var(--raised); }
.verdict::before, .state::before { content: ""; flex: none; width: 9px; height: 9px; border-radius: 50%;
  background: currentColor; }
.verdict[data-tone="0"], .state[data-tone="0"]::before { color: var(--ok); }
.verdict[data-tone="1"], .state[data-tone="1"] { color: var(--note); }
.verdict[data-tone="2"], .state[data-tone="2"] { color: var(--warn); }
.verdict[data-tone="3"], .state[data-tone="3"] { color: var(--bad); }
.state[data-tone="2"]::before { border-radius: 50% 50% 0 0; height: 6px; }
.state[data-tone="3"]::before { border-radius: 2px; }
.state[data-tone="1"]::before { background: none; border: 2px solid currentColor; }
.tools { display: flex; align-items: center; gap: 8px; margin-left: auto; }
#age { white-space: nowrap; }
#trouble { margin: 0 20px 10px; padding: 8px 12px; border-radius: 8px; border: 1px solid var(--bad);
  color: var(--bad); background: var(--card); }

.tiles { display: grid; grid-template-columns: repeat(5, 1fr); gap: 10px; padding: 0 20px 12px; }
.tile { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 9px 14px 8px; min-width: 0; }
.tile b { display: block; font-size: 22px; font-weight: 620; line-height: 1.25; letter-spacing: -0.02em;
  font-variant-numeric: tabular-nums; }
.tile[data-tone="2"] b { color: var(--warn); }
.tile[data-tone="3"] b { color: var(--bad); }
.tile span { color: var(--soft); font-size: 12px; white-space: nowrap; }

main { flex: 1; min-height: 0; display: grid; grid-template-columns: minmax(0, 1fr) 350px; gap: 12px; padding: 0 20px 16px; }
.panel { background: var(--card); border: 1px solid var(--line); border-radius: 12px; min-height: 0; min-width: 0;
  display: flex; flex-direction: column; overflow: hidden; }

/* The bar over the list */
.bar { display: flex; align-items: center; gap: 8px; padding: 10px 12px; flex-wrap: wrap; border-bottom: 1px solid var(--line); }
.chips { display: flex; gap: 4px; flex-wrap: wrap; min-width: 0; }
#kinds { flex: 1 1 0; }
#tones { flex: 1 1 100%; }
.chips button { border-color: transparent; background: none; padding: 4px 9px; color: var(--soft); white-space: nowrap; }
.chips button:hover { background: var(--raised); }
.chips button[aria-pressed="true"] { background: var(--raised); color: var(--text); font-weight: 550; }
.chips i { font-style: normal; opacity: .75; margin-left: 3px; font-variant-numeric: tabular-nums; }
.search { flex: 0 0 220px; display: flex; align-self: flex-start; }
.search input { width: 100%; padding: 5px 10px; border-radius: 8px; border: 1px solid var(--line); background: var(--page); }
.search input::placeholder { color: var(--soft); opacity: 1; }

/* The list: rows of one height, of which only the visible ones exist */
.grid { flex: 1; min-height: 0; display: flex; flex-direction: column; }
.columns { display: grid; align-items: center; column-gap: 16px; padding: 0 14px;
  grid-template-columns: 104px minmax(120px, 1.3fr) 62px 56px 74px 116px minmax(110px, 1fr); }
.heads { height: 32px; border-bottom: 1px solid var(--line); font-size: 12px; }
.heads button { border: 0; background: none; padding: 2px 0; color: var(--soft); width: 100%; text-align: inherit;
  border-radius: 4px; }
.heads button:hover, [aria-sort="ascending"] button, [aria-sort="descending"] button { color: var(--text); }
[aria-sort="ascending"] button::after { content: " \2191"; }
[aria-sort="descending"] button::after { content: " \2193"; }
.heads .right, .rows .right { text-align: right; }
.heads .plain { color: var(--soft); }
.rows { flex: 1; min-height: 0; overflow-y: auto; overflow-x: hidden; position: relative; outline-offset: -2px; contain: strict;
  scrollbar-width: thin; }
.canvas { position: relative; }
.row { position: absolute; left: 0; right: 0; top: 0; height: var(--row); cursor: pointer; contain: strict;
  border-bottom: 1px solid color-mix(in srgb, var(--line) 60%, transparent); }
.row:hover { background: color-mix(in srgb, var(--raised) 55%, transparent); }
.row.current { background: var(--raised); }
.row > * { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; min-width: 0; }
.state { display: flex; align-items: center; gap: 7px; }
.name { display: flex; align-items: baseline; gap: 7px; }
.name bdi { overflow: hidden; text-overflow: ellipsis; font-weight: 550; }
.name small { color: var(--soft); flex: none; }
.rows .hot { color: var(--bad); font-weight: 600; }
.rows .zero { color: var(--soft); opacity: .8; }
.spark { display: block; width: 116px; height: 28px; overflow: visible; }
.ground { fill: none; stroke: var(--line); vector-effect: non-scaling-stroke; }
.area { fill: var(--tint); }
.curve { fill: none; stroke: var(--flow); stroke-width: 1.5; vector-effect: non-scaling-stroke; }
.lost { fill: var(--bad); opacity: .75; }
.empty { padding: 40px 20px; text-align: center; color: var(--soft); }

/* Events, and one policy */
.panel > header { display: flex; align-items: center; gap: 8px; padding: 10px 14px; border-bottom: 1px solid var(--line);
  min-height: 51px; }
.panel > header > :last-child:not(:only-child) { margin-left: auto; flex: none; }
.scroll { flex: 1; overflow-y: auto; padding: 4px 14px 14px; min-height: 0; scrollbar-width: thin; }
.events { list-style: none; }
.events li { padding: 9px 0; border-bottom: 1px solid color-mix(in srgb, var(--line) 60%, transparent); }
.events li:last-child { border: 0; }
.events .line { display: flex; gap: 8px; align-items: baseline; }
.events bdi { font-weight: 550; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; min-width: 0; }
.events time { margin-left: auto; flex: none; color: var(--soft); font-size: 12px; font-variant-numeric: tabular-nums; }
.events .why { color: var(--soft); font-size: 12.5px; overflow-wrap: anywhere; }
.events .why .state { display: inline-flex; }
.detail-name { overflow-wrap: anywhere; font-size: 16px; font-weight: 650; margin-top: 10px; }
.detail-state { display: flex; gap: 12px; align-items: center; margin: 4px 0 12px; flex-wrap: wrap; }
.chart { display: block; width: 100%; height: 96px; background: var(--page); border-radius: 8px; }
.legend { display: flex; justify-content: space-between; color: var(--soft); font-size: 12px; margin: 4px 0 14px; }
.facts { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 9px 14px; margin: 0 0 16px; }
.facts dt { color: var(--soft); font-size: 12px; }
.facts dd { font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
.related { display: flex; flex-wrap: wrap; gap: 6px; margin: 6px 0 16px; }
.related button { max-width: 100%; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; font-size: 12.5px; padding: 3px 9px; }
.actions { display: flex; gap: 8px; flex-wrap: wrap; align-items: center; margin: 0 0 16px; }
.actions .danger { color: var(--bad); border-color: var(--bad); }
.actions .danger.armed { background: var(--bad); color: var(--card); }
.actions output { color: var(--soft); font-size: 12.5px; flex-basis: 100%; }
.views { display: none; }

@media (max-width: 1180px) {
  main { grid-template-columns: minmax(0, 1fr) 300px; }
  .columns { grid-template-columns: 104px minmax(110px, 1fr) 66px 62px 74px 84px; }
  .columns > :nth-child(7) { display: none; }
  .spark { width: 84px; }
}
@media (max-width: 900px) {
  :root { --row: 62px; }
  .top { padding: 12px 14px 8px; }
  .brand { flex: 1 1 0; }
  .brand h1 { max-width: none; }
  .verdict { order: 1; padding: 2px 10px; }
  .tiles { grid-template-columns: repeat(3, 1fr); gap: 8px; padding: 0 14px 10px; }
  .tile { padding: 6px 11px; }
  .tile b { font-size: 18px; }
  .tile:nth-child(n + 4) { display: none; }
  #trouble { margin: 0 14px 8px; }
  main { grid-template-columns: minmax(0, 1fr); padding: 0 14px 12px; gap: 8px; }
  .views { display: flex; gap: 4px; padding: 0 14px 8px; }
  .views button { flex: 1; border-radius: 8px; }
  .views button[aria-pressed="true"] { background: var(--raised); font-weight: 600; }
  main[data-view="list"] > .side, main[data-view="side"] > .list { display: none; }
  .bar { padding: 8px 10px; }
  .bar .chips { flex-wrap: nowrap; overflow-x: auto; flex: 1 1 100%; scrollbar-width: none; }
  .tile span { display: block; overflow: hidden; text-overflow: ellipsis; }
  .search { flex: 1 1 100%; }
  .search input { font-size: 16px; padding: 7px 10px; }
  .heads { height: 38px; overflow-x: auto; display: flex; gap: 14px; scrollbar-width: none; }
  .heads .plain { display: none; }
  .heads button { width: auto; white-space: nowrap; padding: 8px 0; }
  .row { grid-template-columns: minmax(0, 1fr) auto 84px; grid-template-rows: 1fr 1fr; row-gap: 0; padding-top: 7px;
    padding-bottom: 7px; align-items: center; }
  .row > :nth-child(1) { grid-area: 2 / 1; font-size: 12.5px; }
  .row > :nth-child(2) { grid-area: 1 / 1; }
  .row > :nth-child(3) { grid-area: 1 / 2; }
  .row > :nth-child(4) { grid-area: 2 / 2; font-size: 12.5px; }
  .row > :nth-child(5), .row > :nth-child(7) { display: none; }
  .row > :nth-child(6) { grid-area: 1 / 3 / span 2; }
  .row > :nth-child(3)::after { content: "/s"; color: var(--soft); }
  .spark { width: 84px; height: 32px; }
}
@media (max-height: 560px) {
  body { overflow: auto; height: auto; }
  main { flex: none; height: 480px; }
}
@media (prefers-reduced-motion: no-preference) { button { transition: background .12s; } }
)css";

}  // namespace detail

FUSEBOX_END_NAMESPACE
