// storm/web/charts.js: StormCharts, line charts of the storm lab's report and of the playground. Plain SVG, no
// dependency. The colours come from style.css, so that a chart follows the theme of its page.
//
//   const chart = StormCharts.line(element, {
//     title: "Load on the dependency",   // heading of the chart
//     note: "Attempts that reach it.",   // optional: one sentence below the heading
//     unit: "/s",                        // of y; "ms", "%" and "" have formats of their own
//     x: [0, 1, 2],                      // seconds, ascending: one for each point
//     series: [{
//       name: "no_policy",               // identifies it in show()
//       label: "No policy",              // optional: for people; else the name
//       key: "A",                        // optional: a letter, drawn at the end of the line
//       color: "var(--series-1)",        // any CSS colour
//       dash: "6 3",                     // optional: as stroke-dasharray
//       width: 2,                        // optional
//       hidden: false,                   // optional
//       points: [100, null, 120],        // y; null, NaN and (if log) what is not above 0 is a gap
//     }],
//     bands: [{from: 1, to: 2, label: "outage"}],   // optional: shaded
//     marks: [{y: 100, label: "steady load"}],      // optional: horizontal lines
//     log: false,                        // optional: logarithmic y
//     min: 0, max: 100,                  // optional: of y; else by the data (min: 0 unless log)
//     domain: [0, 300],                  // optional: of x; else by x
//     height: 200,                       // optional: pixels
//   });
//
//   chart.update({x, series, bands})     any of the options; the others stay. Draws at once, and only what has
//                                        changed: a few milliseconds for five series of 300 points
//   chart.show(name, visible)            one series
//   chart.cursor(x)                      shows the values at x; null: hides them
//   chart.destroy()                      removes it
//   StormCharts.link([chart, …])         a cursor in one of them shows in all
//   StormCharts.style(i)                 {color, dash, key} of the i-th series: no two of the first 40 are alike
//   StormCharts.format(value, unit)      "12.3 ms", "1.2 s", "99.5 %", "never"
//   StormCharts.time(seconds)            "1:30"
//
// With the pointer, or with the arrow keys, Home and End once a chart has the focus, a cursor shows the values.
"use strict";

