#!/usr/bin/env python3
"""Changes one thing at a time in the headers and looks whether a test notices.

scripts/mutants.py [--sample N] [--part N] [--all] [--list] [--jobs N] [--tries N] [--keep-kills] [--record]
                   [HEADER...]

Without arguments: one of every EACH mutants of every header, chosen by the hash of what is changed, so that the
choice stays as it is while code elsewhere changes; --part N chooses others. --sample N takes N of these, spread
over the headers; --all takes every mutant. Each is built into the test programs that execute its line, the
likeliest to notice first, until one fails. scripts/mutants/equivalent.txt lists mutants that no test can tell
from the original, and why; these are left out, and an entry that names no mutant is an error.

Fails where fewer than 95 % of the mutants that compile are killed: some are killed only by a race, and not each
time. A survivor lacks a test, or a line in scripts/mutants/equivalent.txt. Results
are kept in build/mutants, so that only what depends on a changed file is run again; --keep-kills believes a
kill though tests have changed since. The last report is build/mutants/report.json. --record writes
scripts/mutants/killers.txt, which program killed which mutant, so that a run elsewhere begins with that one.
"""

import argparse
import concurrent.futures
import fcntl
import json
import os
import shutil
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "mutants"))

import generate  # noqa: E402
import programs  # noqa: E402
from programs import BUILD, INCLUDE, KILLED, ROOT, SURVIVED, UNCOMPILED, read  # noqa: E402

HEADERS = os.path.join(INCLUDE, "fusebox")
EQUIVALENT = os.path.join(ROOT, "scripts", "mutants", "equivalent.txt")
LEFT_OUT = ("adapters/", "detail/asio/", "test/", "format.hpp", "fwd.hpp", "version.hpp", "fusebox.hpp")
KILLERS = os.path.join(ROOT, "scripts", "mutants", "killers.txt")
EACH = 8
SCORE = 95.0
TRIES = 16


def headers():
    for folder, folders, names in os.walk(HEADERS):
        folders.sort()
        for name in sorted(names):
            header = os.path.relpath(os.path.join(folder, name), HEADERS)
            if not header.startswith(LEFT_OUT):
                yield header


def read_equivalent():
    """Blocks of four lines: header and, from the second of its kind, #2; - before; + after; = why."""
    found = {}
    for number, block in enumerate(read(EQUIVALENT).split("\n\n") if os.path.exists(EQUIVALENT) else [], 1):
        lines = [line for line in block.strip().splitlines() if not line.startswith("//")]
        if not lines:
            continue
        if len(lines) != 4 or [line[:2] for line in lines[1:]] != ["- ", "+ ", "= "]:
            raise SystemExit(f"{EQUIVALENT}: block {number} is no header, -, + and =:\n{block}")
        header, _, nth = lines[0].partition(" #")
        found[header.strip(), lines[1][2:], lines[2][2:], int(nth or 1)] = lines[3][2:]
    return found


class Results:
    """What is known already: stamp of program and mutant -> outcome. A file that only grows."""

    def __init__(self):
        self.path = os.path.join(BUILD, "results.jsonl")
        self.lock = threading.Lock()
        self.known, self.killers = {}, {}
        if os.path.exists(self.path):
            for line in read(self.path).splitlines():
                self.take(json.loads(line))

    def take(self, entry):
        self.known[entry["stamp"]] = entry
        if entry["outcome"] != SURVIVED:
            self.killers[tuple(entry["mutant"])] = entry

    def add(self, **entry):
        with self.lock:
            self.take(entry)
            with open(self.path, "a", encoding="utf-8") as file:
                file.write(json.dumps(entry) + "\n")


