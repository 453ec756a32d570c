#!/usr/bin/env python3
"""H76: the Grafana dashboard and the alerts of examples/observability use what the library writes.

check_observability.py SOURCE FOLDER PROMTOOL     SOURCE is the program of ../metrics_source.cpp
"""

import json
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from local_servers import Checks  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
ADDED = {"job", "instance", "__name__"}  # labels that Prometheus adds
# What needs no panel: parts of what one shows, what follows from others, what an alert is for.
NO_PANEL = {
    f"fusebox_{name}"
    for name in (
        *("circuit_breaker_failure_ratio", "circuit_breaker_last_failure_timestamp_seconds"),
        *("bulkhead_admitted_total", "adaptive_limit_admitted_total", "rate_limiter_waited_total"),
        *("throttle_requests_total", "throttle_accepts_total", "throttle_rejected_total"),
        *("retry_budget_withdrawn_total", "retry_throttle_withdrawn_total"),
        *("hedge_won_by_primary_total", "hedge_refused_total", "chaos_enabled", "chaos_calls_total"),
        *("pipeline_call_duration_seconds_sum", "pipeline_call_duration_seconds_count"),
    )
}
METRIC = re.compile(r"\b(fusebox_\w+)(?:\{([^}]*)\})?")
MATCHER = re.compile(r'(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"')
check = Checks()


def written(source):
    """{metric: {label: values}} of what the library writes."""
    done = subprocess.run([source], input="fake metrics\n", capture_output=True, text=True, check=True, timeout=30)
    found = {}
    for line in done.stdout.splitlines():
        sample = re.match(r"(fusebox_\w+)\{(.*)\} \S+$", line)
        if sample:
            labels = found.setdefault(sample.group(1), {})
            for name, value in re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', sample.group(2)):
                labels.setdefault(name, set()).add(value)
    return found


def check_expression(what, expression, metrics):
    """Each metric exists, with each label that it is asked for; each value that is asked for can be."""
    used = METRIC.findall(expression)
    check(what, used, f"no metric in {expression}")
    labels = set(ADDED)
    for metric, matchers in used:
        if metric.endswith("_"):  # a prefix, as in fusebox_.+
            continue
        check(f"{what}: {metric}", metric in metrics, "no such metric")
        known = metrics.get(metric, {})
        labels |= set(known)
        for label, _, value in MATCHER.findall(matchers):
            check(f"{what}: {metric}", label in known or label in ADDED, f"no label {label}")
            if label in ("state", "outcome"):
                wrong = set(value.split("|")) - known.get(label, set())
                check(f"{what}: {metric}", not wrong, f"{label} is never {wrong}")
    for group in re.findall(r"\bby \(([^)]*)\)", expression):
        for label in re.split(r",\s*", group):
            check(what, label in labels, f"by ({label}) in {expression}")
    return {metric for metric, _ in used}


def panels_of(panels):
    for panel in panels:
        yield panel
        yield from panels_of(panel.get("panels", []))


def expressions_of(dashboard):
    for panel in panels_of(dashboard["panels"]):
        for target in panel.get("targets", []):
            yield panel["title"], target["expr"]
    for one in dashboard["annotations"]["list"]:
        yield one["name"], one["expr"]


def check_layout(dashboard):
    """Grafana can import it: numbers are unique, panels do not overlap, the data source is the variable."""
    numbers, taken = set(), set()
    for panel in panels_of(dashboard["panels"]):
        check("grafana.json: ids", panel["id"] not in numbers, panel["id"])
        numbers.add(panel["id"])
        place = panel["gridPos"]
        cells = {(x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])}
        check(f"grafana.json: {panel['title']}", not cells & taken and place["x"] + place["w"] <= 24, f"overlaps: {place}")
        taken |= cells
        for target in panel.get("targets", []):
            check(f"grafana.json: {panel['title']}", target["datasource"]["uid"] == "${datasource}", target["datasource"])
    names = [one["name"] for one in dashboard["templating"]["list"]]
    check("grafana.json: variables", names == ["datasource", "job", "name"], names)
    check("grafana.json: id", "id" not in dashboard, "an id belongs to one Grafana")