const StormCharts = (() => {
  const SVG = "http://www.w3.org/2000/svg";
  const MARGIN = {left: 52, right: 26, top: 18, bottom: 24};
  const COLORS = 8;
  const DASHES = ["", "7 3", "2 3", "9 3 2 3", "12 4"];
  const TIME_STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400];

  function svg(parent, tag, attributes = {}, text) {
    const node = document.createElementNS(SVG, tag);
    for (const name in attributes) node.setAttribute(name, attributes[name]);
    if (text !== undefined) node.textContent = text;
    parent.appendChild(node);
    return node;
  }

  function html(parent, tag, className, text) {
    const node = document.createElement(tag);
    if (className) node.className = className;
    if (text !== undefined) node.textContent = text;
    parent.appendChild(node);
    return node;
  }

  function digits(value) {
    const size = Math.abs(value);
    if (size >= 1e6) return `${trim((value / 1e6).toPrecision(3))} M`;
    if (size >= 1e4) return `${trim((value / 1e3).toPrecision(3))} k`;
    if (size >= 100 || value === 0) return String(Math.round(value));
    return trim(value.toPrecision(size < 1 ? 2 : 3));
  }

  function trim(text) {
    return text.includes(".") && !text.includes("e") ? text.replace(/\.?0+$/, "") : text;
  }

  function format(value, unit = "") {
    if (value === null || value === undefined || Number.isNaN(value)) return "–";
    if (!Number.isFinite(value)) return "never";
    if (unit === "%") return `${trim(value.toFixed(value > 99 && value < 100 ? 2 : 1))} %`;
    if (unit === "ms" && Math.abs(value) >= 1000) return `${digits(value / 1000)} s`;
    if (unit === "×") return `${trim(value.toFixed(2))} ×`;
    if (unit.startsWith("/")) return `${digits(value)}${unit}`;
    return unit ? `${digits(value)} ${unit}` : digits(value);
  }

  function time(seconds) {
    const whole = Math.floor(seconds);
    const rest = Math.round((seconds - whole) * 10);
    const tail = rest > 0 && rest < 10 ? `.${rest}` : "";
    const two = (number) => String(number).padStart(2, "0");
    const hours = Math.floor(whole / 3600);
    const minutes = Math.floor(whole / 60) % 60;
    return (hours ? `${hours}:${two(minutes)}` : `${minutes}`) + `:${two(whole % 60)}${tail}`;
  }

  function style(index) {
    return {
      color: `var(--series-${(index % COLORS) + 1})`,
      dash: DASHES[index % DASHES.length],
      key: index < 26 ? String.fromCharCode(65 + index) : String(index + 1),
    };
  }

  function linearTicks(low, high, count) {
    const rough = (high - low) / Math.max(count, 1);
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((size) => size >= rough * 0.999);
    const ticks = [];
    for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; ++i) ticks.push(i * step);
    return ticks;
  }

  function logTicks(low, high) {
    const ticks = [];
    for (let power = Math.ceil(Math.log10(low) - 1e-9); 10 ** power <= high * 1.000001; ++power)
      ticks.push(10 ** power);
    if (ticks.length < 3) // few decades: 2 and 5 of each too
      for (let power = Math.floor(Math.log10(low)); 10 ** power <= high; ++power)
        for (const factor of [2, 5]) {
          const value = factor * 10 ** power;
          if (value >= low && value <= high) ticks.push(value);
        }
    return ticks.length < 2 ? linearTicks(low, high, 3) : ticks.sort((a, b) => a - b);
  }

  function timeTicks(from, to, count) {
    const step = TIME_STEPS.find((size) => (to - from) / size <= count) || (to - from) / count;
    const ticks = [];
    for (let i = Math.ceil(from / step - 1e-9); i * step <= to + 1e-9; ++i) ticks.push(i * step);
    return ticks;
  }

  // The first index of an ascending array whose value is at least `value`.
  function lowerBound(array, value) {
    let from = 0;
    let to = array.length;
    while (from < to) {
      const middle = (from + to) >> 1;
      if (array[middle] < value) from = middle + 1;
      else to = middle;
    }
    return from;
  }

  function nearest(array, value) {
    const at = lowerBound(array, value);
    if (at === 0) return 0;
    if (at === array.length) return array.length - 1;
    return value - array[at - 1] < array[at] - value ? at - 1 : at;
  }

  class LineChart {
    constructor(element, options) {
      this.options = {unit: "", series: [], bands: [], marks: [], x: [], log: false, height: 200};
      this.linked = [this];
      this.at = null;
      this.drawn = {};
      this.paths = new Map();

      this.figure = html(element, "figure", "storm-chart");
      const caption = html(this.figure, "figcaption");
      this.heading = html(caption, "span", "storm-chart-title");
      this.note = html(caption, "span", "storm-chart-note");
      this.frame = html(this.figure, "div", "storm-chart-plot");
      this.svg = svg(this.frame, "svg", {tabindex: 0, role: "img"});
      this.bands = svg(this.svg, "g");
      this.axes = svg(this.svg, "g");
      this.lines = svg(this.svg, "g", {fill: "none", "stroke-linejoin": "round"});
      this.marks = svg(this.svg, "g");
      this.keys = svg(this.svg, "g");
      this.rule = svg(this.svg, "line", {class: "storm-chart-cursor", visibility: "hidden"});
      this.readout = html(this.frame, "div", "storm-chart-readout");
      this.readout.setAttribute("aria-live", "polite");
      this.readout.hidden = true;

      this.svg.addEventListener("pointermove", (event) => this.point(event));
      this.svg.addEventListener("pointerdown", (event) => this.point(event));
      this.svg.addEventListener("pointerleave", () => this.moveAll(null));
      this.svg.addEventListener("blur", () => this.moveAll(null));
      this.svg.addEventListener("focus", () => {
        if (this.at === null && this.svg.matches(":focus-visible")) this.moveAll(this.options.x[0] ?? null);
      });
      this.svg.addEventListener("keydown", (event) => this.key(event));
      this.observer = new ResizeObserver(() => requestAnimationFrame(() => {
        if (Math.abs(this.frame.clientWidth - this.width) >= 1) this.draw();
      }));
      this.observer.observe(this.frame);
      this.update(options);
    }

    update(options) {
      Object.assign(this.options, options);
      this.draw();
    }

    show(name, visible) {
      for (const series of this.options.series) if (series.name === name) series.hidden = !visible;
      this.draw();
    }

    destroy() {
      this.observer.disconnect();
      this.figure.remove();
    }

    visible() {
      return this.options.series.filter((series) => !series.hidden);
    }

    scale() {
      const {x, log, marks, domain} = this.options;
      const [from, to] = domain || [x[0] ?? 0, x[x.length - 1] ?? 1];
      const begin = lowerBound(x, from);
      const end = lowerBound(x, to + 1e-9);
      let low = Infinity;
      let high = -Infinity;
      for (const series of this.visible())
        for (let i = begin; i < end; ++i) {
          const value = series.points[i];
          if (value === null || !Number.isFinite(value) || (log && value <= 0)) continue;
          if (value < low) low = value;
          if (value > high) high = value;
        }
      for (const mark of marks) if (mark.y > high) high = mark.y;
      if (high === -Infinity) [low, high] = [log ? 1 : 0, log ? 10 : 1];
      if (log) {
        low = this.options.min ?? Math.min(low / 1.15, high / 2);
        high = this.options.max ?? high * 1.15;
      } else {
        low = this.options.min ?? 0;
        high = this.options.max ?? (high > low ? low + (high - low) * 1.06 : low + 1);
      }
      return {from, to: to > from ? to : from + 1, low, high, begin, end};
    }

    draw() {
      this.width = this.frame.clientWidth;
      if (this.width < 40) return; // not laid out yet
      const {title, note, unit, height, log} = this.options;
      const width = this.width;
      const scale = (this.range = this.scale());
      const left = MARGIN.left;
      const right = width - MARGIN.right;
      const top = MARGIN.top;
      const bottom = height - MARGIN.bottom;
      this.toX = (x) => left + ((x - scale.from) / (scale.to - scale.from)) * (right - left);
      const lowest = log ? Math.log(scale.low) : scale.low;
      const highest = log ? Math.log(scale.high) : scale.high;
      this.toY = (y) => bottom - (((log ? Math.log(y) : y) - lowest) / (highest - lowest)) * (bottom - top);

      this.once("head", [title, note, unit, log], () => {
        this.heading.textContent = title || "";
        this.note.textContent = note || "";
        const unitWords = unit ? `, in ${unit}` : "";
        this.svg.setAttribute("aria-label", `${title}${unitWords}${log ? ", logarithmic" : ""}. Arrow keys read values.`);
      });
      this.once("size", [width, height], () => {
        this.svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
        this.rule.setAttribute("y1", top);
        this.rule.setAttribute("y2", bottom);
      });
      const ticks = log ? logTicks(scale.low, scale.high) : linearTicks(scale.low, scale.high, height > 150 ? 5 : 3);
      const times = timeTicks(scale.from, scale.to, Math.max(2, Math.floor((right - left) / 60)));
      this.once("axes", [width, height, scale.from, scale.to, scale.low, scale.high, unit, this.options.marks], () =>
        this.drawAxes(ticks, times, {left, right, top, bottom}));
      this.once("bands", [width, height, scale.from, scale.to, this.options.bands], () =>
        this.drawBands({left, right, top, bottom}));
      this.drawLines({left, right, top, bottom});
      this.drawCursor();
    }

    // Draws a part again only if what it depends on has changed.
    once(part, inputs, work) {
      const text = JSON.stringify(inputs);
      if (this.drawn[part] === text) return;
      this.drawn[part] = text;
      work();
    }

    drawAxes(ticks, times, {left, right, top, bottom}) {
      const {unit, marks} = this.options;
      this.axes.replaceChildren();
      this.marks.replaceChildren();
      for (const value of ticks) {
        const y = this.toY(value);
        svg(this.axes, "line", {class: "storm-chart-grid", x1: left, x2: right, y1: y, y2: y});
        svg(this.axes, "text", {class: "storm-chart-tick", x: left - 6, y: y + 4, "text-anchor": "end"},
            format(value, unit));
      }
      for (const value of times) {
        const x = this.toX(value);
        svg(this.axes, "line", {class: "storm-chart-axis", x1: x, x2: x, y1: bottom, y2: bottom + 4});
        svg(this.axes, "text", {class: "storm-chart-tick", x, y: bottom + 16, "text-anchor": "middle"}, time(value));
      }
      svg(this.axes, "line", {class: "storm-chart-axis", x1: left, x2: right, y1: bottom, y2: bottom});
      for (const mark of marks) {
        const y = this.toY(mark.y);
        if (y < top || y > bottom) continue;
        svg(this.marks, "line", {class: "storm-chart-mark", x1: left, x2: right, y1: y, y2: y});
        if (mark.label)
          svg(this.marks, "text", {class: "storm-chart-mark-label", x: left + 4, y: y - 4}, mark.label);
      }
    }

    drawBands({left, right, top, bottom}) {
      this.bands.replaceChildren();
      let row = 0;
      let end = -Infinity;
      for (const band of this.options.bands) {
        const from = Math.max(left, this.toX(band.from));
        const to = Math.min(right, this.toX(band.to));
        if (to <= left || from >= right) continue;
        const group = svg(this.bands, "g");
        const words = band.label || "";
        svg(group, "title", {}, `${words} (${time(band.from)} to ${time(band.to)})`);
        svg(group, "rect", {class: "storm-chart-band", x: from, y: top, width: Math.max(to - from, 1),
                            height: bottom - top});
        for (const x of [from, to])
          svg(group, "line", {class: "storm-chart-band-edge", x1: x, x2: x, y1: top, y2: bottom});
        const length = words.length * 5.8;
        const flipped = from + length > right;
        const begin = flipped ? right - length : from;
        row = begin < end + 6 ? row + 1 : 0;
        end = begin + length;
        svg(group, "text", {class: "storm-chart-band-label", x: flipped ? right : from, y: top - 5 + row * 12,
                            "text-anchor": flipped ? "end" : "start"}, words);
      }
    }

    drawLines({left, right, top, bottom}) {
      const {x, series, log} = this.options;
      const {begin, end, low, high} = this.range;
      const seen = new Set();
      const ends = [];
      const bucket = Math.max(1, Math.ceil((end - begin) / Math.max(right - left, 1)));
      for (const one of series) {
        seen.add(one.name);
        let path = this.paths.get(one.name);
        if (!path) {
          path = svg(this.lines, "path");
          this.paths.set(one.name, path);
        }
        path.style.display = one.hidden ? "none" : "";
        if (one.hidden) continue;
        path.style.stroke = one.color || "currentColor";
        path.style.strokeWidth = one.width || 1.75;
        path.style.strokeDasharray = one.dash || "";
        let d = "";
        let open = false;
        let last = null;
        const add = (i) => {
          const value = Math.min(Math.max(one.points[i], low), high);
          const y = this.toY(value);
          d += `${open ? "L" : "M"}${this.toX(x[i]).toFixed(1)} ${y.toFixed(1)}`;
          open = true;
          last = y;
        };
        const usable = (value) => value !== null && Number.isFinite(value) && !(log && value <= 0);
        for (let i = begin; i < end; i += bucket) {
          let least = -1;
          let most = -1;
          for (let j = i; j < Math.min(i + bucket, end); ++j) {
            if (!usable(one.points[j])) continue;
            if (least < 0 || one.points[j] < one.points[least]) least = j;
            if (most < 0 || one.points[j] > one.points[most]) most = j;
          }
          if (least < 0) {
            open = false;
            continue;
          }
          add(Math.min(least, most));
          if (least !== most) add(Math.max(least, most));
        }
        path.setAttribute("d", d || "M0 0");
        if (one.key && last !== null) ends.push({series: one, y: last});
      }
      for (const [name, path] of this.paths)
        if (!seen.has(name)) {
          path.remove();
          this.paths.delete(name);
        }
      this.drawKeys(ends, {right, top, bottom});
    }

    // Letters at the ends of the lines, kept apart.
    drawKeys(ends, {right, top, bottom}) {
      ends.sort((a, b) => a.y - b.y);
      const gap = Math.min(12, (bottom - top) / Math.max(ends.length, 1));
      for (let i = 0; i < ends.length; ++i)
        ends[i].at = Math.max(ends[i].y, i ? ends[i - 1].at + gap : top);
      let floor = bottom;
      for (let i = ends.length - 1; i >= 0 && ends[i].at > floor; --i) {
        ends[i].at = floor;
        floor -= gap;
      }
      while (this.keys.childNodes.length > ends.length) this.keys.lastChild.remove();
      while (this.keys.childNodes.length < ends.length) svg(this.keys, "text", {class: "storm-chart-key"});
      ends.forEach(({series, at}, i) => {
        const text = this.keys.childNodes[i];
        if (text.textContent !== series.key) text.textContent = series.key;
        text.setAttribute("x", right + 7);
        text.setAttribute("y", (at + 4).toFixed(1));
        text.style.fill = series.color || "currentColor";
      });
    }

    // The cursor.

    point(event) {
      const box = this.svg.getBoundingClientRect();
      const {from, to} = this.range;
      const inside = (event.clientX - box.left) * (this.width / box.width) - MARGIN.left;
      const share = inside / (this.width - MARGIN.left - MARGIN.right);
      this.moveAll(share < -0.05 || share > 1.05 ? null : from + Math.min(Math.max(share, 0), 1) * (to - from));
    }

    key(event) {
      const {x} = this.options;
      if (!x.length) return;
      const at = this.at === null ? 0 : nearest(x, this.at);
      const far = event.shiftKey ? 10 : 1;
      const next = {ArrowRight: at + far, ArrowLeft: at - far, Home: 0, End: x.length - 1}[event.key];
      if (event.key === "Escape") this.moveAll(null);
      if (next === undefined) return;
      event.preventDefault();
      this.moveAll(x[Math.min(Math.max(next, 0), x.length - 1)]);
    }

    moveAll(x) {
      for (const chart of this.linked) chart.move(x, chart === this);
    }

    cursor(x) {
      this.move(x, true);
    }

    move(x, readsAloud) {
      this.at = x;
      this.readsAloud = readsAloud;
      this.drawCursor();
    }

    drawCursor() {
      const {x, unit, log} = this.options;
      const usable = this.at !== null && x.length > 0 && this.range;
      this.rule.setAttribute("visibility", usable ? "visible" : "hidden");
      if (!usable) {
        this.readout.hidden = true;
        return;
      }
      const index = nearest(x, this.at);
      const at = this.toX(x[index]);
      this.rule.setAttribute("x1", at);
      this.rule.setAttribute("x2", at);
      this.readout.hidden = !this.readsAloud;
      if (!this.readsAloud) return;
      this.readout.replaceChildren();
      const band = this.options.bands.filter((one) => one.from <= x[index] && x[index] < one.to);
      html(this.readout, "div", "storm-chart-readout-head",
           [time(x[index]), ...band.map((one) => one.label)].filter(Boolean).join(" · "));
      const rows = this.visible().map((series) => ({series, value: series.points[index]}));
      const order = (value) => (value === null || !Number.isFinite(value) ? -Infinity : value);
      rows.sort((a, b) => order(b.value) - order(a.value) || 0);
      for (const {series, value} of rows) {
        const row = html(this.readout, "div", "storm-chart-readout-row");
        const name = html(row, "span", "", `${series.key ? `${series.key}  ` : ""}${series.label || series.name}`);
        name.style.setProperty("--color", series.color || "currentColor");
        html(row, "b", "", format(log && !(value > 0) ? null : value, unit));
      }
      const onLeft = at < this.width / 2;
      this.readout.style.left = onLeft ? `${(100 * (at + 10)) / this.width}%` : "";
      this.readout.style.right = onLeft ? "" : `${(100 * (this.width - at + 10)) / this.width}%`;
    }
  }

  return {
    line: (element, options) => new LineChart(element, options),
    link(charts) {
      for (const chart of charts) chart.linked = charts;
    },
    style,
    format,
    time,
  };
})();

if (typeof module === "object") module.exports = StormCharts;
