"""What MkDocs calls while it builds the site."""

import html
import os
import shutil
import sys

import mkdocs.exceptions
import pygments
import pygments.formatters
import pygments.lexers
import pygments.util

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.dont_write_bytecode = True

import stage  # noqa: E402

FOLDER = os.path.join(stage.ROOT, "build", "site-pages")
PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<title>{path} - fusebox</title>
<link rel="icon" href="{up}assets/favicon.svg">
<link rel="stylesheet" href="{up}assets/source.css">
</head>
<body>
<header><a href="{up}index.html">fusebox</a> <span>{crumbs}</span></header>
<main>{body}</main>
</body>
</html>
"""


def on_config(config):
    made = stage.Stage(FOLDER)
    try:
        made.write()
        config["nav"] = made.nav()
    except stage.Wrong as wrong:
        raise mkdocs.exceptions.PluginError(str(wrong)) from None
    config["docs_dir"] = FOLDER
    write_sources(made.sources)
    return config


def on_post_build(config):
    """The index of the search as a script, for pages that are opened as files."""
    folder = os.path.join(config["site_dir"], "search")
    with open(os.path.join(folder, "search_index.json"), encoding="utf-8") as file:
        index = file.read()
    with open(os.path.join(folder, "search_index.js"), "w", encoding="utf-8") as file:
        file.write(f"localSearch.index({index});\n")
    for name in ("404.html", "sitemap.xml", "sitemap.xml.gz"):  # they need the address of the site
        if os.path.exists(path := os.path.join(config["site_dir"], name)):
            os.remove(path)
    shutil.rmtree(FOLDER)


def write_sources(paths):
    """Each file that the pages link to, with its lines numbered and coloured; a folder as a list."""
    formatter = pygments.formatters.HtmlFormatter(linenos="inline", lineanchors="L", wrapcode=True)
    folders = {path for path in paths if os.path.isdir(os.path.join(stage.ROOT, path))}
    files = set(paths) - folders
    for folder in sorted(folders):
        files |= set(files_of(folder))
    for path in sorted(files):
        code = stage.read(path)
        try:
            lexer = pygments.lexers.get_lexer_for_filename(path)
        except pygments.util.ClassNotFound:
            lexer = pygments.lexers.TextLexer()
        write_page(stage.source_place(path), path, pygments.highlight(code, lexer, formatter))
    for folder in sorted(folders):
        up = "../" * (folder.count("/") + 2)
        names = "".join(f'<li><a href="{up}{stage.source_place(path)}">{html.escape(os.path.relpath(path, folder))}</a></li>'
                        for path in files_of(folder))
        write_page(stage.source_place(folder), folder, f"<ul>{names}</ul>")


def files_of(folder):
    found = []
    for top, folders, names in os.walk(os.path.join(stage.ROOT, folder)):
        folders[:] = sorted(name for name in folders if name not in ("__pycache__", "corpus"))
        found += [os.path.relpath(os.path.join(top, name), stage.ROOT).replace(os.sep, "/") for name in sorted(names)]
    return found


def write_page(place, path, body):
    target = os.path.join(FOLDER, place)
    os.makedirs(os.path.dirname(target), exist_ok=True)
    up = "../" * place.count("/")
    with open(target, "w", encoding="utf-8") as file:
        file.write(PAGE.format(path=html.escape(path), crumbs=html.escape(path), up=up, body=body))
