// storm/web/report.js: makes the page of storm/report.cpp live: the table sorts, the legend chooses, the charts.
"use strict";

(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const pipelines = data.pipelines;
  const MOST_SHOWN = 5;

  function element(parent, tag, attributes = {}, text) {
    const node = document.createElement(tag);
    for (const name in attributes) node.setAttribute(name, attributes[name]);
    if (text !== undefined) node.textContent = text;
    parent.appendChild(node);
    return node;
  }

  // The table.

  function makeSortable(table) {
    const body = table.tBodies[0];
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, index) => {
      const button = element(head, "button", {type: "button"}, head.textContent);
      head.firstChild.remove();
      button.addEventListener("click", () => {
        const descending = head.getAttribute("aria-sort") === "ascending";
        for (const other of heads) other.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", descending ? "descending" : "ascending");
        const key = (row) => {
          const cell = row.cells[index];
          if (head.dataset.sort === "text") return cell.textContent;
          return cell.dataset.value === "inf" ? Infinity : Number(cell.dataset.value);
        };
        const rows = [...body.rows].map((row) => ({row, key: key(row)}));
        const compare = (a, b) =>
          typeof a === "string" ? a.localeCompare(b) : a === b ? 0 : a < b ? -1 : 1;
        rows.sort((a, b) => (descending ? -1 : 1) * compare(a.key, b.key));
        body.append(...rows.map((one) => one.row));
      });
    });
  }

  // Which pipelines are shown first: those that people ask about, and the extremes.
  function firstShown() {
    if (pipelines.length <= MOST_SHOWN) return new Set(pipelines.map((_, index) => index));
    const by = (value) => pipelines.map((_, index) => index).sort((a, b) => value(pipelines[b]) - value(pipelines[a]));
    const named = ["no_policy", "plain_retry", "standard_pipeline"].map((name) =>
      pipelines.findIndex((pipeline) => pipeline.name === name));
    const wanted = [...named, by((one) => one.summary.success_ratio)[0], by((one) => one.summary.peak_load_ratio)[0],
                    by((one) => -one.summary.wasted_ratio)[0], ...pipelines.keys()];
    const shown = new Set();
    for (const index of wanted) if (index >= 0 && shown.size < MOST_SHOWN) shown.add(index);
    return shown;
  }

  const shown = firstShown();
  // The colours that are easiest to tell apart go to those that are shown first; the key is the place in the table.
  const byStyle = ["no_policy", "plain_retry", "standard_pipeline"].map((name) =>
    pipelines.findIndex((pipeline) => pipeline.name === name));
  const styleOf = new Map([...new Set([...byStyle, ...shown, ...pipelines.keys()])].filter((index) => index >= 0)
    .map((index, place) => [index, place]));
  const styles = pipelines.map((pipeline, index) => ({
    ...StormCharts.style(styleOf.get(index)),
    key: StormCharts.style(index).key,
    width: pipeline.name === "standard_pipeline" ? 2.6 : 1.75,
  }));

  // The legend.

  function makeLegend(place, onChange) {
    const group = element(place, "fieldset");
    element(group, "legend", {class: "visually-hidden"}, "Pipelines in the charts");
    const boxes = pipelines.map((pipeline, index) => {
      const label = element(group, "label");
      const box = element(label, "input", {type: "checkbox"});
      box.checked = shown.has(index);
      const {color, dash, key, width} = styles[index];
      const sample = document.createElementNS("http://www.w3.org/2000/svg", "svg");
      sample.setAttribute("width", 28);
      sample.setAttribute("height", 10);
      sample.setAttribute("aria-hidden", "true");
      const line = document.createElementNS("http://www.w3.org/2000/svg", "line");
      for (const [name, value] of Object.entries({x1: 0, x2: 28, y1: 5, y2: 5})) line.setAttribute(name, value);
      line.style.stroke = color;
      line.style.strokeWidth = width + 0.5;
      line.style.strokeDasharray = dash;
      sample.append(line);
      label.append(sample);
      element(label, "b", {style: `color:${color}`}, key);
      element(label, "span", {}, pipeline.title);
      box.addEventListener("change", () => onChange(index, box.checked));
      return box;
    });
    const choices = element(group, "span", {class: "choices"});
    for (const [words, wanted] of [["all", () => true], ["none", () => false], ["a few", (i) => first.has(i)]]) {
      if (words === "a few" && pipelines.length <= MOST_SHOWN) continue;
      const button = element(choices, "button", {type: "button"}, words);
      button.addEventListener("click", () =>
        boxes.forEach((box, index) => {
          if (box.checked === wanted(index)) return;
          box.checked = wanted(index);
          onChange(index, box.checked);
        }));
    }
  }
  const first = new Set(shown);

  // The charts.

  const length = Math.max(0, ...pipelines.map((pipeline) => pipeline.seconds.attempts.length));
  const x = [...Array(length).keys()];
  const each = (pipeline, f) => x.map((i) => (i < pipeline.seconds.attempts.length ? f(pipeline.seconds, i) : null));
  const bands = data.bands;
  const positive = (value) => (value > 0 ? value : null);
  const who = data.dependency || "the dependency";

  const kinds = [
    {title: `Load on ${who}`, unit: "/s", note: "Attempts that reach it, each second. Dotted: its calm load.",
     value: (s, i) => s.attempts[i], marks: [{y: data.steady, label: "calm load"}]},
    {title: "Success, as users see it", unit: "%", max: 100,
     note: "Calls that ended well, of those that ended in the second.",
     value: (s, i) => (s.succeeded[i] + s.failed[i] > 0 ? (100 * s.succeeded[i]) / (s.succeeded[i] + s.failed[i]) : null)},
    {title: "Median latency", unit: "ms", log: true, note: "Of the calls that succeeded, waits included. Logarithmic.",
     value: (s, i) => positive(s.p50_ms[i])},
    {title: "p99 latency", unit: "ms", log: true, note: "One successful call in a hundred is slower. Logarithmic.",
     value: (s, i) => positive(s.p99_ms[i])},
    {title: `Calls being served by ${who}`, unit: "", note: "At the end of each second.", value: (s, i) => s.busy[i]},
    {title: `Calls waiting in the queue of ${who}`, unit: "", note: "A long queue is served to nobody's use once callers have left.",
     value: (s, i) => s.queued[i], optional: true},
    {title: "Wasted work", unit: "/s", note: "Attempts answered well for which nobody waited any more.",
     value: (s, i) => s.wasted[i], optional: true},
    {title: "Retries and hedges", unit: "/s", note: "Attempts beyond the first of a call.",
     value: (s, i) => s.retries[i] + s.hedges[i], optional: true},
    {title: "Calls that a policy refuses", unit: "/s", note: "At once, without an attempt.",
     value: (s, i) => s.rejected[i], optional: true},
    {title: "Breakers that are not closed", unit: "%", max: 100, note: "Share of the processes.",
     value: (s, i) => 100 * s.open_breakers[i], optional: true},
    {title: "Adaptive limit", unit: "", note: "Calls at once that it lets through: mean of the processes.",
     value: (s, i) => positive(s.limit[i]), optional: true},
  ];

  function makeCharts(place) {
    const charts = [];
    for (const kind of kinds) {
      const series = pipelines.map((pipeline, index) => ({
        name: String(index), // names of pipelines need not differ
        label: pipeline.title,
        ...styles[index],
        hidden: !shown.has(index),
        points: each(pipeline, kind.value),
      }));
      if (kind.optional && !series.some((one) => one.points.some((value) => value > 0))) continue;
      charts.push(StormCharts.line(place, {...kind, x, series, bands, height: 220}));
    }
    StormCharts.link(charts);
    return charts;
  }

  function makeMultiples(place) {
    const most = Math.max(data.steady, ...pipelines.flatMap((pipeline) => pipeline.seconds.attempts));
    const charts = pipelines.map((pipeline, index) => {
      const {peak_load_ratio: peak, success_ratio: success} = pipeline.summary;
      return StormCharts.line(place, {
        title: pipeline.title,
        note: `peak ${StormCharts.format(peak, "×")}, success ${StormCharts.format(100 * success, "%")}`,
        unit: "/s", x, max: most * 1.05, height: 130, bands: data.bands.map((band) => ({...band, label: ""})),
        marks: [{y: data.steady}],
        series: [{name: "load", label: "load", ...styles[index], dash: "", key: styles[index].key,
                  points: each(pipeline, (s, i) => s.attempts[i])}],
      });
    });
    StormCharts.link(charts);
  }

  makeSortable(document.getElementById("table"));
  const charts = makeCharts(document.getElementById("charts"));
  makeLegend(document.getElementById("legend"), (index, visible) => {
    for (const chart of charts) chart.show(String(index), visible);
  });
  makeMultiples(document.getElementById("multiples"));
  addEventListener("beforeprint", () => {
    for (const details of document.querySelectorAll("details")) details.open = true; // paper cannot be clicked
  });
  document.documentElement.dataset.ready = "yes";
})();
