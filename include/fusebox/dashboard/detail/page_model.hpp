// fusebox/dashboard/detail/page_model.hpp: the first part of the page's script: what it knows.
//
// It asks for the document, makes rates of counters that grow, and keeps the last of them. It touches no
// element.
#pragma once
// IWYU pragma: private, include <fusebox/dashboard.hpp>

#include <string_view>

#include <fusebox/detail/macros.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

inline constexpr std::string_view dashboard_model = R"js(
"use strict";
// A name may be anything: "__proto__", markup, a direction mark. Names are keys of Maps and text, nothing else.
const OK = 0, NOTE = 1, WARN = 2, BAD = 3;
const KEPT = 60;          // samples of the charts
const RECENT_MS = 10000;  // over which a rate is taken

const plural = (n, one, many = one + "s") => `${n} ${n === 1 ? one : many}`;
const slots = (s) => `${s.inUse} of ${s.limit} in use` + (s.waiting ? `, ${s.waiting} waiting` : "");
const fullness = (s) => s.inUse < s.limit ? ["free", OK] : [s.waiting ? "queueing" : "full", WARN];
const wait = (ms) => ms < 1000 ? `${ms} ms` : ms < 90000 ? `${Math.ceil(ms / 1000)} s` : `${Math.ceil(ms / 60000)} min`;

// For each member of the health document: counts gives [calls, failed, rejected], all growing; `lost` is the rate
// of the rejected.
const KINDS = new Map(Object.entries({
  circuitBreakers: {
    one: "breaker", many: "Breakers",
    counts: (s) => [s.successCount + s.failureCount + s.ignoredCount, s.failureCount, s.rejectedCount],
    state: (s) => [s.state, {open: BAD, "forced-open": BAD, "half-open": WARN, disabled: NOTE}[s.state] ?? OK],
    now: (s) => s.retryAfterMs > 0 ? `probe in ${wait(s.retryAfterMs)}` :
      s.consecutiveFailures > 0 ? `${plural(s.consecutiveFailures, "failure")} in a row` :
      s.openedCount > 0 ? `opened ${plural(s.openedCount, "time")}` : "",
  },
  bulkheads: {
    one: "bulkhead", many: "Bulkheads",
    counts: (s) => [s.admitted, 0, s.rejected], state: fullness, now: slots,
  },
  adaptiveLimits: {
    one: "adaptive limit", many: "Adaptive limits",
    counts: (s) => [s.admitted, s.dropped, s.rejected], state: fullness,
    now: (s) => `${slots(s)}, ${s.latencyMs} ms`,
  },
  rateLimiters: {
    one: "rate limiter", many: "Rate limiters",
    counts: (s) => [s.admitted, 0, s.rejected],
    state: (s, lost) => lost > 0 ? ["limiting", WARN] : ["free", OK],
    now: (s) => s.waited ? `${plural(s.waited, "wait")} so far` : "",
  },
  throttles: {
    one: "throttle", many: "Throttles",
    counts: (s) => [s.totalRequests, s.totalRequests - s.totalAccepts, s.rejected],
    state: (s) => s.rejectionRatio > 0 ? ["throttling", WARN] : ["free", OK],
    now: (s) => `rejects ${Math.round(s.rejectionRatio * 100)} %`,
  },
  retries: {
    one: "retry", many: "Retries",
    counts: (s) => [s.succeeded + s.failed + s.ignored, s.failed, 0],
    state: () => ["counted", OK],
    now: (s) => s.calls ? `${((s.succeeded + s.failed + s.ignored) / s.calls).toFixed(2)} attempts a call` : "",
  },
  retryBudgets: {
    one: "retry budget", many: "Retry budgets",
    counts: (s) => [s.withdrawn, 0, s.refused],
    state: (s, lost) => lost > 0 ? ["exhausted", WARN] : ["available", OK],
    now: (s) => `balance ${+s.balance.toFixed(1)}`,
  },
  retryThrottles: {
    one: "retry throttle", many: "Retry throttles",
    counts: (s) => [s.withdrawn, 0, s.refused],
    state: (s, lost) => lost > 0 ? ["exhausted", WARN] : ["available", OK],
    now: (s) => `${+s.balance.toFixed(1)} tokens`,
  },
  timeouts: {
    one: "timeout", many: "Timeouts",
    counts: (s) => [s.calls, s.timedOut, 0],
    state: () => ["counted", OK],
    now: (s) => s.timedOut ? `ended ${plural(s.timedOut, "call")}` : "",
  },
  hedges: {
    one: "hedge", many: "Hedges",
    counts: (s) => [s.calls, 0, s.refused],
    state: () => ["counted", OK],
    now: (s) => `${plural(s.started, "hedge")}, ${s.wonByHedge} won`,
  },
  callDurations: {
    one: "duration", many: "Durations",
    counts: (s) => [s.count, 0, 0],
    state: () => ["measured", OK],
    now: (s) => s.count ? `mean ${(s.sumMs / s.count).toFixed(1)} ms` : "",
  },
  chaos: {
    one: "chaos", many: "Chaos",
    counts: (s) => [s.calls, s.faults, 0],
    state: (s) => s.enabled ? ["enabled", NOTE] : ["off", OK],
    now: (s) => s.faults || s.delays ? `${plural(s.faults, "fault")}, ${plural(s.delays, "delay")}` : "",
  },
}));
const kindOf = (kind) => KINDS.get(kind) ??
  {one: kind, many: kind, counts: () => [0, 0, 0], state: () => ["", OK], now: () => ""};

