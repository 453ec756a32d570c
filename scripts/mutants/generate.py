"""The mutants of a header: every place where one thing can be changed, found by scanning its tokens.

Left alone: comments, strings, preprocessor lines, template parameters, constraints, assertions, attributes,
the conditions of `if constexpr`, and memory orders, which single-threaded tests cannot see. clang-format puts
blanks around an operator, which tells `a < b` from a template and `a & b` from a reference.
"""

import bisect
import hashlib
import re

SWAPS = {
    "<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "==", "&&": "||", "||": "&&",
    "+": "-", "-": "+", "*": "/", "/": "*", "%": "/", "&": "|", "|": "&", "^": "&", "<<": ">>", ">>": "<<",
    "+=": "-=", "-=": "+=", "*=": "/=", "/=": "*=", "|=": "&=", "&=": "|=", "<<=": ">>=", ">>=": "<<=",
}  # fmt: skip
COMPARISONS = ("<", "<=", ">", ">=", "==", "!=")
SYMBOLS = "|".join(re.escape(op) for op in sorted(SWAPS, key=len, reverse=True))
OPERATOR = re.compile(rf"(?<=\s)({SYMBOLS})(?=\s)")
NUMBER = re.compile(
    r"(?<![\w.'])(0[xX][0-9a-fA-F']+|\d[\d']*(?:\.\d+)?(?:[eE][+-]?\d+)?)([a-zA-Z_]\w*)?(?![\w.'])"
)
INVISIBLE = re.compile(
    r"""//[^\n]*|/\*.*?\*/                      # comments
    |^[ \t]*\#(?:[^\n\\]|\\.|\\\n)*           # preprocessor lines
    |R"(?P<delimiter>\w*)\(.*?\)(?P=delimiter)"|"(?:[^"\\\n]|\\.)*"           # strings
    |(?<![0-9a-fA-F])'(?:[^'\\\n]|\\.)+'      # characters""",
    re.S | re.M | re.X,
)
CALLED = r"\b(?:static_assert|assert|alignas|noexcept|decltype|sizeof|explicit|if constexpr)\s*(?=\()"
ASSIGNED = re.compile(r"(=|\+=|-=|\*=|/=|\|=|&=|\^=|<<=|>>=)\s")
PREFIX = re.compile(r"(?:else|do|default\s*:|case [\w:]+\s*:(?!:))\s*")
BRACKETS = {"(": ")", "[": "]", "{": "}"}


class Mutant:
    def __init__(self, header, text, start, end, new, kind):
        self.header, self.start, self.end, self.new, self.kind = header, start, end, new, kind
        first = text.rfind("\n", 0, start) + 1
        last = text.find("\n", end)
        self.line = text.count("\n", 0, start) + 1
        self.last_line = text.count("\n", 0, end) + 1
        self.before = bare(text[first:last])
        self.after = bare(text[first:start] + new + text[end:last])
        self.occurrence = 1

    @property
    def key(self):
        """What names it however the rest of the header changes."""
        return self.header, self.before, self.after, self.occurrence

    @property
    def order(self):
        """A number that is as good as random and stays the same."""
        return int(hashlib.sha256("\0".join(map(str, self.key)).encode()).hexdigest()[:12], 16)

    def apply(self, text):
        return text[: self.start] + self.new + text[self.end :]


def bare(lines):
    """Without comments, on one line."""
    return " ".join(re.sub(r"//[^\n]*", "", lines).split())


def closing(text, opening, angle=False):
    """Where the bracket that opens at `opening` is closed."""
    pair = "<>" if angle else text[opening] + BRACKETS[text[opening]]
    depth = 0
    for i in range(opening, len(text)):
        if text[i] == pair[0]:
            depth += 1
        elif text[i] == pair[1] and not (angle and text[i - 1] == "-"):
            depth -= 1
            if depth == 0:
                return i
    return len(text) - 1


def blank(text, start, end, with_=" "):
    return text[:start] + re.sub(r"[^\n]", with_, text[start:end]) + text[end:]


def visible(text):
    """The text with all that must not be changed made blank, at the same places."""
    for match in list(INVISIBLE.finditer(text)):
        text = blank(text, *match.span(), with_="_" if match.group()[0] in "\"'R" else " ")
    for match in list(re.finditer(r"\boperator\s*(?:\(\)|[^\s\w(]+|co_await)", text)):
        text = blank(text, *match.span(), with_="_")
    for match in list(re.finditer(r"\btemplate (?=<)", text)):
        text = blank(text, match.start(), closing(text, match.end(), angle=True) + 1)
    for match in list(re.finditer(r"\bconcept\b", text)):
        text = blank(text, match.start(), statement_end(text, match.end()))
    for match in list(re.finditer(r"\brequires\b[ ]*", text)):
        end = match.end()
        while True:  # a requires-expression, or a clause, which ends with its line
            newline = re.compile(r"\n|[({]").search(text, end)
            if newline.group() != "\n":
                end = closing(text, newline.start()) + 1
                if newline.group() == "{":
                    break
            elif text[: newline.start()].rstrip()[-2:] in ("&&", "||"):
                end = newline.end()
            else:
                break
        text = blank(text, match.start(), end)
    for match in list(re.finditer(CALLED, text)):
        start = match.end() if match.group().startswith("if") else match.start()
        if text[match.end()] == "(":
            text = blank(text, start, closing(text, match.end()) + 1)
    for match in list(re.finditer(r"\[\[.*?\]\]", text)):
        text = blank(text, *match.span())
    for match in list(re.finditer(r"\b(?:using|friend|typedef)\b[^;{]*", text)):
        text = blank(text, *match.span())
    return text


