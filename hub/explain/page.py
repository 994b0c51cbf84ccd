"""A file for somebody's browser. In: a customer and a file name. Out: the picture as SVG, or a page that also says it
in words.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

from hub.explain.evidence import evidence
from hub.explain.figures import golden
from hub.explain.find import find
from hub.explain.picture import picture
from hub.explain.svg import plain
from hub.explain.tree import Branch, Leaf, card_of, explanation
from hub.settings import SettingError
from hub.store.engine import Store
from mappings.rulebook import Rulebook

KINDS = (".svg", ".html")


class NoPicture(Exception):
    """A file name that says no kind of picture; the message says what to say instead."""


def check_picture(file: Path) -> None:
    """Raises NoPicture for a name that says no kind of picture."""
    if file.suffix.lower() not in KINDS:
        raise NoPicture(f"--picture {file}: end the name in .svg or .html, as in --picture {file.stem or 'who'}.svg")


def draw(store: Store, rulebook: Rulebook, words: str, file: Path) -> None:
    """Writes the picture of the customer. Raises NoSuchCustomer, and SettingError where the file cannot be written."""
    trust = list(rulebook.company.sources)
    with store.read() as connection:
        number = find(connection, words)
        card = card_of(connection, number)
        made = picture(evidence(connection, number, trust), card, golden(connection, number), trust)
    if file.suffix.lower() == ".html":
        made = _page(card.display_name or card.public_id, made, explanation(store, rulebook, words)[1])
    try:
        file.write_text(made, encoding="utf-8")
    except OSError as error:
        raise SettingError(f"--picture {file}: cannot be written ({error.strerror})") from None


def _page(name: str, svg: str, branches: Sequence[Branch]) -> str:
    said = "".join(f"<h3>{escape(plain(branch))}</h3>{_list(leaves)}" for branch, leaves in branches)
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(plain(name))}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><style>'
        ":root{color-scheme:light dark}body{margin:0;font:15px/1.5 system-ui,sans-serif}svg{max-width:100%;height:auto}"
        "details{padding:0 32px 32px}summary{cursor:pointer;font-weight:600}li{overflow-wrap:anywhere}"
        "@media(prefers-color-scheme:dark){body{background:#12161c;color:#eef2f6}}</style></head><body>\n"
        f"{svg}<details><summary>The same in words, with money, journey and flags</summary>{said}</details>\n"
        "</body></html>\n"
    )


def _list(leaves: Sequence[Leaf]) -> str:
    items = ((leaf, ()) if isinstance(leaf, str) else leaf for leaf in leaves)
    return (
        "<ul>"
        + "".join(f"<li>{escape(plain(words))}{_list(below) if below else ''}</li>" for words, below in items)
        + "</ul>"
    )
