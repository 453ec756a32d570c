#!/usr/bin/env python3
"""L14 debuggers/fusebox.natvis names types and members that exist: check_natvis.py INCLUDE COMPILER [OPTION...]

Visual Studio, which would show what the file makes of them, does not run here. The compiler does: it sees each
expression up to where a member of Microsoft's standard library begins, whose names begin with an underscore.
"""

import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
NATVIS = os.path.join(ROOT, "debuggers", "fusebox.natvis")
SPACE = "{http://schemas.microsoft.com/vstudio/debugger/natvis/2010}"

# The type that the compiler takes for a name with *.
TYPES = {
    "CircuitBreaker<*>": "CircuitBreaker<>",
    "detail::Totals<*>::Shard": "detail::Totals<detail::StdSync>::Shard",
    "Bulkhead<*>": "Bulkhead<>",
    "CircuitBreakerRegistry<*>": "CircuitBreakerRegistry<>",
    "RetryResult<*>": "RetryResult<int>",
    "CallResult<*>": "CallResult<int>",
    "Timeout<*>": "Timeout<>",
    "RetryPolicy<*>": "RetryPolicy<>",
    "Pipeline<*>": "Pipeline<std::shared_ptr<CircuitBreaker<>>>",
}
ELEMENTS = {
    "Type": {"Name", "Inheritable"},
    "Intrinsic": {"Name", "Expression"},
    "DisplayString": {"Condition"},
    "Expand": set(),
    "Item": {"Name", "Condition"},
    "ExpandedItem": set(),
    "ArrayItems": set(),
    "Size": set(),
    "ValuePointer": set(),
}
WORDS = {"nullptr", "int", "true", "false"}
CHAIN = re.compile(r"(?<![\w.>:])[A-Za-z_]\w*(?:(?:\.|->)[A-Za-z_]\w*)*")


def expressions(element):
    """The expressions of a type."""
    for one in element.iter():
        for attribute in ("Expression", "Condition"):
            if attribute in one.attrib:
                yield one.attrib[attribute]
        text = (one.text or "").strip()
        if one.tag == f"{SPACE}DisplayString":
            yield from re.findall(r"\{([^}]*)\}", text)
        elif text:
            yield text


def chains(expression, intrinsics):
    """Members of members: core_.word_ of (core_.word_._Storage._Value >> 16) & 7."""
    expression = re.sub(r",(en|s|d|x)$", "", expression)
    expression = re.sub(r"\b[\w:]+::\w+", "0", re.sub(r"\b0x[0-9a-fA-F]+\w*|\b\d+\w*", "0", expression))
    for match in CHAIN.finditer(expression):
        parts = re.split(r"(\.|->)", match.group())
        if parts[0] in intrinsics or parts[0] in WORDS or parts[0].startswith("_"):
            continue
        kept = [parts[0]]
        for link, name in zip(parts[1::2], parts[2::2]):
            if name.startswith("_"):
                break
            kept += [link, name]
        rest = "" if len(kept) == len(parts) else parts[len(kept) + 1]
        yield "".join(kept), rest


def problems_of(root):
    """(what is wrong, the C++ program that says whether the rest is right)"""
    problems, lines = [], []
    if root.tag != f"{SPACE}AutoVisualizer":
        problems.append(f"the root is {root.tag}")
    for one in root.iter():
        name = one.tag.removeprefix(SPACE)
        if one is not root and name not in ELEMENTS:
            problems.append(f"unknown element {name}")
        elif one is not root and set(one.attrib) - ELEMENTS[name]:
            problems.append(f"{name}: unknown attribute in {one.attrib}")
    for number, kind in enumerate(root.iter(f"{SPACE}Type")):
        name = kind.attrib["Name"].removeprefix("fusebox::v0::")
        if "*" in name and name not in TYPES:
            problems.append(f"{name}: TYPES does not say what to compile for it")
            continue
        intrinsics = {one.attrib["Name"] for one in kind.iter(f"{SPACE}Intrinsic")}
        lines.append(f"using T{number} = {TYPES.get(name, name)};")
        for expression in expressions(kind):
            if expression.count("(") != expression.count(")"):
                problems.append(f"{name}: {expression}: brackets")
            # What has an atomic's or a duration's member must be one.
            for chain, rest in chains(expression, intrinsics):
                check = {"_Storage": "is_atomic", "_MyRep": "is_duration", "_Has_value": "is_optional"}.get(rest, "exists")
                lines.append(
                    f"static_assert({check}<decltype((std::declval<T{number}&>().{chain}))>, \"{name}: {chain}\");"
                )
        for cast in re.findall(r"\((fusebox::[\w:]+)\)", " ".join(expressions(kind))):
            lines.append(f"static_assert(sizeof({cast}) > 0);")
    return problems, lines


PROGRAM = """\
#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <fusebox/bulkhead.hpp>
#include <fusebox/circuit_breaker.hpp>
#include <fusebox/pipeline.hpp>
#include <fusebox/registry.hpp>
#include <fusebox/retry.hpp>
#include <fusebox/timeout.hpp>
using namespace fusebox;
template <class T> constexpr bool exists = true;
template <class T, template <class...> class Of> constexpr bool is_of = false;
template <class... T, template <class...> class Of> constexpr bool is_of<Of<T...>, Of> = true;
template <class T> constexpr bool is_atomic = is_of<std::remove_cvref_t<T>, std::atomic>;
template <class T> constexpr bool is_optional = is_of<std::remove_cvref_t<T>, std::optional>;
template <class T> constexpr bool is_duration = std::is_same_v<std::remove_cvref_t<T>, std::chrono::nanoseconds>;
"""


def compiled(include, compiler, lines):
    """What the compiler says against them."""
    command = [*compiler, "-std=c++20", f"-I{include}", "-fno-access-control", "-fsyntax-only", "-x", "c++", "-"]
    text = PROGRAM + "\n".join(lines) + "\nint main() {}\n"
    result = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    return re.findall(r"error: .*", result.stderr) or ([result.stderr] if result.returncode else [])


def main(include, *compiler):
    root = ElementTree.parse(NATVIS).getroot()
    problems, lines = problems_of(root)
    if len(lines) < 40:
        problems.append(f"only {len(lines)} members were found")
    # The last ones must fail: the check itself.
    wrong = [
        "template <class T> constexpr bool has_it = requires(T& it) { it.no_such_; };",
        'static_assert(has_it<Window>, "no_such_ does not exist");',
        'static_assert(is_duration<decltype((std::declval<Window&>().calls_))>, "calls_ is no duration");',
    ]
    said = compiled(include, compiler, [*lines, *wrong])
    seen = [one for one in said if "no_such_" in one or "calls_ is no duration" in one]
    problems += [one for one in said if one not in seen]
    if len(seen) < 2:
        problems.append(f"the compiler does not see members that do not exist: {said}")
    print("\n".join(problems) or f"{len(lines)} types and members")
    return 1 if problems else 0


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
