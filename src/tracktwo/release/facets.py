"""What the entities of a class can be chosen by, from the shapes: paths, and the values that each entity has there."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from pyoxigraph import Literal, NamedNode, Quad, Store

from tracktwo.namespaces import RDF, SH, XSD
from tracktwo.release.layout import asked
from tracktwo.terms import in_graph, list_items

#: Names in URLs that a list's own parameters have.
RESERVED = frozenset({"after", "all", "lang", "sort"})

_MOST_FACETS = 12  # of a class
_SHARED = 1.25  # how many entities a value has on average, else it tells them by name
_ALIKE = 0.75  # the share of statements in common at which a facet only repeats another
_SPREAD = 20  # one entity in so many has a value, else few would miss it

#: How the values of a facet are told apart; of several kinds that a shape allows, the first decides.
KINDS: tuple[str, ...] = ("period", "boolean", "iri", "choice")

_LAST = 1000.0  # the place of what has none
_DATES = (XSD.date, XSD.dateTime, XSD.gYear, XSD.gYearMonth)
_PARTS = {
    SH.inversePath.value: "inverse",
    SH.alternativePath.value: "either",
    SH.zeroOrOnePath.value: "perhaps",
}


@dataclass(frozen=True)
class Path:
    """A property path (SHACL section 2.3.1): `property`, `inverse` of one, `sequence`, `either`, or `perhaps`."""

    kind: str
    iri: str = ""
    parts: tuple["Path", ...] = ()

    @property
    def properties(self) -> tuple[str, ...]:
        """All properties that the path goes through, in order."""
        return (self.iri,) if self.iri else tuple(iri for part in self.parts for iri in part.properties)

    @property
    def last(self) -> str:
        """The property that a path ends with, by the first of its ways."""
        return self.iri or self.parts[-1 if self.kind == "sequence" else 0].last


@dataclass
class Offer:
    """A facet that the shapes offer for a class: where its values are, what kind they are, and how it is called.

    `among` are the classes that its values must have, `choices` the texts that it may be; empty sets ask nothing.
    """

    path: Path
    kinds: set[str] = field(default_factory=set)
    among: set[str] = field(default_factory=set)
    choices: set[str] = field(default_factory=set)
    names: dict[str, str] = field(default_factory=dict)
    place: tuple[float, float] = (_LAST, _LAST)

    @property
    def kind(self) -> str:
        """The kind of its values."""
        return next(kind for kind in KINDS if kind in self.kinds)


class Graph:
    """The statements that paths go through, by subject and by object; nodes are texts, as `name_of` has them."""

    def __init__(self, properties: Iterable[str]) -> None:
        self._forward: dict[str, dict[str, list[str | Literal]]] = {property_: {} for property_ in properties}
        self._back: dict[str, dict[str, list[str | Literal]]] = {property_: {} for property_ in self._forward}

    def add(self, subject: str, property_: str, value: str | Literal) -> None:
        """A statement; of no account where no path goes through its property."""
        if property_ not in self._forward:
            return
        self._forward[property_].setdefault(subject, []).append(value)
        if isinstance(value, str):
            self._back[property_].setdefault(value, []).append(subject)

    def reach(self, path: Path, node: str) -> set[str | Literal]:
        """Where a path leads from a node."""
        match path.kind:
            case "property":
                return set(self._forward[path.iri].get(node, ()))
            case "inverse":
                return set(self._back[path.iri].get(node, ()))
            case "either":
                return {value for part in path.parts for value in self.reach(part, node)}
            case "perhaps":
                return {node, *self.reach(path.parts[0], node)}
            case _:
                return self._along(path.parts, node)

    def _along(self, parts: Sequence[Path], node: str) -> set[str | Literal]:
        found: set[str | Literal] = {node}
        for part in parts:
            found = {value for start in found if isinstance(start, str) for value in self.reach(part, start)}
        return found


def offers(shapes: Iterable[Quad]) -> dict[str, list[Offer]]:
    """The facets that the shapes offer for each class by its IRI, in the order of their groups and their own."""
    store = Store()
    store.bulk_extend(in_graph(quad.triple) for quad in shapes)
    found: dict[tuple[str, Path], Offer] = {}
    for row in asked(store, "facets"):
        path = _path(store, row["path"])
        if path is not None:
            _add(found.setdefault((row["class"].value, path), Offer(path)), row)
    by_class: dict[str, list[Offer]] = {}
    for (class_, _), offer in sorted(found.items(), key=lambda item: (item[1].place, item[1].path.properties)):
        by_class.setdefault(class_, []).append(offer)
    return by_class


def keys(offer: Offer, values: Iterable[str | Literal], classes: Mapping[str, set[str]]) -> set[str]:
    """What the values are chosen by: an IRI, a text, `true` or `false`, a year and its decade.

    `classes` are the members of each class. What the facet does not speak of is passed over.
    """
    return {key for value in values for key in _keys(offer, value, classes)}


def _keys(offer: Offer, value: str | Literal, classes: Mapping[str, set[str]]) -> Iterator[str]:
    if isinstance(value, str):
        among = not offer.among or any(value in classes.get(class_, ()) for class_ in offer.among)
        if offer.kind == "iri" and among and not value.startswith("_:"):
            yield value
    elif offer.kind == "period" and value.datatype in _DATES and (year := re.match(r"\d{4}(?!\d)", value.value)):
        yield from (year[0], f"{year[0][:3]}0s")
    elif offer.kind == "boolean" and value.datatype == XSD.boolean:
        yield {"1": "true", "0": "false"}.get(value.value, value.value)
    elif offer.kind == "choice" and value.value in offer.choices:
        yield value.value


def _add(offer: Offer, row: Any) -> None:
    """What one row says more about an offer."""
    offer.kinds.add(row["kind"].value)
    if row["among"] is not None:
        offer.among.add(row["among"].value)
    if row["choice"] is not None:
        offer.choices.add(row["choice"].value)
    if isinstance(row["name"], Literal):
        offer.names[row["name"].language or ""] = row["name"].value
    group, order = (
        float(row[column].value) if isinstance(row[column], Literal) else _LAST for column in ("groupOrder", "order")
    )
    offer.place = min(offer.place, (group, order))


def _path(store: Store, node: Any) -> Path | None:
    """The path at a node; None where it repeats itself, which would cost more than a list is worth."""
    if isinstance(node, NamedNode):
        return Path("property", node.value)
    steps = {quad.predicate.value: quad.object for quad in store.quads_for_pattern(node, None, None, None)}
    if RDF.first.value in steps:
        return _of_parts("sequence", [_path(store, item) for item in _items(store, node)])
    for predicate, inner in steps.items():
        kind = _PARTS.get(predicate)
        if kind == "either":
            return _of_parts(kind, [_path(store, item) for item in _items(store, inner)])
        if kind == "perhaps":
            return _of_parts(kind, [_path(store, inner)])
        if kind == "inverse" and isinstance(inner, NamedNode):
            return Path(kind, inner.value)
    return None


def _of_parts(kind: str, parts: Sequence[Path | None]) -> Path | None:
    known = tuple(part for part in parts if part is not None)
    return Path(kind, parts=known) if len(known) == len(parts) and known else None


def _items(store: Store, cell: Any) -> list[Any]:
    """The items of an RDF list."""

    def objects(subject: Any, predicate: NamedNode) -> list[Any]:
        return [quad.object for quad in store.quads_for_pattern(subject, predicate, None, None)]

    return list_items(cell, lambda at: (objects(at, RDF.first), objects(at, RDF.rest)))


@dataclass(frozen=True)
class Chosen:
    """A facet that a class gets: its name in URLs, and which entities, by number, have each value."""

    name: str
    offer: Offer
    held: Mapping[str, Sequence[int]]


def chosen(
    offered: Sequence[Offer], members: Sequence[str], graph: Graph, classes: Mapping[str, set[str]]
) -> list[Chosen]:
    """The facets that are of use among the members of a class, which are numbered as they stand."""
    found: list[Chosen] = []
    said: list[set[tuple[str, int]]] = []
    named = _named(offered)
    for offer in offered:
        held: dict[str, list[int]] = {}
        for number, member in enumerate(members):
            for key in keys(offer, graph.reach(offer.path, member), classes):
                held.setdefault(key, []).append(number)
        if not _is_of_use(offer, held, len(members)):
            continue
        pairs = {(key, number) for key, numbers in held.items() for number in numbers}
        if len(found) < _MOST_FACETS and not any(_is_alike(pairs, other) for other in said):
            said.append(pairs)
            found.append(Chosen(named[offer.path], offer, held))
    return found


def texts(iris: Iterable[str]) -> dict[str, str]:
    """What each IRI is called in a URL: its last part where no other has that, else itself."""
    last = {iri: re.split(r"[/#:]", iri.rstrip("/#"))[-1] for iri in iris}
    times = Counter(last.values())
    return {iri: name if name and times[name] == 1 else iri for iri, name in last.items()}


def _is_of_use(offer: Offer, held: Mapping[str, Sequence[int]], members: int) -> bool:
    """Do the values part the entities, without naming each?"""
    sets = [numbers for key, numbers in held.items() if offer.kind != "period" or not key.endswith("s")]
    pairs, covered = sum(map(len, sets)), len({number for numbers in sets for number in numbers})
    one_for_all = len(sets) == 1 and covered == members
    return bool(sets) and not one_for_all and pairs >= _SHARED * len(sets) and covered * _SPREAD >= members


def _is_alike(pairs: set[tuple[str, int]], other: set[tuple[str, int]]) -> bool:
    """Do two facets give nearly the same values to the same entities?"""
    return len(pairs & other) >= _ALIKE * len(pairs | other)


def _named(offered: Iterable[Offer]) -> dict[Path, str]:
    """The name of each facet, whatever of them the data leaves; the shortest paths choose first."""
    taken: dict[str, Path] = {}
    for path in sorted(
        (offer.path for offer in offered), key=lambda path: (len(path.properties), path.kind != "property")
    ):
        taken[next(name for name in _names(path) if name not in taken and name not in RESERVED)] = path
    return {path: name for name, path in taken.items()}


def _names(path: Path) -> Iterator[str]:
    """What a facet may be called, the best first: the local name of its last property, then more of its path."""
    local = [re.split(r"[/#:]", iri.rstrip("/#"))[-1] for iri in (path.last, *path.properties)]
    yield local[0]
    yield "inverse-" + local[0] if path.kind == "inverse" else ".".join(local[1:])
    yield from (f"{local[0]}-{number}" for number in count(2))