class Campaign:
    def __init__(self, options):
        self.options = options
        self.builder = programs.Builder()
        self.builder.prepare()
        self.programs = programs.all_programs()
        self.results = Results()
        self.tries, self.kills = {}, {}
        self.lock = threading.Lock()
        self.asking, self.passes = {}, {}
        self.covered = False
        # Who killed it when killers.txt was written; only says where to begin.
        self.hints = dict(line.split(" ", 1) for line in read(KILLERS).splitlines()) if os.path.exists(KILLERS) else {}

    def pool(self, function, items):
        """function(item, worker's number) for each."""
        numbers = list(range(self.options.jobs))

        def call(item):
            with self.lock:
                number = numbers.pop()
            try:
                return function(item, os.path.join(BUILD, f"worker{number}"))
            finally:
                numbers.append(number)

        with concurrent.futures.ThreadPoolExecutor(self.options.jobs) as executor:
            yield from executor.map(call, items)

    def cover(self):
        """Every program as it is must pass; what it executes tells which mutants it can notice."""
        path = os.path.join(BUILD, "coverage.json")
        known = json.loads(read(path)) if os.path.exists(path) else {}
        stamps = {program.name: program.stamp() for program in self.programs}
        left = [p for p in self.programs if known.get(p.name, {}).get("stamp") != stamps[p.name]]
        if left:
            print(f"{len(left)} programs as they are, to see that they pass and what they execute", flush=True)
        failed = False
        for program, found in zip(left, self.pool(self.builder.cover, left)):
            if found is None:
                failed = True
                continue
            known[program.name] = {**found, "stamp": stamps[program.name]}
            with open(path, "w", encoding="utf-8") as file:
                json.dump(known, file)
        if failed:
            raise SystemExit("mutants: a test fails without any change")
        for program in self.programs:
            found = known[program.name]
            program.seconds, program.run_seconds = found["seconds"], found["run"]
            program.lines = {header: set(lines) for header, lines in found["lines"].items()}
            program.functions = found["functions"]
        self.covered = True

    def candidates(self, mutant):
        reach = [p for p in self.programs if p.reaches(mutant.header)]
        if self.covered:
            by_line = [p for p in reach if mutant.line in p.lines.get(mutant.header, ())]
            by_function = [p for p in reach if any(first <= mutant.last_line and mutant.line <= end
                                                   for first, end in p.functions.get(mutant.header, ()))]  # fmt: skip
            # What only the compiler calls, constants of a class too, is in no line that is executed.
            executing = by_line or by_function or reach
            reach = [p for p in reach if p in executing or p.name in self.own_tests(mutant.header)]
        killer = self.results.killers.get(mutant.key, {}).get("program") or self.hints.get(f"{mutant.order:x}")
        return sorted(reach, key=lambda p: (p.name != killer, -self.promise(p, mutant.header), p.name))

    @staticmethod
    def own_tests(header):
        """The test at the header's path, and those of what it belongs to: of x/detail/y.hpp also those of x/y and x."""
        parts = header.removesuffix(".hpp").split("/")
        paths = ["/".join(parts[:count]) for count in range(len(parts), 0, -1)]
        return [f"unit/{path}" for path in paths if not path.endswith("detail")]

    def promise(self, program, header):
        """How likely it notices a change of that header, per second that it takes."""
        name, own = program.name, self.own_tests(header)
        if name in own:
            prior = 0.8
        elif name.startswith(f"{own[-1]}/"):
            prior = 0.4
        else:
            prior = 0.1
        if any(word in name for word in ("thread", "concurrency")):
            prior /= 4
        pair = header, name
        return (3 * prior + self.kills.get(pair, 0)) / (3 + self.tries.get(pair, 0)) / (program.seconds + 2)

    def is_healthy(self, program, folder):
        """Does it pass as it is? Asked of a program that kills, where they were not all run before."""
        with self.lock:
            lock = self.asking.setdefault(program.name, threading.Lock())
        with lock:
            if program.name not in self.passes:
                self.passes[program.name] = self.covered or self.builder.attempt(program, folder)[0] == SURVIVED
            return self.passes[program.name]

    def judge(self, mutant, folder):
        """(outcome, program, why)"""
        text = read(os.path.join(HEADERS, mutant.header))
        changed = mutant.apply(text)
        overlay = os.path.join(folder, "include")
        shutil.rmtree(folder, ignore_errors=True)
        path = os.path.join(overlay, "fusebox", mutant.header)
        os.makedirs(os.path.dirname(path))
        with open(path, "w", encoding="utf-8") as file:
            file.write(changed)
        earlier = self.results.killers.get(mutant.key)
        if self.options.keep_kills and earlier and earlier["header"] == programs.digest(changed):
            return earlier["outcome"], earlier["program"], earlier["why"]
        for program in self.candidates(mutant)[: self.options.tries]:
            stamp = program.stamp(mutant.header, changed)
            known = self.results.known.get(stamp)
            if known is None:
                outcome, why = self.builder.attempt(program, folder, overlay)
                if outcome == KILLED and not self.is_healthy(program, folder):
                    raise SystemExit(f"mutants: {program.name} fails without any change")
                known = {"outcome": outcome, "why": why}
                about = {"stamp": stamp, "mutant": mutant.key, "program": program.name}
                self.results.add(**about, header=programs.digest(changed), **known)
            with self.lock:
                pair = mutant.header, program.name
                self.tries[pair] = self.tries.get(pair, 0) + 1
                self.kills[pair] = self.kills.get(pair, 0) + (known["outcome"] == KILLED)
            if known["outcome"] != SURVIVED:
                return known["outcome"], program.name, known["why"]
        return SURVIVED, "", ""


def choose(options, equivalent):
    """The mutants to run, by header, and what is left out of them as equivalent."""
    every = {header: generate.of_header(header, read(os.path.join(HEADERS, header))) for header in headers()}
    names = {mutant.key for mutants in every.values() for mutant in mutants}
    stale = [key for key in equivalent if key not in names]
    for header, before, after, nth in stale:
        print(f"{EQUIVALENT}: no such mutant\n{header} #{nth}\n- {before}\n+ {after}")
    if stale:
        raise SystemExit(1)
    total = sum(map(len, every.values()))
    if not options.all:
        every = {header: [m for m in mutants if m.order % EACH == options.part] for header, mutants in every.items()}
    if options.headers:
        every = {header: mutants for header, mutants in every.items() if header in options.headers}
    if options.sample:
        # From every header the mutant whose hash is the least, then the next of each, and so on.
        ranked = []
        for mutants in every.values():
            left = sorted((m for m in mutants if m.key not in equivalent), key=lambda m: m.order)
            ranked += [(rank, mutant.order, mutant.key) for rank, mutant in enumerate(left)]
        kept = {key for _, _, key in sorted(ranked)[: options.sample]}
        every = {header: [m for m in mutants if m.key in kept] for header, mutants in every.items()}
    return {header: mutants for header, mutants in every.items() if mutants}, total


