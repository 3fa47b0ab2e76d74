"""Where in a file something stands, for messages that a curator can act on. Lines count from 1."""

import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from pyoxigraph import Literal

from tracktwo.namespaces import XSD
from tracktwo.turtle import tokens

_TURTLE_LIKE = (".ttl", ".trig", ".nt", ".nq", ".n3")

_DECLARATION = re.compile(r"@?prefix\s+([\w.-]*):\s*<([^>]*)>", re.IGNORECASE)

#: How other formats write a language tag.
_OTHER_TAGS = re.compile(r"""(?:xml:lang\s*=\s*|"@language"\s*:\s*)["']([A-Za-z]+(?:-[A-Za-z0-9]+)*)["']""")


def literal_line(path: Path, literal: Literal) -> int:
    """The first line on which a file writes the literal, 1 where that can't be told."""
    if path.suffix in _TURTLE_LIKE:
        return next((line for line, value, datatype in _literals(path) if (value, datatype) == _key(literal)), 1)
    lines = enumerate(_text(path).splitlines(), start=1)
    return next((line for line, text in lines if literal.value in text), 1)


def tags(path: Path) -> Iterator[tuple[int, str]]:
    """(line, language tag) of all literals with one, as the file spells them."""
    if path.suffix not in _TURTLE_LIKE:
        for line, text in enumerate(_text(path).splitlines(), start=1):
            yield from ((line, tag) for tag in _OTHER_TAGS.findall(text))
        return
    before = ""
    for kind, token, line in tokens(_text(path)):
        if kind == "at" and before == "string":
            yield line, token[1:]
        before = kind


def subject_line(path: Path, iri: str) -> int:
    """The line on which a Turtle file begins to speak of a subject, 1 where that can't be told."""
    text = _text(path)
    written = {f"<{iri}>"}
    if path.suffix in _TURTLE_LIKE:
        written |= {f"{prefix}:{iri[len(ns) :]}" for prefix, ns in _prefixes(text).items() if iri.startswith(ns)}
    starts = (
        line
        for line, words in enumerate(map(str.split, text.splitlines()), start=1)
        if words[:1] and words[0] in written
    )
    return next(starts, 1)


def _prefixes(text: str) -> dict[str, str]:
    """Declared prefixes, read without parsing: a place is wanted in files of any kind, right or wrong."""
    return dict(_DECLARATION.findall(text))


def _key(literal: Literal) -> tuple[str, str]:
    return literal.value, literal.datatype.value


def _literals(path: Path) -> list[tuple[int, str, str]]:
    """(line, value, datatype IRI) of the typed literals that a file writes; strings and tagged ones are left out."""
    return _literals_of(_text(path))


@lru_cache(maxsize=4)
def _literals_of(text: str) -> list[tuple[int, str, str]]:
    prefixes = _prefixes(text)
    found = []
    last: list[tuple[str, str, int]] = []
    for kind, token, line in tokens(text):
        if kind == "number":
            found.append((line, token, _number_type(token)))
        elif kind in ("iri", "word") and len(last) == 2 and last[0][0] == "string" and last[1][1] == "^^":
            found.append((last[0][2], _inside(last[0][1]), _datatype(token, prefixes)))
        elif kind == "word" and token.startswith("^^") and last and last[-1][0] == "string":
            found.append((last[-1][2], _inside(last[-1][1]), _datatype(token[2:], prefixes)))
        last = [*last[-1:], (kind, token, line)]
    return found


def _datatype(token: str, prefixes: dict[str, str]) -> str:
    if token.startswith("<"):
        return token[1:-1]
    prefix, _, local = token.partition(":")
    return prefixes.get(prefix, "") + local


def _number_type(token: str) -> str:
    """The datatype of a bare number (Turtle section 2.5.2)."""
    if "e" in token.lower():
        return XSD.double.value
    return XSD.decimal.value if "." in token else XSD.integer.value


def _inside(token: str) -> str:
    """What stands between the quotes, as it is spelt: no literal that the store rewrites needs escapes."""
    quotes = 3 if token[:3] in ('"""', "'''") else 1
    return token[quotes:-quotes]


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")
