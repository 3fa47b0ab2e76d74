"""What a release knows without asking its store: labels, documents, classes, links, counted and sorted at build time.

An SQLite file that `release.index` writes once and that is only read from then on, so a page of a list costs the same
at the millionth entry as at the first (keyset paging: entries are asked for *after* the last one shown).
"""

import json
import re
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from tracktwo.errors import ReleaseError

SCHEMA = """
CREATE TABLE node (id INTEGER PRIMARY KEY, iri TEXT NOT NULL UNIQUE, document TEXT NOT NULL, sort TEXT NOT NULL);
CREATE INDEX node_by_document ON node (document, iri);
CREATE TABLE label (
    node INTEGER NOT NULL, language TEXT NOT NULL, text TEXT NOT NULL,
    PRIMARY KEY (node, language)
) WITHOUT ROWID;
CREATE TABLE class (
    node INTEGER PRIMARY KEY, slug TEXT NOT NULL UNIQUE, members INTEGER NOT NULL, stated INTEGER NOT NULL
);
CREATE TABLE member (
    class INTEGER NOT NULL, sort TEXT NOT NULL, node INTEGER NOT NULL,
    PRIMARY KEY (class, sort, node)
) WITHOUT ROWID;
CREATE TABLE link (
    object INTEGER NOT NULL, property INTEGER NOT NULL, sort TEXT NOT NULL, subject INTEGER NOT NULL,
    PRIMARY KEY (object, property, sort, subject)
) WITHOUT ROWID;
CREATE TABLE link_count (
    object INTEGER NOT NULL, property INTEGER NOT NULL, links INTEGER NOT NULL, stated INTEGER NOT NULL,
    PRIMARY KEY (object, property)
) WITHOUT ROWID;
CREATE TABLE result (
    node INTEGER NOT NULL, path TEXT NOT NULL, severity TEXT NOT NULL, messages TEXT NOT NULL
);
CREATE INDEX result_by_node ON result (node);
"""

# CROSS JOIN keeps SQLite to the order as written: it would walk all members of a class for the sake of one entity.
_CLASSES = """
SELECT iri, slug, members, stated FROM class JOIN node ON node.id = class.node ORDER BY members DESC, iri
"""
_CLASSES_OF = """
SELECT of.iri, class.slug, class.members, class.stated
FROM node AS me CROSS JOIN class CROSS JOIN node AS of ON of.id = class.node
CROSS JOIN member ON member.class = class.node AND member.sort = me.sort AND member.node = me.id
WHERE me.iri = ? ORDER BY class.members, of.iri
"""
_KINDS = """
SELECT me.iri, of.iri
FROM node AS me CROSS JOIN class CROSS JOIN node AS of ON of.id = class.node
CROSS JOIN member ON member.class = class.node AND member.sort = me.sort AND member.node = me.id
WHERE class.stated AND me.iri IN ({}) ORDER BY class.members, of.iri
"""
_MEMBERS = """
SELECT node.iri, member.sort, member.node
FROM class JOIN member ON member.class = class.node JOIN node ON node.id = member.node
WHERE class.slug = ? AND (member.sort, member.node) > (?, ?)
ORDER BY member.sort, member.node LIMIT ?
"""
_LINK_COUNTS = """
SELECT property.iri, links
FROM node JOIN link_count ON link_count.object = node.id JOIN node AS property ON property.id = link_count.property
WHERE node.iri = ? ORDER BY property.iri
"""
_INCOMING = """
SELECT property.iri, links, stated, subject.iri FROM node JOIN link_count ON link_count.object = node.id
JOIN node AS property ON property.id = link_count.property
JOIN json_each((
    SELECT json_group_array(first.subject) FROM (
        SELECT subject FROM link WHERE object = link_count.object AND property = link_count.property
        ORDER BY sort, subject LIMIT ?
    ) AS first
)) AS one
JOIN node AS subject ON subject.id = one.value
WHERE node.iri = ? ORDER BY property.iri, one.key
"""
_KNOWN = """
SELECT iri, document <> '', language, text FROM node LEFT JOIN label ON label.node = node.id
WHERE iri IN (SELECT value FROM json_each(?))
"""
_LINKS = """
SELECT subject.iri, link.sort, link.subject FROM link JOIN node AS subject ON subject.id = link.subject
WHERE object = (SELECT id FROM node WHERE iri = ?) AND property = (SELECT id FROM node WHERE iri = ?)
AND (link.sort, link.subject) > (?, ?)
ORDER BY link.sort, link.subject LIMIT ?
"""
_DOCUMENT_COUNT = "SELECT COUNT(DISTINCT document) FROM node WHERE document >= ? AND document < ?"
_DOCUMENTS = """
SELECT DISTINCT document FROM node WHERE document >= ? AND document < ? ORDER BY document LIMIT ? OFFSET ?
"""

