// storm/playground/run.js: Engine, the storm lab's core in WebAssembly, and Run, one simulation in it that is
// played in slices.
"use strict";

class Engine {
  /// create: what storm.js defines. Resolves to an Engine.
  static async load(create) {
    return new Engine(await create());
  }

  constructor(module) {
    const text = (name, ...types) => module.cwrap(name, "string", types);
    this.open = module.cwrap("storm_open", "number", ["string", "number"]);
    this.runUntil = module.cwrap("storm_run_until", "number", ["number", "number"]);
    this.close = module.cwrap("storm_close", null, ["number"]);
    this.error = text("storm_error");
    this.live = text("storm_live", "number");
    this.progress = text("storm_progress", "number", "number");
    this.result = text("storm_result", "number");
    this.cppOf = text("storm_cpp", "string");
  }

  /// The C++ of the first pipeline of a scenario.
  cpp(scenario) {
    return this.must(this.cppOf(JSON.stringify(scenario)));
  }

  must(text) {
    if (!text) throw new Error(this.error());
    return text;
  }
}

class Run {
  /// The first pipeline of the scenario. Throws an Error that says what is wrong with it.
  constructor(engine, scenario, seed) {
    this.engine = engine;
    this.id = engine.open(JSON.stringify(scenario), seed);
    if (!this.id) throw new Error(engine.error());
    this.now = 0;
    this.ended = false;
    this.seconds = [];
    this.summary = null;
    this.explanation = "";
    this.slice = 0.05; // simulated seconds at a time
    this.refresh();
  }

  /// Plays towards `time`, for about `budget` milliseconds. True once it is there.
  advance(time, budget) {
    const begin = performance.now();
    while (!this.ended && this.now < time) {
      const from = performance.now();
      if (from - begin > budget) return false;
      const to = Math.min(time, this.now + this.slice);
      const more = this.engine.runUntil(this.id, to);
      if (more < 0) throw new Error(this.engine.error());
      this.now = to;
      this.ended = more === 0;
      const took = performance.now() - from;
      if (took < budget / 8) this.slice = Math.min(this.slice * 2, 60);
      else if (took > budget / 2) this.slice = Math.max(this.slice / 2, 0.001);
    }
    return true;
  }

  /// Reads what has been measured since.
  refresh() {
    const from = Math.max(0, this.seconds.length - 1);
    const told = JSON.parse(this.engine.must(this.engine.progress(this.id, from)));
    this.seconds.splice(told.from, this.seconds.length, ...told.seconds);
    this.summary = told.summary;
    this.explanation = told.explanation;
    this.live = told.live;
  }

  /// All of it, as the native build prints it.
  result() {
    return this.engine.must(this.engine.result(this.id));
  }

  close() {
    if (this.id) this.engine.close(this.id);
    this.id = 0;
  }
}

if (typeof module === "object") module.exports = {Engine, Run};
