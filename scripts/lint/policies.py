"""What must know every policy and every config: the policy registry and the JSON adapter."""

import re

from lint import cpp
from lint.tree import DOOR, ROOM, stale

KINDS = "policy_registry/detail/kinds"
CONFIGS = "adapters/nlohmann_json/configs"
PARTS = "adapters/nlohmann_json/pipeline"
TEST = "tests/unit/adapters/nlohmann_json/configs.test.cpp"
# What validate() checks is a config, whatever its name.
CHECKED = re.compile(r"\bvalidate\(const (\w+)&")


def check(tree):
    """each policy is in the policy registry; each config in JSON, in the test of it and, if a policy's, in a pipeline"""
    return [*unregistered(tree), *without_json(tree)]


def policies(tree):
    return [name for step in tree.layout.LAYERS[tree.layout.POLICIES] for name in step.split()]


def unregistered(tree):
    """A kind of the registry is a specialisation of PolicyKind, and an entry of PolicyKinds."""
    if not tree.exists(tree.path(KINDS)):
        return
    used = set()
    text = cpp.without_comments_and_strings(tree.text(tree.path(KINDS)))
    included = {target for _, target in tree.graph[KINDS]}
    for policy in policies(tree):
        if policy in included:
            continue
        used.add(policy)
        if policy not in tree.layout.NOT_IN_REGISTRY:
            yield f"{tree.path(KINDS)}: has no kind of policy of {tree.path(policy)}"
    entries = text[text.find("using PolicyKinds") :]
    for name in re.findall(r"struct PolicyKind<(\w+)", text):
        if not re.search(rf"\b{name}\b", entries):
            yield f"{tree.path(KINDS)}: PolicyKinds lacks {name}"
    yield from stale("NOT_IN_REGISTRY", tree.layout.NOT_IN_REGISTRY, used)


def configs(tree):
    """(header, line, name) of each config that is not the adapter's own."""
    seen = set()
    for header in tree.headers:
        if tree.kind(header) not in (DOOR, ROOM) or tree.door(header) == tree.layout.JSON_ADAPTER:
            continue
        for one in cpp.declarations(tree.text(tree.path(header))):
            checked = CHECKED.search(one.signature) if one.name == "validate" else None
            name = checked.group(1) if checked else one.name if one.kind == "type" else ""
            if one.public and name not in seen and (checked or name.endswith("Config")):
                seen.add(name)
                yield header, one.line, name


def without_json(tree):
    if not tree.exists(tree.path(CONFIGS)):
        return
    listed = re.search(r"concept JsonConfig =(.*?);", tree.text(tree.path(CONFIGS)), re.S).group(1)
    parts = cpp.without_comments_and_strings(tree.text(tree.path(PARTS))).partition("namespace detail")[0]
    in_json, in_pipeline = set(), set()
    for header, line, name in configs(tree):
        where = f"{tree.path(header)}:{line}: {name}"
        if not re.search(rf"\b{name}\b", listed):
            in_json.add(name)
            if name not in tree.layout.NOT_IN_JSON:
                yield f"{where} is not in JsonConfig of {tree.path(CONFIGS)}"
            continue
        if f'use("{name}"' not in tree.text(TEST):
            yield f"{where} is not in for_changed_configs of {TEST}"
        if tree.door(header) in policies(tree) and not re.search(rf"\b{name}\b", parts):
            in_pipeline.add(name)
            if name not in tree.layout.NOT_IN_PIPELINE:
                yield f"{where} is in no part of {tree.path(PARTS)}"
    yield from stale("NOT_IN_JSON", tree.layout.NOT_IN_JSON, in_json)
    yield from stale("NOT_IN_PIPELINE", tree.layout.NOT_IN_PIPELINE, in_pipeline)