_LAST = "\U0010ffff"  # sorts behind every other character
_AT_ONCE = 10_000  # how many values one statement names: SQLite's limit is 32,766 since its version 3.32


@dataclass(frozen=True)
class Class:
    """A class with members: its IRI, its name in `/browse/SLUG`, how many it has, and whether the data itself names it.

    A class that is not `stated` has members only by inference, or in the vocabulary and the shapes.
    """

    iri: str
    slug: str
    members: int
    stated: int


@dataclass(frozen=True)
class Listed:
    """One entry of a paged list; `key` asks for the entries after it."""

    iri: str
    sort: str
    number: int

    @property
    def key(self) -> str:
        """Where the next page starts."""
        return f"{self.number}~{self.sort}"


@dataclass(frozen=True)
class Incoming:
    """The links that lead to an entity with one property: how many, how many that somebody states, the first few."""

    property: str
    links: int
    stated: int
    first: tuple[str, ...]


class Reader:
    """Runs statements on a catalogue's file, from any thread."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._local = threading.local()

    def run(self, statement: str, values: Sequence[object]) -> sqlite3.Cursor:
        """The rows, read as they are asked for."""
        connection = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = sqlite3.connect(
                f"{self._path.resolve().as_uri()}?mode=ro&immutable=1", uri=True
            )
        return connection.execute(statement, values)


class Catalog:
    """Read access to a release's catalogue; may be used from many threads."""

    def __init__(self, path: Path, base_iri: str) -> None:
        self._reader = Reader(path)
        self._ours = (base_iri, base_iri + _LAST)

    def described(self, iris: Iterable[str]) -> list[str]:
        """Those of the IRIs that are subjects, in the order given."""
        wanted = list(iris)
        found = {row[0] for row in self._in("SELECT iri FROM node WHERE document <> '' AND iri IN ({})", wanted)}
        return [iri for iri in wanted if iri in found]

    def check(self) -> None:
        """Raises `ReleaseError` where the file is no catalogue."""
        try:
            self.classes()
        except sqlite3.Error as error:
            raise ReleaseError(f"the catalogue can't be opened: {error}", hint="Run `tracktwo build`.") from error

    def mentioned(self, iris: Sequence[str]) -> set[str]:
        """Those of the IRIs that occur at all."""
        return {row[0] for row in self._in("SELECT iri FROM node WHERE iri IN ({})", iris)}

    def starting_with(self, namespace: str, limit: int = 500) -> list[str]:
        """IRIs that begin with a namespace, in order, up to a limit."""
        statement = "SELECT iri FROM node WHERE iri >= ? AND iri < ? ORDER BY iri LIMIT ?"
        return [row[0] for row in self._run(statement, (namespace, namespace + _LAST, limit))]

    def subjects(self, documents: Iterable[str]) -> dict[str, list[str]]:
        """Everything that each of some documents describes, sorted; what is no document is left out."""
        found: dict[str, list[str]] = {}
        statement = "SELECT document, iri FROM node WHERE document IN ({}) ORDER BY document, iri"
        for document, iri in self._in(statement, list(dict.fromkeys(documents))):
            found.setdefault(document, []).append(iri)
        return found

    def documents_among(self, iris: Iterable[str]) -> list[str]:
        """Those of the IRIs that are documents of at least one subject, in the order given."""
        wanted = list(iris)
        found = {row[0] for row in self._in("SELECT DISTINCT document FROM node WHERE document IN ({})", wanted)}
        return [iri for iri in wanted if iri in found]

    def labels(self, iris: Iterable[str]) -> dict[str, dict[str, str]]:
        """Labels by IRI and language; IRIs without any are left out."""
        return self.known(iris)[0]

    def classes(self) -> list[Class]:
        """All classes that have members, the largest first."""
        return list(self._all_classes)

    @cached_property
    def _all_classes(self) -> list[Class]:
        return [Class(*row) for row in self._run(_CLASSES, ())]

    def classes_of(self, iri: str) -> list[Class]:
        """The classes that an entity is a member of, the smallest first."""
        return [Class(*row) for row in self._run(_CLASSES_OF, (iri,))]

    def kinds(self, iris: Iterable[str]) -> dict[str, list[str]]:
        """The classes of each IRI that the data itself names, the smallest first."""
        found: dict[str, list[str]] = {}
        for iri, class_ in self._in(_KINDS, list(dict.fromkeys(iris))):
            found.setdefault(iri, []).append(class_)
        return found

    def members(self, slug: str, after: str, limit: int) -> list[Listed]:
        """Members of a class in order of their labels."""
        number, sort = _position(after)
        return [Listed(*row) for row in self._run(_MEMBERS, (slug, sort, number, limit))]

    def link_counts(self, iri: str) -> list[tuple[str, int]]:
        """(property, how many subjects) of the links that lead to an entity."""
        return [(str(property_), int(links)) for property_, links in self._run(_LINK_COUNTS, (iri,))]

    def incoming(self, iri: str, limit: int) -> list[Incoming]:
        """The links that lead to an entity, by property, with the first of each; one statement, however many."""
        found: dict[str, tuple[int, int, list[str]]] = {}
        for property_, links, stated, subject in self._run(_INCOMING, (limit, iri)):
            found.setdefault(property_, (links, stated, []))[2].append(subject)
        return [Incoming(name, links, stated, tuple(first)) for name, (links, stated, first) in found.items()]

    def known(self, iris: Iterable[str]) -> tuple[dict[str, dict[str, str]], set[str]]:
        """(labels by IRI and language, those of the IRIs that something is said about); one statement."""
        labels: dict[str, dict[str, str]] = {}
        described = set()
        for iri, is_described, language, text in self._run(_KNOWN, (json.dumps(list(set(iris))),)):
            if text is not None:
                labels.setdefault(iri, {})[language] = text
            if is_described:
                described.add(iri)
        return labels, described

    def results(self, iri: str) -> list[tuple[str, str, dict[str, str]]]:
        """(property or nothing, severity, messages by language) of what validation says of an entity."""
        statement = "SELECT path, severity, messages FROM result WHERE node = (SELECT id FROM node WHERE iri = ?)"
        return [(path, severity, json.loads(messages)) for path, severity, messages in self._run(statement, (iri,))]

    def links(self, iri: str, property_: str, after: str, limit: int) -> list[Listed]:
        """Subjects that link to an entity with one property, in order of their labels."""
        number, sort = _position(after)
        return [Listed(*row) for row in self._run(_LINKS, (iri, property_, sort, number, limit))]

    def document_count(self) -> int:
        """How many documents of ours there are."""
        return int(self._run(_DOCUMENT_COUNT, self._ours)[0][0])

    def documents(self, start: int, limit: int) -> list[str]:
        """Our documents, sorted, from the one numbered `start`."""
        return [row[0] for row in self._run(_DOCUMENTS, (*self._ours, limit, start))]

    def _in(self, statement: str, values: Sequence[str]) -> Iterator[tuple[str, ...]]:
        for start in range(0, len(values), _AT_ONCE):
            some = values[start : start + _AT_ONCE]
            yield from self._run(statement.format(",".join("?" * len(some))), some)

    def _run(self, statement: str, values: Sequence[object]) -> list[Any]:
        return self._reader.run(statement, values).fetchall()


def _position(after: str) -> tuple[int, str]:
    """(node number, sort key) of a page's start; anything that is no key means the beginning."""
    number, tilde, sort = after.partition("~")
    return (int(number), sort) if tilde and re.fullmatch(r"[0-9]{1,17}", number) else (-1, "")