def table(rows):
    print(f"\n{'header':<30}{'mutants':>9}{'killed':>9}{'survived':>10}{'equivalent':>12}{'no compile':>12}")
    for name, counts in rows:
        print(f"{name:<30}{sum(counts.values()):>9}{counts[KILLED]:>9}{counts[SURVIVED]:>10}"
              f"{counts['equivalent']:>12}{counts[UNCOMPILED]:>12}")  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("headers", nargs="*", metavar="HEADER", help="as included, without fusebox/")
    parser.add_argument("--sample", type=int, metavar="N")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--list", action="store_true", help="print the mutants, run nothing")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 2)
    parser.add_argument("--tries", type=int, default=TRIES, metavar="N", help="programs at most for one mutant")
    parser.add_argument("--part", type=int, default=0, metavar="N", help=f"another choice, 0 to {EACH - 1}")
    parser.add_argument("--record", action="store_true", help="write killers.txt")
    parser.add_argument("--keep-kills", action="store_true")
    options = parser.parse_args()

    equivalent = read_equivalent()
    chosen, total = choose(options, equivalent)
    mutants = [mutant for group in chosen.values() for mutant in group]
    if options.list:
        for m in mutants:
            mark = f" #{m.occurrence}" if m.occurrence > 1 else ""
            print(f"{m.header}{mark}\n- {m.before}\n+ {m.after}\n")
        print(f"{len(mutants)} of {total} mutants")
        return 0

    os.makedirs(BUILD, exist_ok=True)
    with open(os.path.join(BUILD, "lock"), "w", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise SystemExit("mutants: another run is under way") from None
        return hunt(options, chosen, total, equivalent)


def hunt(options, chosen, total, equivalent):
    mutants = [mutant for group in chosen.values() for mutant in group]
    begin = time.monotonic()
    campaign = Campaign(options)
    if not options.sample:
        campaign.cover()
    to_run = sorted((m for m in mutants if m.key not in equivalent), key=lambda m: m.order)
    print(f"{len(to_run)} mutants to run, {len(mutants) - len(to_run)} equivalent; {total} there are", flush=True)
    rows, report = {header: dict.fromkeys((KILLED, SURVIVED, "equivalent", UNCOMPILED), 0) for header in chosen}, []
    killers = {}
    for mutant in mutants:
        rows[mutant.header]["equivalent"] += mutant.key in equivalent
    for done, (mutant, (outcome, program, why)) in enumerate(zip(to_run, campaign.pool(campaign.judge, to_run)), 1):
        rows[mutant.header][outcome] += 1
        if outcome == KILLED:
            killers[f"{mutant.order:x}"] = program
        told = {name: getattr(mutant, name) for name in ("header", "line", "kind", "before", "after", "occurrence")}
        report.append({**told, "outcome": outcome, "by": program, "why": why})
        if outcome == SURVIVED:
            print(f"include/fusebox/{mutant.header}:{mutant.line}: survived", flush=True)
            print(f"- {mutant.before}\n+ {mutant.after}", flush=True)
        if done % 25 == 0:
            print(f"{done} of {len(to_run)}, {(time.monotonic() - begin) / 60:.0f} minutes", flush=True)

    if options.record:
        with open(KILLERS, "w", encoding="utf-8") as file:
            file.writelines(sorted(f"{name} {program}\n" for name, program in killers.items()))
    whole = {kind: sum(row[kind] for row in rows.values()) for kind in (KILLED, SURVIVED, "equivalent", UNCOMPILED)}
    score = 100 * whole[KILLED] / max(1, whole[KILLED] + whole[SURVIVED])
    table([*rows.items(), ("total", whole)])
    print(f"{score:.1f} % of {whole[KILLED] + whole[SURVIVED]} killed; {len(mutants)} of {total} mutants were chosen, "
          f"{(time.monotonic() - begin) / 60:.1f} minutes")  # fmt: skip
    with open(os.path.join(BUILD, "report.json"), "w", encoding="utf-8") as file:
        told = {"score": score, "total": whole, "headers": rows, "there_are": total, "mutants": report}
        json.dump(told, file, indent=1)
    for mutant in report:  # again, at the end of a long log
        if mutant["outcome"] == SURVIVED:
            print(f"survived: include/fusebox/{mutant['header']}:{mutant['line']}: - {mutant['before']} + {mutant['after']}")
    if score < SCORE:
        print(f"mutants: fewer than {SCORE:.0f} % were killed")
        return 1
    return 0


if __name__ == "__main__":
    os.nice(10)
    sys.exit(main())
