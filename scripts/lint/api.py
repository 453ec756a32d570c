"""The public names and signatures, as text that can be compared: api/fusebox.txt.

A line is `name: declaration`, as the header spells it, without comments, attributes, bodies and initialisers of
members. Lines are sorted within the header that declares them; a heading names the doors that give it. Members
that a public class has from a base in fusebox::detail are listed with the class.

api/base.txt is the same text at the last release. What differs between the two since then must be in the open
section of CHANGELOG.md: an entry that names the class, function or macro, and is not older than the base.
"""

import dataclasses
import hashlib
import re

from lint import cpp
from lint.tree import DOOR, MACHINERY, SHARED, UMBRELLA

NOW, BASE, CHANGES = "api/fusebox.txt", "api/base.txt", "CHANGELOG.md"
WRITE = "make api"

TITLE = """\
# The public API of fusebox: a line for each name, as `name: declaration`, under the header that declares it.
# Written by `make api`, compared by `make lint`. What changes since api/base.txt needs an entry in CHANGELOG.md.
"""
BASE_TITLE = """\
# The public API of fusebox at {version}, from which changes are counted. Written by scripts/release.sh.
"""

DROPPED = re.compile(r"\[\[.*?\]\]|\bFUSEBOX_DETAIL_(?:INLINE|NOINLINE|COLD)\b|\bFUSEBOX_API\b|\binline\b")
KEYWORDS = frozenset(
    """auto bool char char8_t char16_t char32_t double float int long short signed unsigned void wchar_t const
    volatile typename class struct enum""".split()
)


@dataclasses.dataclass(frozen=True)
class Item:
    """One line of the file."""

    header: str  # by its path below include/fusebox, without ".hpp"
    name: str  # circuit_breaker's: CircuitBreaker::state
    text: str  # its declaration
    kind: str  # type, forward, alias, concept, function, variable, friend, enumerator, macro
    namespaces: tuple
    classes: tuple

    def line(self):
        return f"{self.name}: {self.text}"

    def top(self):
        """The name that a changelog must mention: the outermost class, or the name itself."""
        return top_of(self.name)


def top_of(name):
    """CircuitBreaker of CircuitBreaker::state, Result of curl::Result::code, hash of std::hash<ErrorCode>."""
    while namespace := re.match(r"[a-z_]\w*::", name):
        name = name[namespace.end() :]
    return re.sub(r"^operator\W.*", "operator", re.split(r"::|<", name)[0])


# Reading.


def conditions(text):
    """For each line the #if conditions around it, those of the library's macros and the language's features."""
    stack, result = [], [()]
    lines = text.splitlines()
    spans = dict(cpp.directives(text))
    for number in range(1, len(lines) + 1):
        directive = spans.get(number, "")
        word, _, rest = directive.partition(" ")
        rest = " ".join(rest.split())
        if word in ("if", "ifdef", "ifndef"):
            stack.append({"if": rest, "ifdef": f"defined({rest})", "ifndef": f"!defined({rest})"}[word])
        elif word == "elif" and stack:
            stack[-1] = rest
        elif word == "else" and stack:
            stack[-1] = f"not {stack[-1]}"
        elif word == "endif" and stack:
            stack.pop()
        result.append(tuple(stack))
    return result


