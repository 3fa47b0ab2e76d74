"""Write a release's catalogue: labels, documents, classes and links, counted and sorted once."""

import contextlib
import errno
import json
import re
import sqlite3
import unicodedata
from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from functools import cached_property
from itertools import count
from pathlib import Path
from types import MappingProxyType

from pyoxigraph import Literal, Triple

from tracktwo import facets, search
from tracktwo.catalog import SCHEMA
from tracktwo.links import Links
from tracktwo.namespaces import ALTERNATIVES, LABELS, RDF, RDFS, SUMMARIES
from tracktwo.publication import Publication
from tracktwo.release.facets import Chosen, Graph, Offer, chosen, texts
from tracktwo.release.validate import Result
from tracktwo.terms import name_of

_KINDS = {
    **dict.fromkeys(SUMMARIES, search.PROSE),
    **dict.fromkeys(ALTERNATIVES, search.ALTERNATIVE),
    **dict.fromkeys(LABELS, search.LABEL),
}
_LONGEST_TEXT = 5_000  # characters of a text that are searched
_DIGITS = 9  # of numbers in the order of labels

_NO_YEAR = (10_000, 0)  # behind all others, whether the first or the last year is compared

_RANK = {property_: rank for rank, property_ in enumerate(LABELS)}


def write(
    path: Path,
    publication: Publication,
    triples: Iterable[Triple],
    stated: set[str],
    offers: Mapping[str, Sequence[Offer]] = MappingProxyType({}),
    inferred: Container[Triple] = (),
    results: Iterable[Result] = (),
) -> None:
    """Make the catalogue of the merged graph at `path`.

    `stated` are the classes that the data itself names, `offers` the facets that the shapes offer for each class,
    `inferred` the triples that nobody states, `results` what the validation found.
    """
    builder = _Builder(publication, stated, offers)
    for triple in triples:
        builder.add(triple, stated=triple not in inferred)
    builder.results = list(results)
    try:
        with contextlib.closing(sqlite3.connect(path)) as connection, connection:
            connection.executescript(SCHEMA + search.SCHEMA + facets.SCHEMA)
            builder.write(connection)
    except sqlite3.Error as error:
        raise OSError(errno.EIO, f"the catalogue can't be written: {error}") from error


def slug_of(iri: str) -> str:
    """The last part of an IRI as a kebab-case name: `…#PartOf` is `part-of`."""
    local = re.split(r"[/#:]", iri.rstrip("/#"))[-1]
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "-", local)
    return re.sub(r"[^\w]+", "-", spaced).strip("-").lower()


