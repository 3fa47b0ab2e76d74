"""Lists of entities as data: CSV, or a schema.org ItemList, whose items have positions."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pyoxigraph import Literal, NamedNode, Triple

from tracktwo.catalog import Listed
from tracktwo.facets import Entry
from tracktwo.namespaces import RDF, RDFS, SCHEMA


@dataclass(frozen=True)
class Item:
    """One entity of a list: its number there, its IRI or `_:` and a blank node's label, (text, language) of labels.

    `class_` is the IRI of a class that the list says it has. `position` counts from 1, in the whole list.
    """

    number: int
    iri: str
    labels: Iterable[tuple[str, str]]
    class_: str = ""
    position: int | None = None


def item_list(page: str, total: int, items: Iterable[Item], skolem_prefix: str) -> Iterator[Triple]:
    """The list at the IRI `page`, which has so many items in `total`; those given may be a stretch of it."""
    list_ = NamedNode(page)
    yield Triple(list_, RDF.type, SCHEMA.ItemList)
    yield Triple(list_, SCHEMA.numberOfItems, Literal(total))
    for item in items:
        place, thing = NamedNode(f"{page}#{item.number}"), _named(item.iri, skolem_prefix)
        yield Triple(list_, SCHEMA.itemListElement, place)
        yield Triple(place, RDF.type, SCHEMA.ListItem)
        if item.position is not None:
            yield Triple(place, SCHEMA.position, Literal(item.position))
        yield Triple(place, SCHEMA.item, thing)
        if item.class_:
            yield Triple(thing, RDF.type, NamedNode(item.class_))
        for text, language in item.labels:
            yield Triple(thing, RDFS.label, Literal(text, language=language) if language else Literal(text))


def as_csv(entries: Iterable[Entry | Listed], labels: Mapping[str, Mapping[str, str]], languages: Sequence[str]) -> str:
    """One line an entity: its IRI, and its label in each of the languages (RFC 4180)."""
    text = io.StringIO()
    lines = csv.writer(text)
    lines.writerow(["iri", *(f"label_{language}" for language in languages)])
    for entry in entries:
        named = labels.get(entry.iri, {})
        lines.writerow([entry.iri, *(named.get(language, named.get("", "")) for language in languages)])
    return text.getvalue()


def _named(iri: str, skolem_prefix: str) -> NamedNode:
    """The IRI, of a blank node the one that stands for it and has its page (RDF 1.1 Concepts section 3.5)."""
    return NamedNode(skolem_prefix + iri[2:] if iri.startswith("_:") else iri)