class Reader(cpp.Scanner):
    """Lists declarations with their whole text, and enumerators."""

    def __init__(self, text):
        super().__init__(text)
        self.whole = cpp.without_directives(cpp.without_comments(text))
        self.conditions = []
        self.around = conditions(text)
        self.enum = None  # (name, where its enumerators begin, public, namespaces, classes)
        self.items = []  # (line, kind, name, text, namespaces, classes, public within its class)

    def text_of(self, begin, end):
        return " ".join(DROPPED.sub(" ", self.whole[begin:end]).split())

    def emit(self, kind=None):
        head = cpp.plain(self.head)
        friend = head.startswith("friend ")
        what, name = cpp.describe(cpp.plain(head[len("friend ") :]) if friend else head)
        if what:
            text = self.text_of(self.head_at, self.at)
            if what == "function":
                text = tidy_function(text)
            kind = "friend" if friend else kind or what
            self.add_item(self.head_at, kind, name, tidy(text))

    def add_item(self, at, kind, name, text):
        line = self.code.count("\n", 0, at) + 1
        around = self.around[line]
        text += f"  [if {' and '.join(around)}]" if around else ""
        accesses = [access for *_, access in self.scopes]
        public = all(access == "public" for access in accesses)
        self.items.append((line, kind, name, text, self.names("namespace"), self.names("class"), public))

    def brace(self, index):
        head = cpp.plain(self.head)
        type_head = cpp.head_of_type(head) if self.parens <= 0 else ""
        behind = super().brace(index)
        if type_head.startswith("enum"):
            self.enum = (cpp.describe(type_head)[1], behind)
        return behind

    def leave(self):
        if self.enum:
            name, begin = self.enum
            self.enum = None
            self.scopes.pop()  # enumerators are named by their enum here
            self.enumerators(name, begin)
            self.scopes.append(("class", (name,), "public"))
        super().leave()

    def enumerators(self, enum, begin):
        value, at = "0", begin
        for part in split(self.whole[begin : self.at]):
            one, equals, given = (side.strip() for side in DROPPED.sub(" ", part).partition("="))
            if one:
                value = " ".join(given.split()) if equals else value
                self.add_item(at + len(part) - len(part.lstrip()), "enumerator", f"{enum}::{one}", f"= {value}")
                value = following(value)
            at += len(part) + 1


def following(value):
    plain = re.fullmatch(r"(.*?)(\d*)", value)
    if value.isdigit():
        return str(int(value) + 1)
    return f"{plain.group(1)}{int(plain.group(2)) + 1}" if value.endswith(tuple("123456789")) else f"{value} + 1"


def split(text):
    """What stands between commas outside brackets."""
    parts, begin, index = [], 0, 0
    while index < len(text):
        if text[index] in "([{":
            index = cpp.closing(text, index)
            continue
        if text[index] == ",":
            parts.append(text[begin:index])
            begin = index + 1
        index += 1
    return [*parts, text[begin:]]


def tidy(text):
    text = re.sub(r"\s*=\s*default$", "", text)
    text = re.sub(r"\s+([,;)])", r"\1", text)
    return re.sub(r"([({])\s+(?=[\w({])", r"\1", text).strip()


def tidy_function(text):
    """Without the initialisers of a constructor."""
    begin = cpp.closing(text, text.index("<")) if re.match(r"template\s*<", text) else 0
    colon = cpp.top_level(text[begin:], cpp.is_colon)
    return text if colon < 0 else text[: begin + colon].rstrip()


def specialisation(kind, name, text):
    """A name with its arguments: std::hash<fusebox::ErrorCode>, where there is more than one of the name."""
    if kind not in ("type", "variable", "forward") or not name.endswith("<>"):
        return name
    begin = re.search(rf"\b{re.escape(name[:-2])}\s*<", text)
    return name[:-2] + text[begin.end() - 1 : cpp.closing(text, begin.end() - 1)] if begin else name


def read(tree, header):
    """What the header declares: (items, classes of namespace detail with their public members and bases)."""
    reader = Reader(tree.text(tree.path(header)))
    reader.scan()
    items, machinery, bases, specialised = [], {}, {}, {}
    for _, kind, name, text, namespaces, classes, public in reader.items:
        if not public:
            continue
        if "detail" in namespaces:
            if kind == "type":
                bases[name] = text
            elif classes and kind != "forward":
                machinery.setdefault(classes[0], []).append((kind, name, text, classes))
            continue
        if kind == "friend" and not classes or (kind in ("function", "variable") and outside(name)):
            continue
        if kind == "forward" and (header != "fwd" and not classes and "=" not in text):
            continue
        # std::hash<Error>, as it is spelled, also in the names of its members
        name = specialisation(kind, name, text)
        if kind == "type":
            specialised["::".join((*classes, re.sub(r"<.*", "<>", name)))] = name
        classes = tuple(specialised.get("::".join(classes[: index + 1]), one) for index, one in enumerate(classes))
        full = "::".join((*[one for one in namespaces if one not in ("fusebox", "v0")], *classes, name))
        items.append(Item(header, full, text, kind, namespaces, classes))
    return items, machinery, bases


