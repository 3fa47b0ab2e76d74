"""Find entities by words of their labels and texts: in any script, with typing errors forgiven.

The tables stand in the release's catalogue. Words are written in ASCII, so that Есин and Esin are one word; texts are
numbered by importance, so that the first matches are the best and a search reads no more of them than it ranks. Words
that nothing has lead to those that differ by a letter or two: both then share a word with a letter left out (the
deletions of SymSpell).
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from anyascii import anyascii

from tracktwo.catalog import Reader

SCHEMA = """
CREATE TABLE text (
    id INTEGER PRIMARY KEY, node INTEGER NOT NULL, kind INTEGER NOT NULL, links INTEGER NOT NULL,
    language TEXT NOT NULL, text TEXT NOT NULL, folded TEXT NOT NULL
);
CREATE VIRTUAL TABLE word USING fts5 (folded, content='', tokenize='ascii', prefix='1 2 3', detail='none');
CREATE TABLE deletion (left_over TEXT NOT NULL, word TEXT NOT NULL, PRIMARY KEY (left_over, word)) WITHOUT ROWID;
"""

#: What a text is to its entity: its label, another name, or what is said about it.
LABEL, ALTERNATIVE, PROSE = 0, 1, 2

_RANKED = 400  # texts that one search looks at
_MOST_WORDS = 8
_LONGEST_WORD = 40
_SHORTEST_FORGIVEN = 4  # letters of a word in which an error is forgiven
_MOST_ALTERNATIVES = 12

# CROSS JOIN keeps SQLite to the order as written: it would walk all members of a class for the sake of one entity.
_FIND = """
SELECT node.iri, text.kind, text.links, text.language, text.text, text.folded, text.node
FROM word JOIN text ON text.id = word.rowid JOIN node ON node.id = text.node
WHERE word MATCH ? ORDER BY word.rowid LIMIT ?
"""
_FIND_IN = """
SELECT node.iri, text.kind, text.links, text.language, text.text, text.folded, text.node
FROM word CROSS JOIN text ON text.id = word.rowid CROSS JOIN node ON node.id = text.node
CROSS JOIN member ON member.class = (SELECT node FROM class WHERE slug = ?)
    AND member.sort = node.sort AND member.node = node.id
