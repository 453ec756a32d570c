// storm/playground/settings.js: Settings: what the page can change about a scenario (SETTINGS), what is
// chosen (Choice, which becomes a link and comes from one), and the form (show).
"use strict";

const Settings = (() => {
  // Scenarios and pipelines as JSON, the form of storm/scenarios/*.json.

  const UNITS = {ns: 1e-9, us: 1e-6, ms: 1e-3, s: 1, min: 60, h: 3600};

  /// Seconds of "250ms", "1.5s" or "2min"; null without a text.
  function seconds(text) {
    if (text === undefined || text === null) return null;
    const match = /^(\d+(?:\.\d+)?)(ns|us|ms|s|min|h)$/.exec(text);
    if (!match) throw new Error(`no duration: ${printable(text)}`);
    return Number(match[1]) * UNITS[match[2]];
  }

  function duration(value) {
    const ms = Math.round(value * 1000);
    return ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`;
  }

  function printable(text) {
    const short = String(text).replace(/[^\x20-\x7e]/g, "?");
    return `“${short.length > 40 ? `${short.slice(0, 40)}…` : short}”`;
  }

  // In the order in which they stand in a pipeline, the outermost first.
  const RANK = ["rate_limiter", "bulkhead", "total_timeout", "retry", "hedge", "throttle", "adaptive_limit",
    "breaker",
                "attempt_timeout"];

  // What {"policy": "standard_pipeline"} stands for.
  const STANDARD = [
    ["bulkhead", {max_concurrent: 1000}],
    ["total_timeout", {limit: "30s"}],
    ["retry", {base_delay: "2s"}],
    ["breaker", {failure_threshold: 0, success_threshold: 1, reset_timeout: "5s",
                 failure_rate: {threshold: 0.1, minimum_calls: 100, window: {within: "30s"}}}],
    ["attempt_timeout", {limit: "10s"}],
  ];

  /// The same pipeline with the parts of a standard_pipeline one by one, so that each can be changed.
  function inParts(pipeline) {
    const policies = pipeline.policies.flatMap((one) => {
      if (one.policy !== "standard_pipeline") return [one];
      return STANDARD.map(([policy, defaults]) => {
        const given = one[policy] ?? {};
        return {policy, ...structuredClone(defaults),
          ...(typeof given === "string" ? {limit: given} : given)};
      });
    });
    return {...pipeline, policies};
  }

  const find = (pipeline, kind) => pipeline.policies.find((one) => one.policy === kind);

  function turn(pipeline, kind, on, defaults) {
    const {policies} = pipeline;
    const at = policies.findIndex((one) => one.policy === kind);
    if (!on && at >= 0) policies.splice(at, 1);
    if (!on || at >= 0) return;
    const rank = RANK.indexOf(kind);
    const before = policies.findIndex((one) => RANK.indexOf(one.policy) > rank);
    policies.splice(before < 0 ? policies.length : before, 0, {policy: kind, ...defaults});
  }

  // The settings. A setting reads and writes a scenario whose first pipeline is the one that is changed;
  // read() gives undefined for what does not apply, and the setting is hidden then.

  const service = (scenario) => scenario.dependencies[scenario.dependencies.length - 1];
  const pipelineOf = (scenario) => scenario.pipelines[0];

  function ofObject(target, field, fallback) {
    return {
      read: (scenario) => {
        const object = target(scenario);
        return object && (object[field] ?? fallback);
      },
      write: (scenario, value) => {
        const object = target(scenario);
        if (object) object[field] = value;
      },
    };
  }

  function ofTime(target, field, fallback) {
    const plain = ofObject(target, field, fallback);
    return {
      read: (scenario) => {
        const text = plain.read(scenario);
        return text === undefined ? undefined : seconds(text);
      },
      write: (scenario, value) => plain.write(scenario, duration(value)),
    };
  }

  const inPolicy = (kind) => (scenario) => find(pipelineOf(scenario), kind);
  const field = (kind, name, fallback) => ofObject(inPolicy(kind), name, fallback);
  const time = (kind, name, fallback) => ofTime(inPolicy(kind), name, fallback);

  function onOff(kind, defaults) {
    return {
      kind: "switch",
      read: (scenario) => Number(Boolean(find(pipelineOf(scenario), kind))),
      write: (scenario, value) => turn(pipelineOf(scenario), kind, value === 1, defaults),
    };
  }

  const budget = (scenario) => find(pipelineOf(scenario), "retry")?.budget;
  const failureRate = (scenario) => find(pipelineOf(scenario), "breaker")?.failure_rate;
  const trouble = (scenario) => service(scenario).disturbances?.[0];
  const surge = (scenario) => scenario.clients.surges?.[0];
  const ofKind = (kind) => (scenario) => (trouble(scenario)?.kind === kind ? trouble(scenario) : undefined);

  const JITTERS = ["none", "full", "equal", "decorrelated"];
  const TROUBLES = [null, "outage", "slow", "errors", "capacity"];
  const TROUBLE_NAMES = ["Nothing", "It cannot be reached", "It is slow", "It answers errors",
    "It loses capacity"];
  const TROUBLE_FIELDS = {slow: {factor: 5}, errors: {rate: 1, status: 503}, capacity: {factor: 0.3}};

  function setTrouble(scenario, kind) {
    const to = service(scenario);
    const [old, ...others] = to.disturbances || [];
    const {from = "60s", to: end = "90s", shard} = old || {};
    if (old && old.kind === kind) return;
    const one = {kind, from, to: end, ...TROUBLE_FIELDS[kind], ...(shard === undefined ? {} : {shard})};
    to.disturbances = kind ? [one, ...others] : others;
  }

  function named(names, base) {
    return {
      read: (scenario) => {
        const name = base.read(scenario);
        const at = names.indexOf(name);
        return name === undefined ? undefined : at < 0 ? 0 : at;
      },
      write: (scenario, value) => base.write(scenario, names[value]),
    };
  }

  const TIMES = [10, 20, 30, 40, 50, 60, 62, 65, 70, 75, 80, 90, 100, 110, 120, 135, 150, 165, 180, 210, 240];

  const RULES = ["measured", "aimd", "gradient2", "vegas"];

  const percent = (value) => `${StormCharts.format(100 * value, "%")}`;
  const span = (value) => (value === Infinity ? "no limit" : StormCharts.format(value * 1000, "ms"));
  const count = (value) => value.toLocaleString("en");
  const orOff = (format) => (value) => (value === 0 ? "off" : format(value));

  const GROUPS = [
    {title: "Your policies", heading: true},
    {
      toggle: {key: "retry", label: "Retry", ...onOff("retry", {})},
      settings: [
        {key: "retries", label: "Retries", steps: [0, 1, 2, 3, 4, 5, 7, 10], format: count,
         ...field("retry", "max_retries", 3)},
        {key: "base_delay", label: "First delay", steps: [0.01, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10],
         format: span,
         help: "Doubles with each retry.", ...time("retry", "base_delay", "1s")},
        {key: "jitter", label: "Jitter", options: JITTERS,
         ...named(JITTERS, field("retry", "jitter", "equal"))},
        {key: "heed", label: "Heed Retry-After", kind: "check",
         read: (s) => {
           const retry = inPolicy("retry")(s);
           return retry && Number(retry.honor_retry_after ?? true);
         },
         write: (s, value) => inPolicy("retry")(s) && (inPolicy("retry")(s).honor_retry_after = value === 1)},
        {key: "budget", label: "Retry budget", kind: "check",
         help: "Retries of all calls of a process together are limited to a share of its calls.",
         read: (s) => (inPolicy("retry")(s) ? Number(Boolean(budget(s))) : undefined),
         write: (s, value) => {
           const retry = inPolicy("retry")(s);
           if (!retry) return;
           delete retry.throttle; // it has one or the other
           if (value === 1) retry.budget ??= {ratio: 0.1, min_per_second: 1};
           else delete retry.budget;
         }},
        {key: "ratio", label: "Retries per call", steps: [0, 0.05, 0.1, 0.2, 0.3, 0.5, 1], format: percent,
         ...ofObject(budget, "ratio", 0.2)},
        {key: "free", label: "And in each second", steps: [0, 1, 2, 5, 10, 20, 50], format: count,
         ...ofObject(budget, "min_per_second", 10)},
      ],
    },
    {
      toggle: {key: "breaker", label: "Circuit breaker", ...onOff("breaker", {})},
      settings: [
        {key: "failures", label: "Opens after failures in a row", steps: [0, 1, 2, 3, 5, 8, 10, 20, 50],
         format: orOff(count),
         ...field("breaker", "failure_threshold", 5)},
        {key: "rate", label: "Or at a failure rate of", steps: [0, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 0.9, 1],
         format: orOff(percent),
         read: (s) => {
           if (!inPolicy("breaker")(s)) return undefined;
           return failureRate(s) ? (failureRate(s).threshold ?? 0.5) : 0;
         },
         write: (s, value) => {
           const breaker = inPolicy("breaker")(s);
           if (!breaker) return;
           if (value === 0) delete breaker.failure_rate;
           else breaker.failure_rate = {minimum_calls: 20, window: {within: "10s"}, ...breaker.failure_rate,
             threshold: value};
         }},
        {key: "minimum", label: "Of at least so many calls", steps: [1, 5, 10, 20, 50, 100, 200, 500],
         format: count,
         ...ofObject(failureRate, "minimum_calls", 20)},
        {key: "window", label: "Within", steps: [1, 2, 5, 10, 20, 30, 60, 120], format: span,
         read: (s) => (failureRate(s)?.window?.within ? seconds(failureRate(s).window.within) : undefined),
         write: (s, value) => failureRate(s) && (failureRate(s).window = {within: duration(value)})},
        {key: "reset", label: "Stays open", steps: [0.5, 1, 2, 3, 5, 10, 20, 30, 60], format: span,
         ...time("breaker", "reset_timeout", "60s")},
        {key: "probes", label: "Probes at once", steps: [1, 2, 3, 5, 10], format: count,
         ...field("breaker", "half_open_max_calls", 1)},
        {key: "successes", label: "Successes that close it", steps: [1, 2, 3, 5, 10], format: count,
         ...field("breaker", "success_threshold", 2)},
      ],
    },
    {
      toggle: {key: "hedge", label: "Hedge",
        ...onOff("hedge", {delay: "200ms", budget: {ratio: 0.1, min_per_second: 1}})},
      settings: [
        {key: "hedge_delay", label: "Second copy after", steps: [0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 1, 2],
         format: span,
         help: "The first answer wins. A budget of 10 % of the calls pays for the copies.",
           ...time("hedge", "delay", "2s")},
        {key: "hedges", label: "Copies beside the first", steps: [1, 2, 3], format: count,
         ...field("hedge", "max_hedges", 1)},
      ],
    },
    {
      toggle: {key: "attempt_timeout", label: "Limit of an attempt",
        ...onOff("attempt_timeout", {limit: "10s"})},
      settings: [
        {key: "attempt", label: "Ends after", steps: [0.1, 0.2, 0.5, 1, 2, 3, 5, 10, 20, 30], format: span,
         ...time("attempt_timeout", "limit", "10s")},
      ],
    },
    {
      toggle: {key: "total_timeout", label: "Limit of a whole call",
        ...onOff("total_timeout", {limit: "30s"})},
      settings: [
        {key: "total", label: "Ends after", steps: [0.5, 1, 2, 3, 5, 10, 15, 20, 30, 60], format: span,
         help: "With all its retries and waits.", ...time("total_timeout", "limit", "30s")},
      ],
    },
    {
      toggle: {key: "throttle", label: "Throttle", ...onOff("throttle", {k: 2, window: "30s"})},
      settings: [
        {key: "k", label: "Attempts for each accepted one", steps: [1, 1.1, 1.2, 1.5, 2, 3, 5],
         format: (v) => `${v} ×`,
         help: "Above it, a share of the attempts is refused, the more the less is accepted.",
           ...field("throttle", "k", 2)},
        {key: "lookback", label: "Looks back", steps: [5, 10, 20, 30, 60, 120, 300], format: span,
         ...time("throttle", "window", "2min")},
        {key: "refusals", label: "Refuses at most", steps: [0.5, 0.8, 0.9, 0.95, 0.99, 1], format: percent,
         ...field("throttle", "max_rejection", 0.95)},
      ],
    },
    {
      toggle: {key: "adaptive", label: "Adaptive limit", ...onOff("adaptive_limit", {})},
      settings: [
        {key: "rule", label: "How it finds its limit", options: ["Measured", "Aimd", "Gradient2", "Vegas"],
         read: (s) => {
           const policy = inPolicy("adaptive_limit")(s);
           return policy && RULES.indexOf(policy.rule ?? "measured");
         },
         write: (s, value) => {
           const {policies} = pipelineOf(s);
           const at = policies.findIndex((one) => one.policy === "adaptive_limit");
           // Each rule has fields of its own.
           if (at >= 0) policies[at] = {policy: "adaptive_limit", rule: RULES[value]};
         }},
        {key: "highest", label: "Calls at once, at most", steps: [20, 50, 100, 200, 500, 1000], format: count,
         read: (s) => {
           const policy = inPolicy("adaptive_limit")(s);
           return policy && (policy.max ?? (policy.rule === "vegas" ? 1000 : 200));
         },
         write: (s, value) => inPolicy("adaptive_limit")(s) && (inPolicy("adaptive_limit")(s).max = value)},
      ],
    },
    {
      toggle: {key: "bulkhead", label: "Bulkhead", ...onOff("bulkhead", {})},
      settings: [
        {key: "slots", label: "Calls at once in a process",
         steps: [1, 2, 3, 5, 8, 10, 15, 25, 50, 100, 200, 500, 1000], format: count,
         ...field("bulkhead", "max_concurrent", 25)},
        {key: "waiting", label: "Calls that may wait", steps: [0, 1, 5, 10, 25, 50, 100, 500], format: count,
         ...field("bulkhead", "max_waiting", 0)},
      ],
    },
    {title: "The service and its clients", heading: true},
    {
      title: "Clients",
      settings: [
        {key: "clients", label: "Users", steps: [10, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000],
         format: count,
         ...ofObject((s) => s.clients, "count", 1000)},
        {key: "calls", label: "Calls a minute of each", steps: [0.5, 1, 2, 3, 6, 10, 12, 20, 30, 60],
         format: count,
         ...ofObject((s) => s.clients, "calls_per_minute", 6)},
        {key: "processes", label: "Processes that call for them", steps: [1, 2, 3, 5, 10, 20, 40],
         format: count,
         ...ofObject((s) => s.clients, "instances", 10)},
        {key: "patience", label: "A user gives up after", steps: [0.5, 1, 2, 3, 5, 10, 15, 20, 30, 60, 120],
         format: span,
         ...ofTime((s) => s.clients, "timeout", "30s")},
      ],
    },
    {
      title: "Service",
      settings: [
        {key: "capacity", label: "Serves at once", steps: [1, 2, 5, 10, 20, 30, 50, 75, 100, 200, 500, 1000],
         format: count,
         ...ofObject(service, "capacity", 50)},
        {key: "queue", label: "Places in its queue", steps: [0, 5, 10, 25, 50, 100, 200, 500, 1000, 5000],
         format: count,
         ...ofObject(service, "queue", 100)},
        {key: "median", label: "Takes, typically", steps: [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2],
         format: span,
         ...ofTime((s) => (service(s).service ??= {}), "median", "50ms")},
      ],
    },
    {
      title: "Trouble",
      settings: [
        {key: "trouble", label: "Kind", options: TROUBLE_NAMES,
         read: (s) => TROUBLES.indexOf(trouble(s)?.kind ?? null),
         write: (s, value) => setTrouble(s, TROUBLES[value])},
        {key: "from", label: "From", steps: TIMES, format: (v) => StormCharts.time(v),
         ...ofTime(trouble, "from", "0s")},
        {key: "to", label: "To", steps: TIMES, format: (v) => StormCharts.time(v),
         ...ofTime(trouble, "to", "0s")},
        {key: "hangs", label: "Calls hang, instead of being refused", kind: "check",
         read: (s) => (ofKind("outage")(s) ? Number(trouble(s).hangs ?? false) : undefined),
         write: (s, value) => ofKind("outage")(s) && (trouble(s).hangs = value === 1)},
        {key: "slower", label: "Slower by", steps: [1.5, 2, 3, 5, 10, 20, 50], format: (v) => `${v} ×`,
         ...ofObject(ofKind("slow"), "factor", 1)},
        {key: "left", label: "Capacity that is left", steps: [0, 0.1, 0.2, 0.3, 0.5, 0.75, 0.9],
         format: percent,
         ...ofObject(ofKind("capacity"), "factor", 1)},
        {key: "errors", label: "Calls that fail", steps: [0.05, 0.1, 0.2, 0.3, 0.5, 0.8, 1], format: percent,
         ...ofObject(ofKind("errors"), "rate", 1)},
        {key: "retry_after", label: "Retry-After of the failures", steps: [0, 1, 2, 5, 10, 20, 30, 60],
         format: (v) => (v === 0 ? "none" : span(v)),
         read: (s) => (ofKind("errors")(s) ? (seconds(trouble(s).retry_after) ?? 0) : undefined),
         write: (s, value) => {
           if (!ofKind("errors")(s)) return;
           if (value === 0) delete trouble(s).retry_after;
           else trouble(s).retry_after = duration(value);
         }},
      ],
    },
    {
      title: "A surge of calls",
      settings: [
        {key: "surge", label: "Calls, against the usual", steps: [0, 0.5, 1, 1.2, 1.5, 2, 3, 4, 5, 7, 10],
         format: (v) => `${v} ×`,
         ...ofObject(surge, "factor", 1)},
        {key: "surge_from", label: "From", steps: TIMES, format: (v) => StormCharts.time(v),
         ...ofTime(surge, "from", "0s")},
        {key: "surge_to", label: "To", steps: TIMES, format: (v) => StormCharts.time(v),
         ...ofTime(surge, "to", "0s")},
      ],
    },
    {
      title: "Chance",
      settings: [{key: "seed", label: "Seed", kind: "number", least: 0, most: 999999}],
    },
  ];

  // All that a link may carry, in the order in which it is applied: a switch before what it shows.
  const SETTINGS = GROUPS.flatMap((group) => [...(group.toggle ? [group.toggle] : []),
    ...(group.settings || [])]);

  function rangeOf(setting) {
    if (setting.options) return [0, setting.options.length - 1];
    if (setting.kind === "switch" || setting.kind === "check") return [0, 1];
    if (setting.kind === "number") return [setting.least, setting.most];
    return [setting.steps[0], setting.steps[setting.steps.length - 1]];
  }

  const FIRST = "herd"; // shown at first
  const HERDS = ["herd", "overload"]; // those that retries make worse are compared with them at first

  /// What is chosen: a preset, the pipelines to begin with and to compare with, a seed, and changes.
  class Choice {
    constructor(presets) {
      this.presets = presets;
      this.seed = 7;
      this.take(presets.find((one) => one.name === FIRST) || presets[0]);
    }

    /// A fragment of a URL: preset, pipeline, other and the changed settings. Throws an Error for any other.
    static fromFragment(presets, text) {
      const choice = new Choice(presets);
      if (!text) return choice;
      if (text.length > 2000) throw new Error("it is too long.");
      const wanted = new Map();
      for (const [key, value] of new URLSearchParams(text)) {
        if (wanted.has(key)) throw new Error(`${printable(key)} is there twice.`);
        wanted.set(key, value);
      }
      const take = (key, names, use) => {
        if (!wanted.has(key)) return;
        const value = wanted.get(key);
        wanted.delete(key);
        if (!names.includes(value)) throw new Error(`it names ${printable(value)} as ${key}.`);
        use(value);
      };
      take("preset", presets.map((one) => one.name), (name) => choice.set("preset", name));
      const pipelines = choice.preset.pipelines.map((one) => one.name);
      take("pipeline", pipelines, (name) => (choice.base = name));
      take("other", pipelines, (name) => (choice.other = name));
      for (const setting of SETTINGS) {
        if (!wanted.has(setting.key)) continue;
        const value = wanted.get(setting.key);
        wanted.delete(setting.key);
        const number = /^\d+(\.\d+)?$/.test(value) ? Number(value) : NaN;
        const [least, most] = rangeOf(setting);
        const whole = setting.steps === undefined;
        if (!(number >= least && number <= most) || (whole && !Number.isInteger(number)))
          throw new Error(`${setting.key} is ${printable(value)}, and can be ${least} to ${most}.`);
        choice.set(setting.key, number);
      }
      for (const key of wanted.keys())
        throw new Error(`it has a setting ${printable(key)}, which the page does not know.`);
      return choice;
    }

    take(preset) {
      this.preset = preset;
      const has = (name) => preset.pipelines.some((one) => one.name === name);
      this.base = has("standard_pipeline") ? "standard_pipeline" : preset.pipelines[0].name;
      const usual = HERDS.includes(preset.name) ? "plain_retry" : "no_policy";
      this.other = has(usual) ? usual : preset.pipelines[0].name;
      this.reset();
    }

    reset() {
      this.changes = new Map();
    }

    set(key, value) {
      if (key === "preset") this.take(this.presets.find((one) => one.name === value));
      else if (key === "pipeline") {
        this.base = value;
        for (const setting of GROUPS.slice(0,
          GROUPS.findIndex((one) => one.heading && one !== GROUPS[0])).flatMap(
          (group) => [...(group.toggle ? [group.toggle] : []),
            ...(group.settings || [])])) this.changes.delete(setting.key);
      } else if (key === "other") this.other = value;
      else if (key === "seed") this.seed = value;
      else {
        this.changes.delete(key);
        if (this.read(key) !== value) this.changes.set(key, value);
      }
    }

    read(key) {
      if (key === "seed") return this.seed;
      return SETTINGS.find((one) => one.key === key).read(this.scenario("mine"));
    }

    fragment() {
      const parts = new URLSearchParams({preset: this.preset.name, pipeline: this.base, other: this.other});
      parts.set("seed", this.seed);
      for (const setting of SETTINGS)
        if (this.changes.has(setting.key)) parts.set(setting.key, String(this.changes.get(setting.key)));
      return parts.toString();
    }

    /// As JSON, with one pipeline: "mine", or the "other" one, which the changes of policies leave as it is.
    scenario(side) {
      const scenario = structuredClone(this.preset);
      const name = side === "mine" ? this.base : this.other;
      const spec = inParts(scenario.pipelines.find((one) => one.name === name));
      scenario.pipelines = [spec];
      const untouched = structuredClone(spec);
      for (const setting of SETTINGS)
        if (this.changes.has(setting.key)) setting.write(scenario, this.changes.get(setting.key));
      if (side === "other") scenario.pipelines = [untouched];
      else if (this.changes.size > 0) Object.assign(scenario.pipelines[0],
        {name: "mine", title: "Your policies"});
      return scenario;
    }

    copy() {
      const copy = Object.assign(new Choice(this.presets), this);
      copy.changes = new Map(this.changes);
      return copy;
    }

    duration() {
      return seconds(this.preset.duration ?? "5min");
    }
    /// Numbers without trouble; steady: calls a second.
    usual() {
      const scenario = this.scenario("mine");
      const {count = 1000, calls_per_minute: rate = 6, instances = 10} = scenario.clients;
      const {capacity = 50, queue = 100, shards = 1} = service(scenario);
      return {clients: count, instances, places: capacity * shards, queue: queue * shards,
        steady: (count * rate) / 60};
    }
    /// What goes wrong: {from, to, label, is_outage}, by its beginning.
    bands() {
      const {dependencies, clients} = this.scenario("mine");
      const wrong = dependencies.flatMap((one) => one.disturbances || []).map((one) => ({
        from: seconds(one.from), to: seconds(one.to), label: labelOf(one),
        is_outage: one.kind === "outage" && (one.shard ?? -1) < 0,
      }));
      const surges = (clients.surges || []).map((one) => ({
        from: seconds(one.from), to: seconds(one.to), label: `${one.factor} × the calls`, is_outage: false,
      }));
      return [...wrong, ...surges].sort((a, b) => a.from - b.from);
    }
    otherTitle() {
      return this.preset.pipelines.find((one) => one.name === this.other).title;
    }
    story() {
      return this.preset.description || "";
    }
  }

  function labelOf({kind, factor = 1, rate = 1, hangs = false, status = 503, shard = -1}) {
    if (shard >= 0) return `one bad shard`;
    if (kind === "slow") return `${factor} × slower`;
    if (kind === "errors") return `${rate < 1 ? `${percent(rate)} ` : ""}errors ${status}`;
    if (kind === "capacity") return `${percent(factor)} capacity`;
    return hangs ? "calls hang" : "outage";
  }

  // The form.

  function element(tag, className, text) {
    const node = document.createElement(tag);
    if (className) node.className = className;
    if (text !== undefined) node.textContent = text;
    return node;
  }

  function makeControl(setting, change) {
    const box = element("div", "setting");
    const label = element("label", "", setting.label);
    label.htmlFor = `set-${setting.key}`;
    let input;
    let update;
    if (setting.options) {
      input = element("select");
      input.append(...setting.options.map((name, i) => {
        const option = element("option", "", name);
        option.value = String(i);
        return option;
      }));
      input.addEventListener("change", () => change(setting.key, Number(input.value)));
      update = (value) => (input.value = String(value));
      box.append(label, input);
    } else if (setting.kind === "check") {
      box.classList.add("check");
      input = element("input");
      input.type = "checkbox";
      input.addEventListener("change", () => change(setting.key, Number(input.checked)));
      update = (value) => (input.checked = value === 1);
      box.append(input, label);
    } else if (setting.kind === "number") {
      input = element("input");
      input.type = "number";
      input.min = setting.least;
      input.max = setting.most;
      input.addEventListener("change", () => {
        const value = Math.round(Number(input.value));
        if (value >= setting.least && value <= setting.most) change(setting.key, value);
      });
      update = (value) => (input.value = String(value));
      box.append(label, input);
    } else {
      input = element("input");
      input.type = "range";
      const output = element("output");
      output.setAttribute("aria-live", "off"); // the slider says it
      let steps = setting.steps;
      const say = () => {
        output.value = setting.format(steps[input.value]);
        input.setAttribute("aria-valuetext", output.value);
      };
      input.addEventListener("input", () => {
        say();
        change(setting.key, steps[input.value]);
      });
      update = (value) => {
        steps = setting.steps.includes(value) ? setting.steps : [...setting.steps,
          value].sort((a, b) => a - b);
        input.min = 0;
        input.max = steps.length - 1;
        input.step = 1;
        input.value = steps.indexOf(value);
        say();
      };
      box.append(label, output, input);
    }
    input.id = `set-${setting.key}`;
    if (setting.help) {
      const help = element("p", "help", setting.help);
      help.id = `help-${setting.key}`;
      input.setAttribute("aria-describedby", help.id);
      box.append(help);
    }
    return {setting, box, update};
  }

  function makeForm(form, change) {
    const controls = [];
    for (const group of GROUPS) {
      if (group.heading) {
        form.append(element("h3", "group heading", group.title));
        continue;
      }
      const box = element("fieldset", "group");
      const legend = element("legend");
      if (group.toggle) {
        const label = element("label");
        const input = element("input");
        input.type = "checkbox";
        input.id = `set-${group.toggle.key}`;
        input.addEventListener("change", () => change(group.toggle.key, Number(input.checked)));
        label.append(input, group.toggle.label);
        legend.append(label);
        const update = (value) => {
          input.checked = value === 1;
          box.classList.toggle("off", value !== 1);
        };
        controls.push({setting: group.toggle, box: legend, update});
      } else {
        legend.textContent = group.title;
      }
      box.append(legend);
      for (const setting of group.settings) {
        const control = makeControl(setting, change);
        controls.push(control);
        box.append(control.box);
      }
      form.append(box);
    }
    form.addEventListener("submit", (event) => event.preventDefault());
    return controls;
  }

  let controls = null;

  /// Makes the form at first, and shows what is chosen. change(key, value) is called for each change.
  function show(form, choice, change) {
    controls ??= makeForm(form, change);
    const scenario = choice.scenario("mine");
    for (const {setting, box, update} of controls) {
      const value = setting.key === "seed" ? choice.seed : setting.read(scenario);
      if (box.tagName !== "LEGEND") box.hidden = value === undefined;
      if (value !== undefined) update(value);
      box.classList.toggle("changed", choice.changes.has(setting.key));
    }
    for (const group of form.querySelectorAll("fieldset"))
      group.hidden = !group.querySelector("legend input") && !group.querySelector(".setting:not([hidden])");
  }

  const noSecond = {calls: 0, succeeded: 0, failed: 0, rejected: 0, attempts: 0, served: 0, wasted: 0,
    retries: 0,
                    hedges: 0};

  return {Choice, SETTINGS, show, noSecond, seconds};
})();

if (typeof module === "object") module.exports = Settings;