def outside(name):
    """Is it the definition of a member outside of its class?"""
    return "::" in name.partition("operator")[0]


def inherited(items, machinery, bases):
    """The members that public classes have from bases in namespace detail."""
    for item in items:
        if item.kind != "type" or "detail::" not in item.text:
            continue
        seen, left = set(), [base for base in public_bases(item.text) if base.startswith("detail::")]
        while left:
            base = left.pop(0).removeprefix("detail::")
            name = re.match(r"\w+", base).group()
            if name in seen or name not in bases:
                continue
            seen.add(name)
            left += their_bases(bases[name], base[len(name) :])
            for kind, member, text, classes in machinery.get(name, ()):
                if member in (name, f"~{name}") or member.startswith("operator="):
                    continue
                full = "::".join((item.name, *classes[1:], member))
                yield Item(item.header, full, f"{text}  [from detail::{name}]", kind, item.namespaces, (*item.classes, item.name))


def after_template(text):
    return text[cpp.closing(text, text.index("<")) :].lstrip() if text.startswith("template") else text


def public_bases(text):
    """The bases of a class from which it derives publicly."""
    head = after_template(text)
    colon = cpp.top_level(head, cpp.is_colon)
    if colon < 0:
        return []
    given = "" if head.startswith("class") else "public "
    found = []
    for base in split_bases(head[colon + 1 :]):
        base = base if re.match(r"(public|private|protected)\b", base) else given + base
        if base.startswith("public "):
            found.append(base.removeprefix("public ").removeprefix("virtual ").strip())
    return found


def their_bases(text, arguments):
    """The public bases of a class in namespace detail; one that is a template parameter is what is given for it."""
    parameters = []
    if text.startswith("template"):
        parameters = [re.sub(r".*\b(\w+)( =.*)?$", r"\1", one) for one in split_bases(inside_of(text[len("template") :]))]
    given = dict(zip(parameters, split_bases(inside_of(arguments)))) if arguments else {}
    return [base for base in (given.get(one, one) for one in public_bases(text)) if base not in parameters]


def inside_of(text):
    text = text.lstrip()
    return text[1 : cpp.closing(text, 0) - 1]


def split_bases(text):
    parts, depth, begin = [], 0, 0
    for index, char in enumerate(text):
        depth += (char in "<([{") - (char in ">)]}")
        if char == "," and depth == 0:
            parts.append(text[begin:index].strip())
            begin = index + 1
    return [*parts, text[begin:].strip()]


def macros(tree, header):
    for _, directive in cpp.directives(tree.text(tree.path(header))):
        match = re.match(r"define\s+(FUSEBOX_(?!DETAIL_)\w+)(\([^)]*\))?", directive)
        if match:
            yield Item(header, match.group(1), f"#define {match.group(1)}{match.group(2) or ''}", "macro", (), ())


def collect(tree):
    """Every public name of the tree, by header."""
    items, machinery, bases = [], {}, {}
    for header in tree.headers:
        found, members, their_bases = read(tree, header)
        if tree.kind(header) in (SHARED, MACHINERY):
            found = []
        items += found
        for name, more in members.items():
            machinery.setdefault(name, []).extend(more)
        bases.update(their_bases)
        items += macros(tree, header)
    items += list(inherited(items, machinery, bases))
    return sorted(set(items), key=lambda item: (item.header, item.name, item.text))


# Doors.


def exported(tree, header):
    """The headers whose names a header gives its users: those that it includes with `IWYU pragma: export`."""
    seen, left = set(), [header]
    while left:
        one = left.pop()
        if one in seen or one not in tree.headers:
            continue
        seen.add(one)
        left += re.findall(r"#include <fusebox/(.+)\.hpp>\s*// IWYU pragma: export", tree.text(tree.path(one)))
    return seen


def doors(tree):
    """header -> the doors that give it, its own one first."""
    given = {}
    for door in tree.headers:
        if tree.kind(door) != DOOR:
            continue
        for header in exported(tree, door):
            given.setdefault(header, []).append(door)
    return {header: sorted(some, key=lambda one: (one != tree.door(header), one)) for header, some in given.items()}


