"""Phrases that plain English does without."""

import re

BANNED = (
    (r"\bthat there (?:is|are)", 'say "existing", "if any", or name the thing'),
    (r", is none", 'say "no ..."'),
    (r"\bwhere there is (?:one|none|no)", 'say "if any", "if there is no ..."'),
    (r"\bwhich this build has not", 'say "which are disabled in this build"'),
    (r"\btold of", 'say "receives"'),
    (r"\btells? of", 'say "reports", "describes"'),
    (r"\blets? go of", 'say "releases"'),
)
PATTERN = re.compile("|".join(rf"({phrase})\b".replace(" ", r"\s+") for phrase, _ in BANNED), re.I)
LEADER = re.compile(r"^[ \t]*(?:///?<?!?|[>*#-]+)?[ \t]*", re.M)  # what a line of a comment or of a page begins with


def check(tree):
    """README, docs/, include/ and storm/ say it plainly, without the phrases that are hard to read"""
    problems = []
    pages = [path for path in tree.pages() if path.startswith("docs/") or path == "README.md"]
    for path in [*pages, *tree.files("include", "storm")]:
        text = LEADER.sub(lambda leader: " " * len(leader.group()), tree.text(path))  # as long as before
        for match in PATTERN.finditer(text):
            phrase = re.sub(r"\s+", " ", match.group())
            advice = BANNED[match.lastindex - 1][1]
            problems.append(f"{path}:{text.count(chr(10), 0, match.start()) + 1}: {phrase!r}: {advice}")
    return problems