def state_test(expression):
    """A test for promtool: the panel of states shows the worst of two instances, and no sum of both."""
    states = ["closed", "half-open", "open", "forced-open", "disabled"]
    worst = [(0, 0), (1, 0), (1, 2), (3, 2), (0, 4)]  # of both instances, minute by minute
    series = [
        {
            "series": f'fusebox_circuit_breaker_state{{job="shop",instance="{instance}",name="payments",state="{state}"}}',
            "values": " ".join(str(int(both[instance] == number)) for both in worst),
        }
        for instance in (0, 1)
        for number, state in enumerate(states)
    ]
    expected = [
        {"expr": expression, "eval_time": f"{minute}m", "exp_samples": [{"labels": '{name="payments"}', "value": max(both)}]}
        for minute, both in enumerate(worst)
    ]
    return {"tests": [{"interval": "1m", "input_series": series, "promql_expr_test": expected}]}


def promtool(program, *arguments):
    done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False, timeout=60)
    check(f"promtool {' '.join(arguments[:2])}", done.returncode == 0, done.stdout + done.stderr)
    return done.stdout


def main():
    source, folder, program = sys.argv[1:]
    metrics = written(source)
    with open(os.path.join(folder, "grafana.json"), encoding="utf-8") as file:
        dashboard = json.load(file)
    with open(os.path.join(folder, "alerts.yml"), encoding="utf-8") as file:
        alerts = file.read()

    used = set()
    expressions = list(expressions_of(dashboard))
    for title, expression in expressions:
        used |= check_expression(f"grafana.json: {title}", expression, metrics)
    rules = re.findall(r"- alert: (\w+)\n\s+expr: (?:\|\n((?:\s{10,}.*\n)+)|(.*)\n)", alerts)
    check("alerts.yml", len(rules) == alerts.count("- alert:") > 0, f"{len(rules)} rules are read")
    for name, block, line in rules:
        check_expression(f"alerts.yml: {name}", block or line, metrics)
    wrong = sorted((set(metrics) - used) ^ NO_PANEL)
    check("grafana.json: every metric is in it, but those of NO_PANEL", not wrong, wrong)
    check_layout(dashboard)

    with open(os.path.join(folder, "README.md"), encoding="utf-8") as file:
        table = set(re.findall(r"^\| `(Fusebox\w+)`", file.read(), re.M))
    check("README.md", table == {name for name, _, _ in rules}, table)
    with open(os.path.join(HERE, "alerts.test.yml"), encoding="utf-8") as file:
        tests = file.read()
    for name, _, _ in rules:
        fires = re.search(rf"alertname: {name}\n\s+exp_alerts:", tests)
        check(f"alerts.test.yml: {name}", fires, "no test in which it fires")

    promtool(program, "check", "rules", os.path.join(folder, "alerts.yml"))
    promtool(program, "test", "rules", os.path.join(HERE, "alerts.test.yml"))
    with tempfile.TemporaryDirectory() as work:  # what Grafana sends
        path = os.path.join(work, "grafana.yml")
        sent = [one.replace("$__rate_interval", "1m").replace("$job", ".*").replace("$name", ".*") for _, one in expressions]
        groups = [{"name": "grafana", "rules": [{"record": f"r{i}", "expr": one} for i, one in enumerate(sent)]}]
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"groups": groups}, file)
        promtool(program, "check", "rules", path)
        path = os.path.join(work, "state.test.yml")
        with open(path, "w", encoding="utf-8") as file:
            json.dump(state_test(sent[[title for title, _ in expressions].index("State")]), file)
        promtool(program, "test", "rules", path)
    return check.end()


if __name__ == "__main__":
    sys.exit(main())