def names(tree):
    """(qualified name, kind, header, doors) of what a using-declaration can name, each once by header."""
    given, seen = doors(tree), set()
    for header in exported(tree, tree.layout.UMBRELLA):
        given.setdefault(header, []).append(tree.layout.UMBRELLA)
    for item in collect(tree):
        if item.kind not in ("type", "alias", "concept", "function", "variable", "forward") or item.classes:
            continue
        if item.namespaces[:1] != ("fusebox",) or "<" in item.name.replace("operator<<", "") or guides(item):
            continue
        if item.kind == "forward" and item.header == "fwd" or (item.header, item.name) in seen:
            continue
        seen.add((item.header, item.name))
        yield f"fusebox::{item.name}", item.kind, f"{item.header}.hpp", [f"{one}.hpp" for one in given.get(item.header, [])]


def guides(item):
    """Is it a deduction guide?"""
    return item.kind == "function" and " -> " in item.text and "auto " not in item.text.partition("(")[0]


# The file.


def render(tree):
    """The text of api/fusebox.txt."""
    given = doors(tree)
    umbrella = exported(tree, tree.layout.UMBRELLA) if tree.layout.UMBRELLA in tree.headers else set()
    groups = {}
    for item in collect(tree):
        groups.setdefault(item.header, []).append(item.line())
    parts = [TITLE]
    doors_without_names = {one for one in tree.headers if tree.kind(one) in (DOOR, UMBRELLA)}
    for header in sorted(groups.keys() | doors_without_names):
        some = [f"{door}.hpp" for door in given.get(header, [])]
        some += [f"{tree.layout.UMBRELLA}.hpp"] if header in umbrella else []
        by = ", ".join(some) or "nothing"
        parts.append(f"\n[{header}.hpp] given by {by}\n" + "".join(f"{one}\n" for one in sorted(set(groups.get(header, ())))))
    return "".join(parts)


def lines(text):
    """(header, line) of each declaration in such a text, and (header, heading)."""
    header = ""
    for line in text.splitlines():
        if line.startswith("["):
            header = line[1 : line.index("]")]
            if " given by " in line:
                yield header, line
        elif line and not line.startswith(("#", "changelog ")):
            yield header, line


def names_of(line):
    return line if line.startswith("[") else re.split(r": (?!:)", line, maxsplit=1)[0]


# What has changed.


def essence(line):
    """The line without the names of parameters, which may change at any time."""
    name, colon, text = line.partition(": ")
    return name + colon + without_parameter_names(text, re.split(r"::(?=~?\w+$|operator)", name)[-1])


def without_parameter_names(text, name):
    begin = cpp.closing(text, text.index("<")) if re.match(r"template\s*<", text) else 0
    index = text.find(f"{name}(", begin)
    if index < 0:
        return text
    index += len(name)
    end = cpp.closing(text, index)
    parts = [nameless(one) for one in split_bases(text[index + 1 : end - 1])]
    return f"{text[: index + 1]}{', '.join(parts)}{text[end - 1 :]}"


def nameless(parameter):
    match = re.fullmatch(r"(.*?[\w>&*.])(\s+|(?<=[&*.])\s*)(\w+)(\s*=.*)?", parameter, re.S)
    if not match or match.group(3) in KEYWORDS or re.search(r"\b(const|volatile|typename)$", match.group(1)):
        return parameter
    return match.group(1) + (match.group(4) or "")


def changed(base, now):
    """(name, lines that went, lines that came) of each top-level name whose lines differ, in order."""
    old, new = ({(header, essence(line)): line for header, line in lines(text)} for text in (base, now))
    result = {}
    for side, gone in ((old, new), (new, old)):
        for key in side:
            if key not in gone:
                header, line = key[0], side[key]
                name = header if line.startswith("[") else top_of(names_of(line))
                result.setdefault(name, ([], []))[side is new].append(line)
    return [(name, *result[name]) for name in sorted(result)]


def open_section(changelog):
    """The section of what is not released yet: `## [Unreleased]`, or `## [0.1.0] - unreleased`."""
    match = re.search(r"^## (?:\[Unreleased\]|\[\S+\] - unreleased)[ \t]*$(.*?)(?=^## |\Z)", changelog, re.M | re.S | re.I)
    return match.group(1) if match else ""