WHERE word MATCH ? ORDER BY word.rowid LIMIT ?
"""
_CLASSES = """
SELECT class.slug, node.id FROM node CROSS JOIN class CROSS JOIN member
ON member.class = class.node AND member.sort = node.sort AND member.node = node.id
WHERE class.stated AND node.id IN ({})
"""


@dataclass(frozen=True)
class Hit:
    """An entity that was found: its IRI, the text that matched, its language, and how many links lead to it."""

    iri: str
    text: str
    language: str
    links: int


@dataclass(frozen=True)
class Found:
    """The hits, the best first, and how many of them have each class, by its slug.

    There may be `more` than one search looks at. `forgiven` says that only words like those asked for were found.
    """

    hits: Sequence[Hit]
    classes: Counter[str]
    more: bool
    forgiven: bool


def fold(text: str) -> str:
    """The words of a text in lower-case ASCII, a blank between them."""
    return " ".join(re.findall("[a-z0-9]+", anyascii(text).lower()))


def deletions(word: str) -> set[str]:
    """The word, and the word with each one letter left out."""
    return {word} | {word[:place] + word[place + 1 :] for place in range(len(word))}


def forgives(word: str) -> bool:
    """Is the word one in which an error is forgiven?"""
    return _SHORTEST_FORGIVEN <= len(word) <= _LONGEST_WORD and not word.isdigit()


class Search:
    """Read access to the words of a release's catalogue; may be used from many threads."""

    def __init__(self, path: Path) -> None:
        self._reader = Reader(path)

    def find(self, text: str, class_: str = "", *, unfinished: bool = False) -> Found:
        """Entities whose label or text has all the words, the last of which may be `unfinished`.

        `class_` is the slug of a class to stay in. Where nothing has the words, errors in them are forgiven.
        """
        words = [word[:_LONGEST_WORD] for word in islice(fold(text).split(), _MOST_WORDS)]
        if not words:
            return Found((), Counter(), more=False, forgiven=False)
        expressions = [_exact(words, unfinished=unfinished)]
        if not unfinished:
            expressions.append(_exact(words, unfinished=True))
        rows: Sequence[tuple[str, int, int, str, str, str, int]] = ()
        for expression in expressions:
            rows = self._rows(expression, class_)
            if rows:
                break
        forgiven = not rows
        if forgiven:
            alternatives = [self._alternatives(word) for word in words]
            rows = self._rows(_either(alternatives), class_) if all(alternatives) else ()
        return Found(
            _best(rows, words, text.strip().casefold()),
            self._classes(rows),
            len(rows) == _RANKED,
            forgiven and bool(rows),
        )

    def _rows(self, expression: str, class_: str) -> Sequence[tuple[str, int, int, str, str, str, int]]:
        if class_:
            return self._run(_FIND_IN, (class_, expression, _RANKED))
        return self._run(_FIND, (expression, _RANKED))

    def _alternatives(self, word: str) -> list[str]:
        """The word itself, and words that there are and that differ a little from it."""
        if not forgives(word):
            return [word]
        left = sorted(deletions(word))
        statement = f"SELECT DISTINCT word FROM deletion WHERE left_over IN ({','.join('?' * len(left))})"
        near = sorted((row[0] for row in self._run(statement, left)), key=lambda other: (_apart(word, other), other))
        return [word, *near[:_MOST_ALTERNATIVES]]

    def _classes(self, rows: Sequence[tuple[str, int, int, str, str, str, int]]) -> Counter[str]:
        nodes = sorted({row[-1] for row in rows})
        if not nodes:
            return Counter()
        return Counter(row[0] for row in self._run(_CLASSES.format(",".join("?" * len(nodes))), nodes))

    def _run(self, statement: str, values: Sequence[object]) -> list[tuple[str, int, int, str, str, str, int]]:
        return self._reader.run(statement, values).fetchall()


def _exact(words: Sequence[str], *, unfinished: bool) -> str:
    """An FTS5 expression for texts that have all the words, the last of them perhaps longer."""
    return " AND ".join(f'"{word}"' for word in words) + ("*" if unfinished else "")


def _either(alternatives: Iterable[Sequence[str]]) -> str:
    """An FTS5 expression for texts that have one of the alternatives to each word."""
    return " AND ".join("(" + " OR ".join(f'"{word}"' for word in words) + ")" for words in alternatives)


def _best(rows: Iterable[tuple[str, int, int, str, str, str, int]], words: Sequence[str], written: str) -> list[Hit]:
    """One hit an entity, by its best text: whole, in the script as written, a label, its words, then by links."""
    wanted = " ".join(words)
    best: dict[str, tuple[tuple[float, ...], Hit]] = {}
    for iri, kind, links, language, text, folded, _ in rows:
        have = folded.split()
        score = (
            -(folded == wanted),
            written not in text.casefold(),
            kind == PROSE,
            -sum(word in have for word in words),
            -folded.startswith(wanted) - math.log1p(links) / 4 + kind,
            len(folded),
            not language,
        )
        if iri not in best or score < best[iri][0]:
            best[iri] = (score, Hit(iri, text, language, links))
    return [hit for _, hit in sorted(best.values(), key=lambda item: (item[0], item[1].iri))]


def _apart(one: str, other: str) -> int:
    """How different two words are that share a deletion: 0 the same, 1 a letter more, less or other, 2 more."""
    if one == other:
        return 0
    if len(one) != len(other):
        return 1
    return sum(a != b for a, b in zip(one, other, strict=True))