def statement_end(text, start):
    depth = 0
    for i in range(start, len(text)):
        depth += (text[i] in "({[") - (text[i] in ")}]")
        if text[i] == ";" and depth == 0:
            return i
    return len(text)


class Blocks:
    """Which braces hold code, and of which function."""

    def __init__(self, text):
        self.starts, self.stacks = [0], [()]
        stack, closed = [], None
        for match in re.finditer(r"[{}]", text):
            i = match.start()
            if match.group() == "{":
                stack.append(self.kind(text, i, stack, closed))
            elif stack:
                closed = stack.pop()
            self.starts.append(i)
            self.stacks.append(tuple(stack))

    @staticmethod
    def kind(text, at, stack, closed):
        begin = max(text.rfind(c, 0, at) for c in ";{}") + 1
        head = text[begin:at].strip()
        before = text[:at].rstrip()
        outer = stack[-1][0] if stack else "namespace"
        if re.search(r"\bnamespace\b", head):
            return ("namespace", "")
        if re.search(r"\b(class|struct|union|enum)\b", head) and "(" not in head:
            return ("type", "")
        word = re.search(r"(\w*)$", before).group(1)
        last = before[-1:]
        is_code = (
            last == ")"
            or word in ("else", "do", "try", "const", "noexcept", "override", "final", "mutable")
            or (word.isupper() and word.startswith("FUSEBOX"))
            or re.search(r"\)[^;{}()]*->[^;{}()]*$", head)
        )
        if outer == "code":
            is_code = is_code or last in "]:;{}" or not head
            is_lambda = is_code and bool(re.search(r"\]\s*(\([^{}]*\))?[^(){}]*$", head))
            return ("code" if is_code else "values", "lambda" if is_lambda else "")
        if outer in ("type", "namespace"):
            if is_code:
                return ("code", head)
            if last == "}" and closed and closed[0] == "values":  # after the last member initializer
                return ("code", "constructor")
        return ("values", "")

    def at(self, place):
        return self.stacks[bisect.bisect_right(self.starts, place - 1) - 1]

    def in_code(self, place):
        stack = self.at(place)
        return any(kind == "code" for kind, _ in stack)

    def function(self, place):
        """The head of the function around; "lambda" in one."""
        for kind, head in reversed(self.at(place)):
            if kind == "code" and head:
                return head
        return ""


def depth_zero(text, char):
    """The places of `char` outside of all brackets."""
    depth, places = 0, []
    for i, c in enumerate(text):
        depth += (c in "({[") - (c in ")}]")
        if depth == 0 and text.startswith(char, i):
            places.append(i)
    return places


def next_number(digits):
    if digits[:2] in ("0x", "0X"):
        return hex(int(digits.replace("'", ""), 16) + 1)
    if re.search(r"[.e]", digits, re.I):
        value = float(digits)
        return repr(value * 2 if value else 1.0)
    return str(int(digits.replace("'", "")) + 1)