def entries(section):
    """The entries of a section, each on one line."""
    joined = re.sub(r"\n[ \t]+(?=\S)", " ", section)
    return [line.strip() for line in joined.splitlines() if line.lstrip().startswith(("- ", "* "))]


def mark(entry):
    return hashlib.sha256(" ".join(entry.split()).encode()).hexdigest()[:12]


def marks(base):
    """The entries that stood in the open section when the base was taken."""
    return set(re.findall(r"^changelog (\w+)$", base, re.M))


def render_base(now, version, changelog):
    """The text of api/base.txt."""
    known = "".join(f"changelog {one}\n" for one in sorted(map(mark, entries(open_section(changelog)))))
    return BASE_TITLE.format(version=version) + known + now[len(TITLE) :]


def unexplained(base, now, changelog):
    """(what has changed since the base without an entry that names it, lines that went, lines that came). Of a new
    header, its name is enough, or that of its door; and of an adapter that of its header."""
    known = marks(base)
    fresh = " ".join(entry for entry in entries(open_section(changelog)) if mark(entry) not in known)
    words = set(re.findall(r"\w+", fresh))
    headers = set(re.findall(r"[\w/]+\.hpp", fresh.replace("fusebox/", "")))
    old = {header for header, _ in lines(base)}
    new = {header: line for header, line in lines(now) if header not in old and line.startswith("[")}
    for header, line in new.items():
        if not is_named(header, headers) and not any(above in new for above in doors_above(header)):
            yield header, [], [line]
    named = {header for header in old if header.startswith("adapters/") and is_named(header, headers)}
    declared = {names_of(line) for header, line in lines(now) if header in new} - {names_of(line) for _, line in lines(base)}
    rest = ["".join(f"{line}\n" for line in without(text, new, named, declared)) for text in (base, now)]
    for name, went, came in changed(*rest):
        if not (name in words or name in headers or name.rpartition("/")[2] in headers):
            yield name, went, came


def doors_above(header):
    """adapters/curl.hpp of adapters/curl/result.hpp."""
    parts = header.removesuffix(".hpp").split("/")
    return ["/".join(parts[:index]) + ".hpp" for index in range(1, len(parts))]


def is_named(header, names):
    """Is it, or a door above it, among these: curl.hpp, adapters/curl.hpp?"""
    return any(one in names or one.rpartition("/")[2] in names for one in [header, *doors_above(header)])


def without(text, new, named, declared):
    """The lines of such a text that new headers, what they declare, and headers that are named do not explain."""
    for header, line in lines(text):
        if line.startswith("["):
            heading, _, given = line.partition(" given by ")
            line = f"{heading} given by {', '.join(one for one in given.split(', ') if one not in new)}"
        if header in new or header in named or (header == "fwd.hpp" and names_of(line) in declared):
            continue
        yield line if line.startswith("[") else f"[{header}]\n{line}"


def check(tree):
    """api/fusebox.txt holds the public names and signatures; a change since api/base.txt is in CHANGELOG.md"""
    if not tree.exists(NOW) or not tree.exists(BASE):
        return [f"{NOW}, {BASE}: do not exist: {WRITE}"]
    now, recorded = render(tree), tree.text(NOW)
    problems = []
    if recorded != now:
        problems += [f"{NOW}: {one}" for one in differences(recorded, now)]
        problems.append(f"{NOW}: does not say what the headers declare: {WRITE}")
    changelog = tree.text(CHANGES) if tree.exists(CHANGES) else ""
    for name, went, came in unexplained(tree.text(BASE), now, changelog):
        problems.append(
            f"{CHANGES}: no new entry of the open section names {name}, whose public API has changed:"
            + "".join(f"\n      - {line}" for line in went)
            + "".join(f"\n      + {line}" for line in came)
        )
    return problems


def differences(before, after):
    old, new = list(lines(before)), list(lines(after))
    for header, line in old:
        if (header, line) not in new:
            yield f"[{header}] - {line}"
    for header, line in new:
        if (header, line) not in old:
            yield f"[{header}] + {line}"