class _Builder:
    """Collects what the catalogue holds while the triples go by."""

    def __init__(self, publication: Publication, stated: set[str], offers: Mapping[str, Sequence[Offer]]) -> None:
        self._offers = offers
        self._graph = Graph(iri for some in offers.values() for offer in some for iri in offer.path.properties)
        self._stated = stated
        self._languages = publication.languages
        self._prefixes = publication.prefixes
        self._links = Links(publication.base_iri, publication.base_iri, publication.documents)
        self._labels: dict[str, dict[str, tuple[int, str]]] = {}
        self._texts: set[tuple[int, str, str, str]] = set()
        self._subjects: set[str] = set()
        self._properties: set[str] = set()
        self._types: list[tuple[str, str]] = []
        self._edges: list[tuple[str, str, str]] = []
        self._stated_edges: Counter[tuple[str, str]] = Counter()
        self.results: list[Result] = []

    def add(self, triple: Triple, *, stated: bool) -> None:
        subject = name_of(triple.subject)
        self._subjects.add(subject)
        self._properties.add(triple.predicate.value)
        if isinstance(triple.object, Literal):
            self._graph.add(subject, triple.predicate.value, triple.object)
            self._add_label(subject, triple)
            if (kind := _KINDS.get(triple.predicate)) is not None:
                text = triple.object.value[:_LONGEST_TEXT]
                self._texts.add((kind, subject, triple.object.language or "", text))
            return
        object_ = name_of(triple.object)
        if triple.predicate == RDF.type:
            self._types.append((object_, subject))
        else:
            self._edges.append((object_, triple.predicate.value, subject))
            self._graph.add(subject, triple.predicate.value, object_)
            self._stated_edges[object_, triple.predicate.value] += stated

    def _add_label(self, subject: str, triple: Triple) -> None:
        rank = _RANK.get(triple.predicate)
        if rank is None or not isinstance(triple.object, Literal):
            return
        candidate = (rank, triple.object.value)
        labels = self._labels.setdefault(subject, {})
        language = triple.object.language or ""
        labels[language] = min(labels.get(language, candidate), candidate)

    def write(self, connection: sqlite3.Connection) -> None:
        classes = {class_ for class_, _ in self._types}
        objects = {object_ for object_, _, _ in self._edges}
        names = sorted(self._subjects | self._properties | classes | objects)
        numbers = {name: number for number, name in enumerate(names, start=1)}
        sorts = {name: self._sort(name) for name in names}
        rows = ((number, name, self._document(name), sorts[name]) for name, number in numbers.items())
        connection.executemany("INSERT INTO node VALUES (?, ?, ?, ?)", rows)
        labels = (
            (numbers[name], language, text)
            for name, by_language in self._labels.items()
            for language, (_, text) in by_language.items()
        )
        connection.executemany("INSERT INTO label VALUES (?, ?, ?)", labels)
        self._write_classes(connection, numbers, sorts)
        self._write_links(connection, numbers, sorts)
        self._write_entries(connection, numbers, sorts)
        self._write_texts(connection, numbers)
        self._write_results(connection, numbers)

    def _write_classes(
        self, connection: sqlite3.Connection, numbers: Mapping[str, int], sorts: Mapping[str, str]
    ) -> None:
        members = Counter(class_ for class_, _ in self._types)
        slugs = self._slugs(sorted(members))
        connection.executemany(
            "INSERT INTO class VALUES (?, ?, ?, ?)",
            ((numbers[class_], slugs[class_], count, class_ in self._stated) for class_, count in members.items()),
        )
        connection.executemany(
            "INSERT INTO member VALUES (?, ?, ?)",
            ((numbers[class_], sorts[subject], numbers[subject]) for class_, subject in self._types),
        )

    def _write_links(
        self, connection: sqlite3.Connection, numbers: Mapping[str, int], sorts: Mapping[str, str]
    ) -> None:
        rows = (
            (numbers[object_], numbers[property_], sorts[subject], numbers[subject])
            for object_, property_, subject in self._edges
        )
        connection.executemany("INSERT INTO link VALUES (?, ?, ?, ?)", rows)
        counts = Counter((object_, property_) for object_, property_, _ in self._edges)
        connection.executemany(
            "INSERT INTO link_count VALUES (?, ?, ?, ?)",
            (
                (numbers[object_], numbers[property_], count, self._stated_edges[object_, property_])
                for (object_, property_), count in counts.items()
            ),
        )

    def _write_entries(
        self, connection: sqlite3.Connection, numbers: Mapping[str, int], sorts: Mapping[str, str]
    ) -> None:
        """The members of each class in each order, and its facets."""
        links = Counter(object_ for object_, _, _ in self._edges)
        classes: dict[str, set[str]] = {}
        for class_, subject in self._types:
            classes.setdefault(class_, set()).add(subject)
        facet = count(1)
        for class_ in sorted(classes):
            members = sorted(classes[class_], key=lambda name: (sorts[name], numbers[name]))
            found = chosen(self._offered(class_), members, self._graph, classes)
            dating = next((row for row in found if row.offer.kind == "period"), None)
            years = _years(dating) if dating else {}
            orders = (
                _places([-links[name] for name in members]),
                _places([years.get(number, _NO_YEAR)[0] for number in range(len(members))]) if years else None,
                _places([-years.get(number, _NO_YEAR)[1] for number in range(len(members))]) if years else None,
            )
            connection.executemany(
                "INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?)",
                (
                    (numbers[class_], number, numbers[name], *(order[number] if order else None for order in orders))
                    for number, name in enumerate(members)
                ),
            )
            for row in found:
                self._write_facet(connection, next(facet), numbers, sorts, class_, row, dates=row is dating)

    def _write_facet(
        self,
        connection: sqlite3.Connection,
        id_: int,
        numbers: Mapping[str, int],
        sorts: Mapping[str, str],
        class_: str,
        facet: Chosen,
        *,
        dates: bool,
    ) -> None:
        names = json.dumps(facet.offer.names, ensure_ascii=False, sort_keys=True)
        row = (id_, numbers[class_], facet.name, facet.offer.kind, names, len(facet.held), dates)
        connection.execute("INSERT INTO facet VALUES (?, ?, ?, ?, ?, ?, ?)", row)
        iris = texts(facet.held) if facet.offer.kind == "iri" else {}
        period = facet.offer.kind == "period"
        ordered = sorted(
            facet.held.items(), key=lambda item: (0 if period else -len(item[1]), sorts.get(item[0], ""), item[0])
        )
        connection.executemany(
            "INSERT INTO facet_value (facet, place, value, node, members, bits) VALUES (?, ?, ?, ?, ?, ?)",
            (
                (
                    id_,
                    place,
                    iris.get(key, key),
                    numbers[key] if key in iris else None,
                    len(members),
                    facets.packed(members),
                )
                for place, (key, members) in enumerate(ordered)
            ),
        )

    def _offered(self, class_: str) -> list[Offer]:
        """What the shapes offer for a class and for its superclasses, whose shapes its members fulfil, too."""
        found = {offer.path: offer for name in (class_, *self._above(class_)) for offer in self._offers.get(name, ())}
        return sorted(found.values(), key=lambda offer: (offer.place, offer.path.properties))

    def _above(self, class_: str) -> list[str]:
        """The superclasses of a class."""
        found: list[str] = []
        wanted = [class_]
        while wanted:
            fresh = set(self._superclasses.get(wanted.pop(), ())) - {class_, *found}
            found += sorted(fresh)
            wanted += fresh
        return found

    @cached_property
    def _superclasses(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for above, property_, class_ in self._edges:
            if property_ == RDFS.subClassOf.value:
                found.setdefault(class_, []).append(above)
        return found

    def _write_texts(self, connection: sqlite3.Connection, numbers: Mapping[str, int]) -> None:
        """The words of texts, numbered by importance: labels first, and of what many links lead to."""
        links = Counter(object_ for object_, _, _ in self._edges)
        texts = sorted(self._texts, key=lambda row: (row[0], -links[row[1]], len(row[3]), row[1:]))
        folded = [search.fold(text) for _, _, _, text in texts]
        connection.executemany(
            "INSERT INTO text VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                (number, numbers[subject], kind, links[subject], language, text, words)
                for number, ((kind, subject, language, text), words) in enumerate(
                    zip(texts, folded, strict=True), start=1
                )
            ),
        )
        connection.executemany("INSERT INTO word (rowid, folded) VALUES (?, ?)", enumerate(folded, start=1))
        names = (words for (kind, *_), words in zip(texts, folded, strict=True) if kind != search.PROSE)
        words = {word for line in names for word in line.split() if search.forgives(word)}
        rows = ((left_over, word) for word in sorted(words) for left_over in sorted(search.deletions(word)))
        connection.executemany("INSERT INTO deletion VALUES (?, ?)", rows)

    def _write_results(self, connection: sqlite3.Connection, numbers: Mapping[str, int]) -> None:
        """What the validation says of each node."""
        rows = (
            (numbers[result.node], result.path, result.severity, json.dumps(dict(result.messages), ensure_ascii=False))
            for result in self.results
            if result.node in numbers
        )
        connection.executemany("INSERT INTO result VALUES (?, ?, ?, ?)", rows)

    def _document(self, name: str) -> str:
        """The document that describes a subject, empty for what is only pointed at."""
        if name not in self._subjects:
            return ""
        return name if name.startswith("_:") else self._links.document(name)

    def _sort(self, name: str) -> str:
        """The key of alphabetical order: the label in the preferred language without case and accents, else the IRI.

        Numbers stand in the order of their values.
        """
        labels = self._labels.get(name, {})
        order: Sequence[str] = [*self._languages, "", *sorted(labels)]
        text = next((labels[language][1] for language in order if language in labels), name)
        decomposed = unicodedata.normalize("NFKD", text.casefold())
        plain = "".join(character for character in decomposed if not unicodedata.combining(character))[:200]
        return re.sub(r"[0-9]+", lambda number: number[0].zfill(_DIGITS), plain)

    def _slugs(self, classes: Sequence[str]) -> dict[str, str]:
        """A name for each class, none twice: plain for ours and for those the data names, with a prefix for others."""
        prefixes = {namespace: prefix for prefix, namespace in self._prefixes.items()}
        slugs: dict[str, str] = {}
        taken: set[str] = set()
        for class_ in sorted(classes, key=lambda iri: (not self._links.is_ours(iri), iri not in self._stated, iri)):
            local = slug_of(class_) or "class"
            prefix = prefixes.get(re.sub(r"[^/#]*$", "", class_), "other")
            plain = self._links.is_ours(class_) or class_ in self._stated
            wanted = local if plain and local not in taken else f"{prefix}-{local}"
            slug, number = wanted, 1
            while slug in taken:
                number += 1
                slug = f"{wanted}-{number}"
            slugs[class_] = slug
            taken.add(slug)
        return slugs


def _years(dating: Chosen) -> dict[int, tuple[int, int]]:
    """The first and the last year of each entity that has one, by its number."""
    found: dict[int, tuple[int, int]] = {}
    for year, members in dating.held.items():
        if year.isdigit():
            for number in members:
                first, last = found.get(number, (int(year), int(year)))
                found[number] = (min(first, int(year)), max(last, int(year)))
    return found


def _places(keys: Sequence[int]) -> list[int]:
    """The place of each number in the order of the keys; those of one key stay as they are."""
    places = [0] * len(keys)
    for place, number in enumerate(sorted(range(len(keys)), key=keys.__getitem__)):
        places[number] = place
    return places