class Policy {
  constructor(kind, name) {
    Object.assign(this, {kind, name, key: `${kind} ${name}`, lower: name.toLowerCase(), samples: [], last: null,
      rate: 0, failed: 0, rejected: 0, failing: null, stats: {}, state: "", tone: OK, now: ""});
  }
  // `time` in ms. A counter that has fallen was reset: it has grown from 0.
  update(stats, time) {
    const kind = kindOf(this.kind);
    const counts = kind.counts(stats);
    if (this.last && time < this.last.time) { this.samples = []; this.last = null; }  // the clock was set back
    const last = this.last;
    if (last && time > last.time) {
      const seconds = (time - last.time) / 1000;
      const grown = counts.map((count, i) => Math.max(0, count >= last.counts[i] ? count - last.counts[i] : count));
      this.samples.push({time, seconds, calls: grown[0], failed: grown[1], rejected: grown[2]});
      if (this.samples.length > KEPT) this.samples.shift();
    }
    if (!last || time > last.time) this.last = {time, counts};
    let seconds = 0, calls = 0, failed = 0, rejected = 0;
    for (let i = this.samples.length - 1; i >= 0 && (seconds === 0 || time - this.samples[i].time < RECENT_MS); --i) {
      const sample = this.samples[i];
      seconds += sample.seconds, calls += sample.calls, failed += sample.failed, rejected += sample.rejected;
    }
    this.rate = seconds ? calls / seconds : 0;
    this.failed = seconds ? failed / seconds : 0;
    this.rejected = seconds ? rejected / seconds : 0;
    this.failing = calls ? failed / calls : null;
    this.stats = stats;
    [this.state, this.tone] = kind.state(stats, this.rejected);
    this.now = kind.now(stats);
  }
}

const model = {
  policies: new Map(),  // by kind and name
  events: [], actions: {}, title: "", refresh: 2000, received: 0, time: 0,
  instance: null, changed: -Infinity,  // when another instance answered last
  summary: {total: 0, open: 0, halfOpen: 0},
  take(document) {
    if (!document?.health?.summary || !Array.isArray(document.events) || !(document.refreshMs >= 100))
      throw new Error("it is no document of a dashboard");
    if (this.instance !== null && document.instance !== this.instance) {
      this.policies.clear();  // counters of two processes make no rate
      this.changed = Date.now();
    }
    this.instance = document.instance;
    this.title = document.title;
    this.refresh = document.refreshMs;
    this.actions = document.actions;
    this.events = document.events;
    const {timestamp, summary, ...kinds} = document.health;
    this.summary = summary;
    this.time = Date.parse(timestamp);
    this.received = Date.now();
    const gone = new Set(this.policies.keys());
    for (const [kind, byName] of Object.entries(kinds)) {
      for (const [name, stats] of Object.entries(byName)) {
        const key = `${kind} ${name}`;
        gone.delete(key);
        let policy = this.policies.get(key);
        if (!policy) this.policies.set(key, policy = new Policy(kind, name));
        policy.update(stats, this.time);
      }
    }
    for (const key of gone) this.policies.delete(key);
  },
  // Sums over the breakers.
  totals() {
    const sums = {rate: 0, failed: 0, rejected: 0, forced: 0};
    for (const policy of this.policies.values()) {
      if (policy.kind !== "circuitBreakers") continue;
      sums.rate += policy.rate, sums.failed += policy.failed, sums.rejected += policy.rejected;
      sums.forced += policy.state === "forced-open";
    }
    return sums;
  },
};

const path = (name) => document.querySelector(`meta[name="fusebox-${name}"]`).content;

async function ask() {
  const response = await fetch(path("data"), {cache: "no-store", signal: AbortSignal.timeout(15000)});
  if (!response.ok) throw new Error(`status ${response.status}`);
  return response.json();
}

async function act(action, name) {
  const response = await fetch(path("action"), {method: "POST", body: name, redirect: "error",
    signal: AbortSignal.timeout(15000), headers: {"X-Fusebox-Action": action, "Content-Type": "text/plain;charset=utf-8"}});
  // Only act() answers 204: a page of a login or of a proxy has 200.
  if (response.status !== 204) throw new Error((await response.text()).trim().slice(0, 200) || `status ${response.status}`);
}
)js";

}  // namespace detail

FUSEBOX_END_NAMESPACE
