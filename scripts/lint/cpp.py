"""Just enough C++ to list the declarations of a header: what is declared, where, and whether it is public.

It reads text, not the language: no macro is expanded but the two that open and close the namespace, bodies of
functions are skipped, and both sides of an #if are read.
"""

import dataclasses
import re

BEGIN, END = "FUSEBOX_BEGIN_NAMESPACE", "FUSEBOX_END_NAMESPACE"
TOKEN = re.compile(
    r'(?P<comment>//(?:[^\n\\]|\\.)*|/\*.*?\*/)'
    r'|(?P<raw>R"(?P<mark>[^()\\\s]*)\(.*?\)(?P=mark)")'
    r'|(?P<string>"(?:[^"\\\n]|\\.)*")'
    r"|(?P<char>(?<![0-9a-fA-F])'(?:[^'\\\n]|\\.)+')",
    re.S,
)
WORD = re.compile(r"\w+")
DIRECTIVE = re.compile(r"^[ \t]*#[ \t]*((?:[^\n\\]|\\.)*)", re.M | re.S)
SPECIFIERS = re.compile(
    r"^((explicit\s*\([^()]*\)"
    r"|(inline|constexpr|consteval|constinit|static|extern|explicit|virtual|thread_local)\b)\s*)+"
)


@dataclasses.dataclass(frozen=True)
class Declaration:
    line: int
    kind: str  # type, forward, alias, concept, function, variable
    name: str
    namespaces: tuple
    classes: tuple
    public: bool  # users may name it: neither private or protected, nor in a namespace detail
    signature: str  # without constraints, default arguments, initialisers and noexcept


def without_comments(text, strings=False):
    """The text with blanks for comments (and for what is in strings); lines stay where they are."""

    def blank(match):
        blanks = re.sub(r"[^\n]", " ", match.group())
        if match["comment"]:
            return blanks
        return f'"{blanks[2:]}"' if strings else match.group()

    return TOKEN.sub(blank, text)


def without_comments_and_strings(text):
    return without_comments(text, strings=True)


def without_directives(code):
    """The text, without comments, with blanks for preprocessor directives too."""
    return DIRECTIVE.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), code)


def directives(text):
    """(line, what follows the #) of each preprocessor directive, its continuations joined."""
    code = without_comments(text)
    for match in DIRECTIVE.finditer(code):
        yield code.count("\n", 0, match.start()) + 1, match.group(1).replace("\\\n", " ").strip()


def spells(signature, namespace):
    return re.search(rf"\b{namespace}\s*::", signature) is not None


# Heads: the text of a declaration up to its body.


def closing(text, start):
    """The index behind the bracket that closes the one at start."""
    pairs = {"(": ")", "[": "]", "{": "}", "<": ">"}
    opening, depth = text[start], 0
    index = start
    while index < len(text):
        char = text[index]
        if char == opening:
            depth += 1
        elif char == pairs[opening]:
            depth -= 1
            if depth == 0:
                return index + 1
        elif char in "([{":
            index = closing(text, index)
            continue
        index += 1
    return len(text)


def without_constraint(head):
    """A head that begins with `requires`, without that clause."""
    rest = head[len("requires") :].lstrip()
    while True:
        if rest.startswith("("):
            rest = rest[closing(rest, 0) :]
        elif re.match(r"requires\b", rest):  # a requires-expression
            rest = rest[len("requires") :].lstrip()
            for bracket in "({":
                if rest.startswith(bracket):
                    rest = rest[closing(rest, 0) :].lstrip()
        else:  # a concept or a trait, qualified or not
            while name := re.match(r"(::)?\w+", rest):
                rest = rest[name.end() :]
                if rest.startswith("<"):
                    rest = rest[closing(rest, 0) :]
                if not rest.startswith("::"):
                    break
        more = re.match(r"\s*(&&|\|\|)\s*", rest)
        if not more:
            return rest.lstrip()
        rest = rest[more.end() :]


def plain(head):
    """A head without template parameters, constraints, attributes and macros."""
    head = re.sub(r"\[\[.*?\]\]", " ", head, flags=re.S)
    head = re.sub(r"\bFUSEBOX_\w+|\balignas\([^()]*\)", " ", head).replace("decltype(auto)", "auto")
    head = re.sub(r"\s+", " ", head).strip()
    while True:
        if re.match(r"template\s*<", head):
            head = head[closing(head, head.index("<")) :].lstrip()
        elif re.match(r"requires\b", head):
            head = without_constraint(head)
        else:
            break
    trailing = re.search(r"\)[^()]*?\brequires\b", head)
    if trailing:
        at = head.index("requires", trailing.start())
        head = f"{head[:at]} {without_constraint(head[at:])}".strip()
    return SPECIFIERS.sub("", head)


