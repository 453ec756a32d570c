// storm/playground/app.js: the page: what is chosen, the link that carries it, playing, numbers and charts.
"use strict";

const App = (() => {
  const BUDGET = 9; // milliseconds of simulation in a frame
  const HURRY = 30; // the same, on the way to a moment that is asked for
  const GLIMPSE = 150; // milliseconds between two pictures on that way
  const EARLY = 2; // simulated seconds before the trouble at which the first run is shown
  const NUMBERS = [
    {key: "success_ratio", name: "Calls that succeed", note: "of those that have ended", unit: "%",
     best: "high",
     scale: 100, differs: 0.0005},
    {key: "peak_load_ratio", name: "Peak load on the service", note: "after the trouble; 1 × is usual",
     unit: "×",
     best: "low", differs: 0.05, afterwards: true},
    {key: "amplification", name: "Attempts for each call", note: "retries and hedges make more than 1",
     unit: "×",
     best: "low", differs: 0.02},
    {key: "wasted_ratio", name: "Wasted attempts", note: "brought no success to anybody", unit: "%",
     best: "low",
     scale: 100, differs: 0.005},
    {key: "recovery_s", name: "Time to recover", note: "from the end of the trouble", unit: "s", best: "low",
     differs: 0.5, afterwards: true},
    {key: "p50_ms", name: "Median latency", note: "of calls that succeed", unit: "ms", best: "low",
     differs: 5},
    {key: "p99_ms", name: "99th percentile", note: "of calls that succeed", unit: "ms", best: "low",
     differs: 5},
    {key: "rejected_ratio", name: "Refused by a policy", note: "at once, without an attempt", unit: "%",
     scale: 100},
  ];
  const CHARTS = [
    {title: "Calls that succeed", note: "Share of the calls that end in this second.", unit: "%", max: 100,
     value: (s) => (s.succeeded + s.failed > 0 ? (100 * s.succeeded) / (s.succeeded + s.failed) : null)},
    {title: "Load on the service", note: "Attempts that reach it.", unit: "/s", value: (s) => s.attempts,
     steady: true},
    {title: "Latency, 99th percentile", note: "Of the calls that succeed in this second.", unit: "ms",
     log: true,
     value: (s) => (s.p99_ms > 0 ? s.p99_ms : null)},
    {title: "Open breakers", note: "Share of the processes whose breaker is not closed.", unit: "%", max: 100,
     value: (s) => 100 * s.open_breakers},
    {title: "Waiting in the queue of the service", note: "", unit: "", value: (s) => s.queued},
    {title: "Attempts that nobody waits for any more", note: "", unit: "/s", value: (s) => s.wasted},
    {title: "Adaptive limit", note: "Mean of the processes.", unit: "",
     value: (s) => (s.limit > 0 ? s.limit : null),
     optional: true},
  ];
  const SIDES = ["mine", "other"];
  const $ = (id) => document.getElementById(id);

  let engine = null;
  let choice = null; // what is chosen: Settings.Choice
  let runs = null; // {mine, other, time}: played together; time: what both have reached
  let target = 0; // simulated time to show
  let playing = true;
  let phase = 0;
  let lastFrame = 0;
  let lastShown = 0;
  let shownSecond = -1;
  let charts = [];
  let pictures = {};
  let milestone = "";
  let bands = []; // of what is played
  let usual = {}; // numbers of the scenario that the pictures show
  const still = window.matchMedia("(prefers-reduced-motion: reduce)");

  // What is wrong.

  function complain(text) {
    $("message").textContent = text;
    $("message").hidden = !text;
  }

  // The runs.

  function restart(time) {
    let next = null;
    try {
      const mine = new Run(engine, choice.scenario("mine"), choice.seed);
      try {
        next = {mine, other: new Run(engine, choice.scenario("other"), choice.seed), time: 0};
      } catch (error) {
        mine.close();
        throw error;
      }
    } catch (error) {
      complain(`These settings cannot be played: ${error.message}`);
      return false;
    }
    complain("");
    if (runs) for (const side of SIDES) runs[side].close();
    runs = next;
    target = Math.min(time, choice.duration());
    phase = target;
    shownSecond = -1;
    milestone = "";
    bands = choice.bands();
    usual = choice.usual();
    showTexts();
    wake();
    return true;
  }

  let waiting = false;
  function wake() {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(frame);
  }

  function frame(now) {
    waiting = false;
    const passed = Math.min(0.1, Math.max(0, (now - lastFrame) / 1000));
    lastFrame = now;
    const behind = runs.time < target;
    if (playing && !behind && !ended()) {
      target = Math.min(target + passed * Number($("speed").value), choice.duration());
      if (!still.matches) phase += passed;
    }
    let there = true;
    try {
      for (const side of SIDES) there = runs[side].advance(target, (behind ? HURRY : BUDGET) / 2) && there;
    } catch (error) {
      complain(`The simulation has failed: ${error.message}`);
      setPlaying(false);
      return;
    }
    runs.time = there ? target : Math.min(runs.mine.now, runs.other.now);
    document.body.dataset.catching = String(!there && behind);
    if (there || now - lastShown > GLIMPSE) {
      lastShown = now;
      show();
    }
    if (ended() && playing) setPlaying(false);
    if (playing || runs.time < target) wake();
  }

  function ended() {
    return runs.time >= choice.duration();
  }

  function setPlaying(on) {
    playing = on;
    $("play").textContent = on ? "Pause" : ended() ? "Play again" : "Play";
    if (on) {
      lastFrame = performance.now();
      wake();
    } else {
      announce(true);
    }
  }

  // What it looks like.

  function show() {
    for (const side of SIDES) runs[side].refresh();
    const second = Math.floor(runs.time);
    drawPictures();
    $("seek").value = String(second);
    $("seek").setAttribute("aria-valuetext", StormCharts.time(second));
    $("clock").textContent = `${StormCharts.time(second)} of ${StormCharts.time(choice.duration())}`;
    $("timeline-done").style.width = `${(100 * runs.time) / choice.duration()}%`;
    if (second !== shownSecond || ended()) {
      shownSecond = second;
      showNumbers();
      showCharts();
      announce(false);
    }
    const state = document.body.dataset;
    state.time = runs.time;
    state.ended = ended();
  }

  function moment(side) {
    const run = runs[side];
    const {live} = run;
    const whole = run.seconds.filter((_, i) => i + 1 <= run.now);
    const second = whole[whole.length - 1] || Settings.noSecond;
    const active = bands.filter((band) => band.from <= run.now && run.now < band.to);
    return {
      ...live, ...usual, second,
      capacity: active.some((band) => band.is_outage) ? 0 : live.capacity,
      trouble: active.map((band) => band.label).join(", "),
    };
  }

  function drawPictures() {
    for (const side of SIDES) {
      const now = moment(side);
      pictures[side].draw(now, phase);
      const {second} = now;
      const done = second.succeeded + second.failed;
      const share = done > 0 ? (100 * second.succeeded) / done : null;
      const label = $(`${side}-now`);
      const none = now.in_flight > 0 ? "no call ends" : "";
      label.textContent = share === null ? none : `${StormCharts.format(share, "%")} succeed`;
      label.className = share === null || share < 90 ? "now-bad" : share > 98 ? "now-good" : "";
      $(`headline-${side}`).textContent = share === null ? "–" : StormCharts.format(share, "%");
      $(`headline-${side}`).className = label.className;
      const states = [0, 1, 2].map((state) => now.breakers.filter((one) => one === state).length);
      const breakers = now.breakers.length
        ? `breakers: ${[["closed", states[0]], ["open", states[1]], ["half-open", states[2]]]
            .filter(([, n]) => n > 0).map(([name, n]) => `${n} ${name}`).join(", ")}`
        : "no breaker";
      const limits = now.limits.length
        ? `; adaptive limit ${Math.round(now.limits.reduce((a, b) => a + b, 0) / now.limits.length)}` : "";
      $(`${side}-words`).textContent =
        `${second.calls} calls and ${second.attempts} attempts a second; ${now.busy} being served, ` +
        `${now.queued} in the queue; ${now.in_flight.toLocaleString("en")} calls under way; ${breakers}${limits}.`;
    }
  }

  function showNumbers() {
    const over = ended();
    const calm = Math.max(0, ...bands.map((band) => band.to));
    for (const row of NUMBERS) {
      const isEarly = row.afterwards && runs.time <= calm && bands.length > 0 && !over;
      const [mine, other] = SIDES.map((side) => runs[side].summary[row.key]);
      SIDES.forEach((side, i) => {
        const value = runs[side].summary[row.key];
        const cell = row.cells[i];
        // JSON has no infinity: null is "never"
        const shown = value === null ? Infinity : value * (row.scale || 1);
        const isOpen = !over && shown === Infinity;
        cell.textContent = isEarly ? "–" : isOpen ? "not yet" : StormCharts.format(shown, row.unit);
        cell.dataset.value = String(value);
        const a = (side === "mine" ? mine : other) ?? Infinity;
        const b = (side === "mine" ? other : mine) ?? Infinity;
        const isClear = row.best && !isEarly && Math.abs(a - b) > row.differs; // not so of two infinities
        cell.className = isClear && (row.best === "high") === a > b ? "better" : "";
      });
    }
  }

  function showCharts() {
    const x = Array.from({length: runs.mine.seconds.length}, (_, i) => i);
    for (const {chart, value, steady, optional} of charts) {
      if (optional) {
        const unused = SIDES.every((side) => runs[side].seconds.every((one) => value(one) === null));
        chart.figure.hidden = unused;
        if (unused) continue;
      }
      chart.update({
        x,
        series: SIDES.map((side, i) => ({
          name: side,
          label: i ? choice.otherTitle() : "Your policies",
          ...StormCharts.style(i ? 0 : 2),
          key: i ? "B" : "A",
          dash: i ? "5 3" : "",
          width: i ? 1.5 : 2.25,
          points: runs[side].seconds.map(value),
        })),
        bands,
        marks: steady ? [{y: usual.steady, label: "usual"}] : [],
        domain: [0, choice.duration()],
      });
    }
  }

  // In a sentence. Read aloud when the trouble begins and ends, and when the run is paused or over.
  function announce(now) {
    const at = runs.time;
    const active = bands.find((band) => band.from <= at && at < band.to);
    const past = bands.filter((band) => band.to <= at);
    const stage = ended() ? "end" : active ? `in ${active.label}` : past.length ? "after" : "before";
    const share = (side) => StormCharts.format(100 * runs[side].summary.success_ratio, "%");
    const other = choice.otherTitle();
    const both = `${share("mine")} of calls succeed with your policies, ${share("other")} with “${other}”`;
    const load = (side) => StormCharts.format(runs[side].summary.peak_load_ratio, "×");
    const text =
      stage === "end" ? `Over: ${both}. Peak load on the service: ${load("mine")} against ${load("other")}.`
      : active ? `Now: ${active.label}, until ${StormCharts.time(active.to)}. So far ${both}.`
      : stage === "after" ? `The trouble is over. So far ${both}.`
      : !bands.length ? "All is well so far."
      : `All is well so far. At ${StormCharts.time(bands[0].from)}: ${bands[0].label}.`;
    $("verdict").textContent = text;
    if (stage === milestone && !now) return;
    milestone = stage;
    $("said").textContent = text;
  }

  function showTexts() {
    $("story").textContent = choice.story();
    $("other-title").textContent = $("other-column").textContent = choice.otherTitle();
    $("headline-name").textContent = $("key-name").textContent = choice.otherTitle();
    const scenario = choice.scenario("mine");
    $("cpp").textContent = engine.cpp(scenario);
    $("explanation").textContent = runs.mine.explanation || "No policy.";
    $("seek").max = String(choice.duration());
    $("timeline-bands").replaceChildren(
      ...bands.map(({from, to}) => {
        const band = document.createElement("div");
        band.className = "band";
        band.style.left = `${(100 * from) / choice.duration()}%`;
        band.style.width = `${(100 * (Math.min(to, choice.duration()) - from)) / choice.duration()}%`;
        return band;
      }),
    );
  }

  // What is chosen.

  // Plays again, up to the same moment. What cannot be played is undone.
  function change(key, value) {
    const before = choice.copy();
    choice.set(key, value);
    if (restart(runs.time)) saveLink();
    else choice = before;
    Settings.show($("settings"), choice, change);
    fillChoices();
  }

  function saveLink() {
    const fragment = choice.fragment();
    history.replaceState(null, "", fragment ? `#${fragment}` : location.pathname + location.search);
  }

  function fillSelect(select, options, value) {
    select.replaceChildren(
      ...options.map(([name, title]) => {
        const option = document.createElement("option");
        option.value = name;
        option.textContent = title;
        return option;
      }),
    );
    select.value = value;
  }

  function fillChoices() {
    fillSelect($("preset"), PRESETS.map((one) => [one.name, one.title]), choice.preset.name);
    const pipelines = choice.preset.pipelines.map((one) => [one.name, one.title]);
    fillSelect($("pipeline"), pipelines, choice.base);
    fillSelect($("other"), pipelines, choice.other);
  }

  async function copy(text, what) {
    try {
      await navigator.clipboard.writeText(text);
      $("copied").textContent = `${what} copied.`;
    } catch {
      const area = document.createElement("textarea");
      area.value = text;
      document.body.append(area);
      area.select();
      const done = document.execCommand("copy");
      area.remove();
      $("copied").textContent = done ? `${what} copied.` : "The browser does not permit it: select the text.";
    }
  }

  function fromLink() {
    try {
      choice = Settings.Choice.fromFragment(PRESETS, location.hash.slice(1));
      return "";
    } catch (error) {
      choice = Settings.Choice.fromFragment(PRESETS, "");
      return `The link is not one of this page: ${error.message}`;
    }
  }

  /// Shows what the link says; just before the trouble begins.
  function begin() {
    let complaint = fromLink();
    if (!restart(0)) {
      complaint = $("message").textContent;
      choice = Settings.Choice.fromFragment(PRESETS, "");
      restart(0);
    }
    complain(complaint);
    fillChoices();
    Settings.show($("settings"), choice, change);
    toTrouble();
  }

  function listen() {
    for (const id of ["preset", "pipeline", "other"])
      $(id).addEventListener("change", () => {
        change(id, $(id).value);
        if (id === "preset") toTrouble();
      });
    $("reset").addEventListener("click", () => {
      change("preset", choice.preset.name);
    });
    $("play").addEventListener("click", () => {
      if (!playing && ended()) restart(0);
      setPlaying(!playing);
    });
    $("again").addEventListener("click", () => restart(0) && show());
    $("step").addEventListener("click", () => {
      if (playing) setPlaying(false);
      goTo(Math.floor(runs.time) + 1);
    });
    $("finish").addEventListener("click", () => goTo(choice.duration()));
    $("seek").addEventListener("input", () => goTo(Number($("seek").value)));
    document.addEventListener("keydown", (event) => {
      if (event.altKey && event.code === "KeyP") {
        event.preventDefault();
        $("play").click();
      }
    });
    $("copy-code").addEventListener("click", () => copy($("cpp").textContent, "The C++ is"));
    $("copy-link").addEventListener("click", () => copy(location.href, "The link is"));
    window.addEventListener("hashchange", begin);
    const redraw = () => {
      for (const side of SIDES) pictures[side].readColors();
      if (runs) drawPictures();
    };
    window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
    new ResizeObserver(redraw).observe($("mine-picture"));
  }

  function goTo(time) {
    const to = Math.min(time, choice.duration());
    if (to < runs.time) restart(to);
    target = phase = to;
    wake();
  }

  /// To just before the trouble, and on.
  function toTrouble() {
    goTo(bands.length ? Math.max(0, bands[0].from - EARLY) : 0);
    setPlaying(true);
  }

  function makeTable() {
    for (const row of NUMBERS) {
      const line = document.createElement("tr");
      const head = document.createElement("th");
      head.scope = "row";
      head.textContent = row.name;
      const note = document.createElement("small");
      note.textContent = row.note;
      head.append(note);
      row.cells = SIDES.map((side) => {
        const cell = document.createElement("td");
        cell.id = `${row.key}-${side}`;
        return cell;
      });
      line.append(head, ...row.cells);
      $("numbers").append(line);
    }
  }

  async function main() {
    try {
      engine = await Engine.load(createStorm);
    } catch (error) {
      complain(`The simulation does not load in this browser: ${error.message}`);
      return;
    }
    for (const side of SIDES) pictures[side] = new Picture($(`${side}-picture`));
    makeTable();
    charts = CHARTS.map((one) => {
      const {title, note, unit, max, log} = one;
      return {...one, chart: StormCharts.line($("charts"), {title, note, unit, max, log, height: 190})};
    });
    StormCharts.link(charts.map((one) => one.chart));
    listen();
    begin();
    document.body.dataset.ready = "true";
  }

  main();

  /// For tests: what is played.
  return {
    scenario: (side) => choice.scenario(side),
    seed: () => choice.seed,
    result: (side) => runs[side].result(),
  };
})();
