// storm/playground/picture.js: Picture, the live picture of one run on a canvas: users, the processes with
// their breakers, the queue and the places of the service, and dots for what goes to and fro.
//
// What it shows depends on its input alone: the same moment gives the same picture. A dot stands for several
// calls of the last second; the numbers are in the words below the picture.
"use strict";

const Picture = (() => {
  const USERS = 48;
  const MOST_DOTS = 60;
  const MOST_CELLS = 60;
  const NAMES = ["page", "panel", "ink", "soft", "edge", "grid", "accent", "good", "good-back", "bad",
    "bad-back",
                 "series-3", "series-6"];

  function hash(a, b) {
    let x = Math.imul(a + 1, 0x9e3779b1) ^ Math.imul(b + 1, 0x85ebca6b);
    x = Math.imul(x ^ (x >>> 15), 0x2c1b3c6d);
    x = Math.imul(x ^ (x >>> 12), 0x297a2d39);
    return ((x ^ (x >>> 15)) >>> 0) / 4294967296;
  }
  // Which of the users fail first: always the same ones.
  const ORDER = Array.from({length: USERS}, (_, i) => i).sort((a, b) => hash(a, 7) - hash(b, 7));

  return class Picture {
    constructor(canvas) {
      this.canvas = canvas;
      this.pen = canvas.getContext("2d");
      this.readColors();
    }

    /// After the theme has changed.
    readColors() {
      const style = getComputedStyle(this.canvas);
      this.color = {};
      for (const name of NAMES) this.color[name] = style.getPropertyValue(`--${name}`).trim();
      this.font = style.fontFamily;
    }

    /// frame: {clients, breakers, instances, busy, queued, capacity, places, queue, disturbed, trouble,
    /// second, steady}; phase: in seconds, moves the dots.
    draw(frame, phase) {
      const ratio = window.devicePixelRatio || 1;
      const width = this.canvas.clientWidth;
      const height = this.canvas.clientHeight;
      if (width < 120 || height < 120) return; // not laid out yet
      const pixels = [Math.round(width * ratio), Math.round(height * ratio)];
      if (this.canvas.width !== pixels[0] || this.canvas.height !== pixels[1])
        [this.canvas.width, this.canvas.height] = pixels;
      const pen = this.pen;
      pen.setTransform(ratio, 0, 0, ratio, 0, 0);
      pen.clearRect(0, 0, width, height);
      const top = 24;
      const bottom = height - 30;
      const at = (share) => Math.round(6 + share * (width - 12));
      const users = {left: at(0), right: at(0.19)};
      const processes = {left: at(0.4), right: at(0.52)};
      const queue = {left: at(0.7), right: at(0.735)};
      const service = {left: at(0.77), right: at(1)};

      const {second, steady} = frame;
      const worth = Math.max(steady / 14, 0.001); // calls a second that one dot stands for
      const rejected = Math.min(second.rejected, second.failed);
      const middle = (top + bottom) / 2;
      const there = {top: top + 6, bottom: middle - 3};
      const back = {top: middle + 3, bottom: bottom - 6};
      const flow = (from, to, lane, rate, style, seed) =>
        this.flow(from, to, lane, Math.min(MOST_DOTS, Math.round(rate / worth)), style, seed, phase);
      flow(users.right, processes.left, there, second.calls, "call", 1);
      flow(processes.left, users.right, back, second.succeeded, "good", 2);
      flow(processes.left, users.right, back, second.failed - rejected, "bad", 3);
      flow(processes.left, users.right, back, rejected, "rejected", 4);
      const again = second.retries + second.hedges;
      flow(processes.right, queue.left, there, second.attempts - again, "call", 5);
      flow(processes.right, queue.left, there, again, "retry", 6);
      flow(queue.left, processes.right, back, second.served, "good", 7);
      flow(queue.left, processes.right, back, Math.max(0, second.attempts - second.served), "bad", 8);

      this.drawUsers(users, top, bottom, frame);
      this.drawProcesses(processes, top, bottom, frame);
      this.drawQueue(queue, top, bottom, frame);
      this.drawService(service, top, bottom, frame);
      this.drawLoad(at(0), at(1), height - 14, second.attempts / Math.max(steady, 0.001));
    }

    text(words, x, y, {color = "soft", align = "left", size = 12, bold = false} = {}) {
      this.pen.font = `${bold ? 650 : 400} ${size}px ${this.font}`;
      this.pen.fillStyle = this.color[color];
      this.pen.textAlign = align;
      this.pen.fillText(words, x, y);
    }

    box(x, y, width, height, fill, stroke) {
      const pen = this.pen;
      pen.beginPath();
      pen.roundRect(x + 0.5, y + 0.5, width - 1, height - 1, Math.min(4, height / 3));
      if (fill) {
        pen.fillStyle = this.color[fill];
        pen.fill();
      }
      if (stroke) {
        pen.strokeStyle = this.color[stroke];
        pen.stroke();
      }
    }

    // A failure is a cross, and what was refused at once is hollow: not by colour alone.
    mark(x, y, size, style) {
      const pen = this.pen;
      const color = {call: "series-3", retry: "series-6", good: "good", bad: "bad", rejected: "bad",
        none: "edge"}[style];
      pen.fillStyle = pen.strokeStyle = this.color[color];
      pen.lineWidth = 1.6;
      pen.beginPath();
      if (style === "bad") {
        pen.moveTo(x - size, y - size);
        pen.lineTo(x + size, y + size);
        pen.moveTo(x + size, y - size);
        pen.lineTo(x - size, y + size);
        pen.stroke();
      } else {
        pen.arc(x, y, size, 0, 2 * Math.PI);
        if (style === "rejected") pen.stroke();
        else pen.fill();
      }
      pen.lineWidth = 1;
    }

    flow(from, to, lane, count, style, seed, phase) {
      for (let i = 0; i < count; ++i) {
        const way = (phase * (0.45 + 0.2 * hash(i, seed)) + hash(i, seed + 20)) % 1;
        const x = from + (to - from) * way;
        const y = lane.top + hash(i, seed + 40) * (lane.bottom - lane.top);
        this.mark(x, y, style === "bad" ? 2.6 : 2.4, style);
      }
    }

    drawUsers({left, right}, top, bottom, {clients, second}) {
      this.text(`${clients.toLocaleString("en")} users`, left, 14);
      const ended = second.succeeded + second.failed;
      const failing = ended > 0 ? Math.round((USERS * second.failed) / ended) : 0;
      const columns = right - left > 90 ? 6 : 4;
      const rows = Math.ceil(USERS / columns);
      const dx = (right - left - 8) / columns;
      const dy = (bottom - top) / rows;
      for (let i = 0; i < USERS; ++i) {
        const x = left + dx * ((i % columns) + 0.5);
        const y = top + dy * (Math.floor(i / columns) + 0.5);
        const size = Math.min(4, dx * 0.32, dy * 0.32);
        this.mark(x, y, size, ended === 0 ? "none" : ORDER.indexOf(i) < failing ? "bad" : "good");
      }
    }

    drawProcesses({left, right}, top, bottom, {breakers, instances}) {
      const count = Math.min(instances, 40);
      this.text(instances === 1 ? "1 process" : `${instances} processes`, (left + right) / 2, 14,
        {align: "center"});
      const columns = count > 24 ? 3 : count > 12 ? 2 : 1;
      const rows = Math.ceil(count / columns);
      const dx = (right - left) / columns;
      const dy = Math.min(26, (bottom - top) / rows);
      const first = (top + bottom - dy * rows) / 2;
      for (let i = 0; i < count; ++i) {
        const x = left + dx * (i % columns);
        const y = first + dy * Math.floor(i / columns);
        this.drawSwitch(x + 1, y + 1, dx - 2, dy - 2, breakers.length ? breakers[i] : null);
      }
    }

    // A breaker as a switch: closed lets calls through, open does not; half-open tries one.
    drawSwitch(x, y, width, height, state) {
      const pen = this.pen;
      const [closed, open] = [0, 1];
      const look = state === null ? ["page", "edge"] : state === closed ? ["good-back", "good"] :
        state === open ? ["bad-back", "bad"] : ["page", "series-6"];
      this.box(x, y, width, height, look[0], look[1]);
      const y0 = y + height / 2;
      const a = x + width * 0.28;
      const b = x + width * 0.72;
      pen.strokeStyle = this.color[look[1]];
      pen.lineWidth = 2;
      pen.beginPath();
      pen.moveTo(x, y0);
      pen.lineTo(a, y0);
      if (state === open) pen.lineTo(b - 2, y + 3);
      else if (state !== null && state !== closed) pen.lineTo(b, y0 - height * 0.22);
      else pen.lineTo(b, y0);
      pen.moveTo(b, y0);
      pen.lineTo(x + width, y0);
      pen.stroke();
      pen.lineWidth = 1;
    }

    drawQueue({left, right}, top, bottom, {queued, queue}) {
      this.text("queue", right + 4, 14, {align: "right"});
      const height = bottom - top;
      this.box(left, top, right - left, height, "page", "edge");
      const share = queue > 0 ? Math.min(1, queued / queue) : 0;
      const filled = share * (height - 4);
      if (filled > 0.5) this.box(left + 2, bottom - 2 - filled, right - left - 4, filled,
        share > 0.95 ? "bad" : "series-3");
    }

    drawService({left, right}, top, bottom, {busy, capacity, places, disturbed, trouble}) {
      this.text("service", left, 14);
      const height = bottom - top;
      this.box(left, top, right - left, height, disturbed ? "bad-back" : "page", disturbed ? "bad" : "edge");
      const cells = Math.max(1, Math.min(MOST_CELLS, places));
      const label = disturbed && trouble ? 18 : 0;
      const width = right - left - 8;
      const columns = Math.max(1,
        Math.min(cells, Math.round(Math.sqrt((cells * width) / (height - 8 - label)))));
      const rows = Math.ceil(cells / columns);
      const dx = width / columns;
      const dy = (height - 8 - label) / rows;
      const used = places > 0 ? Math.round((busy / places) * cells) : 0;
      const usable = places > 0 ? Math.round((capacity / places) * cells) : 0;
      for (let i = 0; i < cells; ++i) {
        const x = left + 4 + dx * (i % columns);
        const y = top + 4 + dy * Math.floor(i / columns);
        const fill = i < used ? "series-3" : i < usable ? "grid" : null;
        this.box(x + 0.5, y + 0.5, Math.max(2, dx - 2), Math.max(2, dy - 2), fill, fill ? null : "bad");
      }
      if (label) this.text(trouble, (left + right) / 2, bottom - 6,
        {color: "bad", align: "center", bold: true});
    }

    // How much reaches the service, against what is usual.
    drawLoad(left, right, y, ratio) {
      const words = left + 34;
      const most = 4;
      const x = (value) => words + (Math.min(value, most) / most) * (right - words);
      this.text("load", left, y + 4);
      this.box(words, y - 5, right - words, 10, "page", "edge");
      if (ratio > 0.01) this.box(words, y - 5, Math.max(3, x(ratio) - words), 10,
        ratio > 1.3 ? "bad" : "series-3");
      const pen = this.pen;
      pen.strokeStyle = this.color.ink;
      pen.beginPath();
      pen.moveTo(Math.round(x(1)) + 0.5, y - 8);
      pen.lineTo(Math.round(x(1)) + 0.5, y + 8);
      pen.stroke();
      this.text("usual", Math.round(x(1)) + 4, y + 4, {color: ratio > 1.25 ? "page" : "soft", size: 11});
    }
  };
})();

if (typeof module === "object") module.exports = Picture;