def top_level(head, found):
    """The index of the first place outside brackets where found(head, index) holds, or -1."""
    index = 0
    while index < len(head):
        if head[index] in "([{":
            index = closing(head, index)
        elif found(head, index):
            return index
        else:
            index += 1
    return -1


def is_equals(head, index):
    return (
        head[index] == "="
        and head[index + 1 : index + 2] != "="
        and head[index - 1 : index] not in tuple("=!<>+-*/%&|^~")
        and not head[:index].rstrip().endswith("operator")
    )


def is_colon(head, index):
    return head[index] == ":" and head[index + 1 : index + 2] != ":" and head[index - 1 : index] != ":"


def without_defaults(head):
    """A head without default arguments and other values behind an equals sign."""
    out, index = [], 0
    while index < len(head):
        if not is_equals(head, index):
            out.append(head[index])
            index += 1
            continue
        out, angle = list("".join(out).rstrip()), 0
        while index < len(head):
            char = head[index]
            if char in "([{":
                index = closing(head, index)
                continue
            if char in ")]}" or (char == "," and angle <= 0):
                break
            angle += (char == "<") - (char == ">")
            index += 1
    return "".join(out)


def signature_of(head):
    """The types that a declaration spells for its user."""
    if head.startswith(("using ", "typedef ")):
        return head
    initialisers = top_level(head, is_colon)
    if initialisers >= 0:
        head = head[:initialisers]
    head = re.sub(r"\bnoexcept\s*\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)", "", head)
    return without_defaults(head).strip()


def parenthesis(signature):
    """The index of the first ( that is in no template argument, as in std::function<bool(int)>, or -1."""
    depth = 0
    for index, char in enumerate(signature):
        if char == "(" and depth <= 0:
            return index
        depth += (char == "<") - (char == ">" and signature[index - 1] != "-")
    return -1


def describe(head):
    """(kind, name) of a head, or (None, "")."""
    if not head or re.match(r"(friend|static_assert|template|namespace|using namespace|asm)\b", head):
        return None, ""
    concept = re.match(r"concept (\w+)", head)
    if concept:
        return "concept", concept.group(1)
    if head.startswith(("using ", "typedef ")):
        alias = re.match(r"using (\w+) =", head) or re.search(r"(\w+)$", head)
        return "alias", alias.group(1) if alias else ""
    one = re.match(r"(?:class|struct|union|enum(?: class| struct)?) ([\w:]+)\s*(<)?[^(]*$", head)
    if one:
        return "forward", one.group(1).rstrip(":") + ("<>" if one.group(2) else "")
    signature = signature_of(head)
    operator = re.search(r"[\w:]*\boperator\s*(?:\(\)|\[\]|[^\s\w(]+|\"\" ?\w+|[^(]+)(?=\s*\()", signature)
    if operator:
        return "function", re.sub(r"\s+", " ", operator.group())
    index = parenthesis(signature)
    pointer = re.match(r"\(\s*(?:[\w:]+::)?\*\s*(\w+)\s*\)\s*\(", signature[index:]) if index >= 0 else None
    if pointer:  # to a function
        return "variable", pointer.group(1)
    if index >= 0:
        name = re.search(r"(~?[\w:]+(?:<.*>::~?\w+)?)\s*$", signature[:index])
        return "function", name.group(1) if name else ""
    name = re.search(r"(\w+)\s*(<.*>)?(?:\[[^\]]*\]\s*)*(?:\{\})?$", signature)
    return "variable", name.group(1) + ("<>" if name.group(2) else "") if name else ""


def head_of_type(head):
    """The head of the class or enum that a { opens, without its bases; "" if it opens none."""
    colon = top_level(head, is_colon)
    head = head if colon < 0 else head[:colon].rstrip()
    is_type = re.match(r"(class|struct|union|enum)\b", head) and "(" not in head
    return re.sub(r" final$", "", head) if is_type else ""


def is_function(head):
    """Does a { open the body of a function? Else it is an initialiser or a requirement."""
    if top_level(head, is_equals) >= 0:
        return False
    if top_level(head, is_colon) >= 0:
        return re.search(r"[\w>]$", head) is None  # else a constructor's member{...}
    return not head or "(" in head