class Scan:
    def __init__(self, header, text):
        self.header, self.text = header, text
        self.seen = visible(text)
        self.blocks = Blocks(self.seen)
        self.found = {}

    def add(self, start, end, new, kind):
        self.found.setdefault((start, end, new), Mutant(self.header, self.text, start, end, new, kind))

    def mutants(self):
        self.operators()
        self.numbers()
        self.conditions()
        self.choices()
        self.statements()
        ordered = [self.found[place] for place in sorted(self.found)]
        counts = {}
        for mutant in ordered:
            name = mutant.key[:3]
            counts[name] = mutant.occurrence = counts.get(name, 0) + 1
        return ordered

    def operators(self):
        for match in OPERATOR.finditer(self.seen):
            operator = match.group()
            kind = "logic" if operator in ("&&", "||") else "comparison" if operator in COMPARISONS else "arithmetic"
            self.add(*match.span(), SWAPS[operator], kind)
        for match in re.finditer(r"\+\+|--", self.seen):
            self.add(*match.span(), "--" if match.group() == "++" else "++", "arithmetic")
        for match in re.finditer(r"(?<=[\s(!])!(?=[\w(:])", self.seen):
            self.add(*match.span(), "", "negation")

    def numbers(self):
        for match in NUMBER.finditer(self.seen):
            before, after = self.seen[: match.start()].rstrip(), self.seen[match.end() :].lstrip()
            if self.seen.startswith(">", match.end()):
                continue  # a template argument
            if after.startswith(";") and re.search(r"(\)|const|noexcept|override)\s*=$", before):
                continue  # a pure virtual function
            self.add(match.start(1), match.end(1), next_number(match.group(1)), "constant")
        for match in re.finditer(r"\b(true|false)\b", self.seen):
            self.add(*match.span(), "false" if match.group() == "true" else "true", "constant")

    def conditions(self):
        for match in re.finditer(r"\b(if|while|for) (?=\()", self.seen):
            opening = match.end()
            end = closing(self.seen, opening)
            start = opening + 1
            places = depth_zero(self.seen[start:end], ";")
            if match.group(1) == "for":
                if len(places) != 2:
                    continue
                start, end = start + places[0] + 1, start + places[1]
            elif places:
                start += places[-1] + 1
            if depth_zero(self.seen[start:end], " = ") or not self.seen[start:end].strip():
                continue
            start += len(self.seen[start:end]) - len(self.seen[start:end].lstrip())
            whole = self.text[start:end]
            if match.group(1) == "if":
                self.add(start, end, f"({whole}) || true", "condition")
            if match.group(1) != "for" and not re.fullmatch(r"![\w.:>()-]+", whole):
                self.add(start, end, f"!({whole})", "condition")
            self.add(start, end, f"({whole}) && false", "condition")

    def choices(self):
        """The condition of `a ? b : c`."""
        for match in re.finditer(r"(?<=\s)\?(?=\s)", self.seen):
            i, depth = match.start() - 1, 0
            while i > 0:
                c = self.seen[i]
                if c in ")]}":
                    depth += 1
                elif c in "([{":
                    if depth == 0:
                        break
                    depth -= 1
                elif depth == 0 and (c in ",;?:" and self.seen[i - 1 : i + 1] != "::" and self.seen[i : i + 2] != "::"):
                    break
                elif depth == 0 and (self.seen[i - 6 : i] == "return" or re.match(r"\s=\s", self.seen[i - 1 : i + 2])):
                    break
                i -= 1
            start = i + 1
            start += len(self.seen[start:]) - len(self.seen[start:].lstrip())
            end = match.start() - 1
            if start < end:
                self.add(start, end, f"!({self.text[start:end]})", "condition")

    def statements(self):
        for match in re.finditer(";", self.seen):
            end = match.start()
            if not self.blocks.in_code(end):
                continue
            start = max(self.seen.rfind(c, 0, end) for c in ";{}") + 1
            if self.blocks.at(end)[-1][0] != "code":
                continue
            start = self.after_heads(start, end)
            whole = self.seen[start:end]
            if whole and whole.count("(") == whole.count(")"):
                self.statement(start, end, whole)

    def after_heads(self, start, end):
        """Past `if (…)`, `else`, `case …:` and blanks."""
        while True:
            while start < end and self.seen[start].isspace():
                start += 1
            head = re.compile(r"(if|for|while)\s+(constexpr\s*)?(?=\()").match(self.seen, start)
            other = PREFIX.match(self.seen, start)
            if head and closing(self.seen, head.end()) < end:
                start = closing(self.seen, head.end()) + 1
            elif other and other.end() <= end:
                start = other.end()
            else:
                return start

    def statement(self, start, end, whole):
        if whole in ("break", "continue", "return"):
            if whole == "break" and re.match(r";\s*\}", self.seen[end:]):
                return  # the last of a switch
            self.add(start, end, "", "statement")
            return
        if whole.startswith("return ") or whole.startswith("return\n"):
            self.returned(start, end)
            return
        if re.match(r"(static_cast<void>|FUSEBOX_|throw\b|delete\b|default:)|.*(\.|->)reserve\(", whole):
            return
        space = min(depth_zero(whole, " ") + depth_zero(whole, "\n"), default=len(whole))
        chunk, rest = whole[:space], whole[space:].lstrip()
        if not rest and ("(" in chunk or chunk.startswith(("++", "--")) or chunk.endswith(("++", "--"))):
            self.add(start, end, "", "statement")
        elif ASSIGNED.match(rest):
            self.add(start, end, "", "statement")

    def returned(self, start, end):
        value = self.text[start + len("return") : end].strip()
        head = self.blocks.function(end)
        if head in ("lambda", "constructor", ""):
            return
        name = head[: head.index("(")] if "(" in head else head
        if re.search(r"\bbool\s+[\w:<>, ]+$", name):
            if value not in ("true", "false"):
                self.add(start, end, f"return !({value})", "return")
        elif re.search(r"\b(auto|void|decltype)\b|[&*]\s*[\w:<>, ]+$", name):
            return  # nothing to make from nothing
        elif value not in ("{}", "std::nullopt", "nullptr", "0") and re.search(r"\w\s+[\w:<>, ~]+$", name):
            self.add(start, end, "return {}", "return")


def of_header(header, text):
    return Scan(header, text).mutants()
