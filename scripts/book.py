#!/usr/bin/env python3
"""Makes the book of docs/ whole: a preprocessor of mdBook, named in docs/book.toml.

usage: scripts/book.py supports RENDERER
       scripts/book.py < BOOK.json > BOOK.json
       scripts/book.py --self-test

Pages of docs/ are read on their own, too, so they link to files of the repository as files. In the book
  - a page that is nothing but a link to a Markdown file elsewhere becomes that file;
  - a link to what is no page of the book leads to the repository, where GITHUB_SERVER_URL and GITHUB_REPOSITORY say which that is, and
    otherwise stays as text.
"""

import json
import os
import posixpath
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STAND_IN = re.compile(r"\[[^\]]*\]\(([^)\s]+\.md)\)\s*")
# Not in code: whoever writes about links means them literally.
PIECES = re.compile(r"(?P<code>^```.*?^```|`[^`\n]*`)|(?P<image>!?)\[(?P<text>[^\]]*)\]\((?P<target>[^)\s]+)\)", re.M | re.S)


def chapters(items):
    for item in items:
        if isinstance(item, dict) and "Chapter" in item:
            yield item["Chapter"]
            yield from chapters(item["Chapter"]["sub_items"])


def stand_ins(pages):
    """{file of the repository: the page of docs/ that stands for it}"""
    found = {}
    for page in pages:
        stands_for = STAND_IN.fullmatch((ROOT / "docs" / page).read_text())
        if stands_for:
            found[posixpath.normpath(posixpath.join("docs", posixpath.dirname(page), stands_for[1]))] = page
    return found


def rewritten(text, file, page, pages, repository):
    """A page's text with links that work in the book. `file` is where in the repository the text is from."""

    def link(piece):
        target = piece["target"]
        if re.match(r"[a-z]+:|#", target):
            return piece[0]
        path, _, anchor = target.partition("#")
        wanted = posixpath.normpath(posixpath.join(posixpath.dirname(file), path))
        inside = pages.get(wanted)
        if inside is None and wanted.startswith("docs/") and piece["image"]:
            inside = wanted.removeprefix("docs/")
        if inside is not None:
            relative = posixpath.relpath(inside, posixpath.dirname(page) or ".")
            return f"{piece['image']}[{piece['text']}]({relative}{'#' + anchor if anchor else ''})"
        return f"{piece['image']}[{piece['text']}]({repository}/{wanted}{'#' + anchor if anchor else ''})" if repository else piece["text"]

    return PIECES.sub(lambda piece: piece[0] if piece["code"] else link(piece), text)


def whole(book, repository):
    items = book.get("items", book.get("sections"))
    found = [chapter for chapter in chapters(items) if chapter["path"]]
    instead = stand_ins(chapter["path"] for chapter in found)
    file_of = {chapter["path"]: posixpath.join("docs", chapter["path"]) for chapter in found}
    pages = {file: page for page, file in file_of.items()} | instead
    file_of |= {page: file for file, page in instead.items()}
    for chapter in found:
        page = chapter["path"]
        file = file_of[page]
        text = (ROOT / file).read_text() if file in instead else chapter["content"]
        chapter["content"] = rewritten(text, file, page, pages, repository)
    return book


def self_test():
    summary = (ROOT / "docs/SUMMARY.md").read_text()
    listed = re.findall(r"\]\(([^)]+\.md)\)", summary)
    files = {str(path.relative_to(ROOT / "docs")) for path in (ROOT / "docs").rglob("*.md")} - {"SUMMARY.md"}
    assert set(listed) == files and len(listed) == len(files), f"docs/SUMMARY.md and docs/ differ: {sorted(set(listed) ^ files)}"
    chapter = lambda page: {"Chapter": {"path": page, "content": (ROOT / "docs" / page).read_text(), "sub_items": []}}
    for key in ("items", "sections"):
        made = whole({key: [chapter(page) for page in listed]}, "https://example.com/carrot/blob/main")
        for made_chapter in chapters(made[key]):
            page, content = made_chapter["path"], made_chapter["content"]
            assert content.startswith("# ") or content.startswith("<"), f"{page} begins with {content[:40]!r}"
            for piece in PIECES.finditer(content):
                if piece["code"] or re.match(r"[a-z]+:|#", piece["target"]):
                    continue
                leads_to = ROOT / "docs" / posixpath.normpath(posixpath.join(posixpath.dirname(page), piece["target"].split("#")[0]))
                assert leads_to.is_file(), f"{page}: {piece['target']} leads nowhere in the book"
    pages = {"docs/a.md": "a.md", "docs/in/b.md": "in/b.md", "data/README.md": "data.md"}
    for file, page, text, expected in [
        ("docs/a.md", "a.md", "[b](in/b.md#x)", "[b](in/b.md#x)"),
        ("docs/in/b.md", "in/b.md", "[d](../../data/README.md)", "[d](../data.md)"),
        ("data/README.md", "data.md", "[a](../docs/a.md) ![p](../docs/in/p.png)", "[a](a.md) ![p](in/p.png)"),
        ("docs/a.md", "a.md", "[c](../Cargo.toml) `[c](../Cargo.toml)`", "[c](R/Cargo.toml) `[c](../Cargo.toml)`"),
        ("docs/a.md", "a.md", "[out](https://example.com) [here](#x)", "[out](https://example.com) [here](#x)"),
    ]:
        found = rewritten(text, file, page, pages, "R")
        assert found == expected, f"{text}: {found}"
    assert rewritten("[c](../Cargo.toml)", "docs/a.md", "a.md", pages, "") == "c"
    print(f"book: {len(listed)} pages, whose links lead somewhere")


def main():
    if set(sys.argv) & {"-h", "--help"}:
        print(__doc__.strip())
    elif sys.argv[1:] == ["--self-test"]:
        self_test()
    elif sys.argv[1:2] != ["supports"]:
        _, book = json.load(sys.stdin)
        server, name = os.environ.get("GITHUB_SERVER_URL"), os.environ.get("GITHUB_REPOSITORY")
        json.dump(whole(book, f"{server}/{name}/blob/main" if server and name else ""), sys.stdout)
    return 0


sys.exit(main())