class Scanner:
    def __init__(self, text):
        self.code = without_comments_and_strings(text)
        self.directives = {}
        for match in DIRECTIVE.finditer(self.code):
            self.directives[match.start()] = (match.end(), re.match(r"\w*", match.group(1)).group())
        self.scopes = []  # ("namespace", names, "public") or ("class", (name,), access)
        self.head, self.head_at = "", 0
        self.at = 0  # where scan() is
        self.parens = 0
        self.conditions = []
        self.found = []

    # Where we are.

    def names(self, kind):
        return tuple(name for one, names, _ in self.scopes if one == kind for name in names)

    def is_public(self):
        return "detail" not in self.names("namespace") and all(access == "public" for *_, access in self.scopes)

    def emit(self, kind=None):
        head = plain(self.head)
        what, name = describe(head)
        if what:
            line = self.code.count("\n", 0, self.head_at) + 1
            spelt = signature_of(head)
            place = self.names("namespace"), self.names("class")
            self.found.append(Declaration(line, kind or what, name, *place, self.is_public(), spelt))

    def clear(self):
        self.head = ""
        self.parens = 0

    def add(self, text, at):
        if not self.head.strip():
            self.head_at = at
        self.head += text

    # Going on.

    def condition(self, word, state, restore):
        """Every branch of an #if begins in the state in which the first one began."""
        if word.startswith("if"):
            self.conditions.append(state)
        elif word.startswith("el") and self.conditions and self.conditions[-1]:
            restore(self.conditions[-1])
        elif word == "endif" and self.conditions:
            self.conditions.pop()

    def restore(self, state):
        scopes, self.head, self.head_at, self.parens = state
        self.scopes = list(scopes)

    def skip(self, index):
        """The index behind the braces that open at index. Of every #if, the first branch counts."""
        depth, skipped = 0, 0
        while index < len(self.code):
            if index in self.directives:
                index, word = self.directives[index]
                if skipped:
                    skipped += word.startswith("if") - (word == "endif")
                elif word.startswith("el"):
                    skipped = 1
                elif word.startswith("if"):
                    self.conditions.append(None)
                if word == "endif" and not skipped and self.conditions:
                    self.conditions.pop()
                continue
            char = self.code[index]
            index += 1
            if not skipped:
                depth += (char == "{") - (char == "}")
                if char == "}" and depth == 0:
                    break
        return index

    def scan(self):
        index = 0
        while index < len(self.code):
            self.at = index
            if index in self.directives:
                end, word = self.directives[index]
                self.condition(word, (list(self.scopes), self.head, self.head_at, self.parens), self.restore)
                index = end
                continue
            word = WORD.match(self.code, index)
            if word:
                index = self.word(word)
                continue
            char = self.code[index]
            if char == "{":
                index = self.brace(index)
                continue
            if char in "()[]":
                self.parens += 1 if char in "([" else -1
                self.add(char, index)
            elif char == ";" and self.parens <= 0:
                self.emit()
                self.clear()
            elif char == "}":
                self.leave()
            elif char == ":" and self.head.strip() in ("public", "private", "protected") and self.scopes:
                kind, names, _ = self.scopes[-1]
                self.scopes[-1] = (kind, names, self.head.strip())
                self.clear()
            else:
                self.add(char, index)
            index += 1
        return self.found

    def word(self, match):
        if match.group() == BEGIN:
            self.scopes.append(("namespace", ("fusebox",), "public"))
        elif match.group() == END:
            self.leave()
        else:
            self.add(match.group(), match.start())
        return match.end()

    def leave(self):
        if self.scopes:
            self.scopes.pop()
        self.clear()

    def brace(self, index):
        """At a {: enters a scope, or skips what is no scope. Gives the index behind."""
        head = plain(self.head)
        namespace = re.match(r"namespace\b ?([\w: ]*)", head)
        type_head = head_of_type(head)
        if namespace:
            names = tuple(name.replace("inline ", "").strip() for name in namespace.group(1).split("::"))
            self.scopes.append(("namespace", names, "public"))
        elif type_head and self.parens <= 0:
            names = () if type_head in ("struct", "union", "enum") else (describe(type_head)[1],)
            if names:
                self.head = type_head
                self.emit("type")
            self.scopes.append(("class", names, "private" if type_head.startswith("class") else "public"))
        elif self.parens <= 0 and is_function(head):
            end = self.skip(index)
            self.emit()
            self.clear()
            return end
        else:  # the declaration goes on behind it
            end = self.skip(index)
            self.add("{}", index)
            return end
        self.clear()
        return index + 1


def declarations(text):
    """What a header declares, outside the bodies of functions."""
    return Scanner(text).scan()
