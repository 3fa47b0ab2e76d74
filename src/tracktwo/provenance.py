"""What a dataset says of its own making: statements of provenance with their counts, ready to print."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pyoxigraph import Literal, NamedNode

from tracktwo.entity import Describer
from tracktwo.namespaces import DCTERMS, RDFS, SCHEMA

_SECTIONS = 50  # statements of provenance that are shown


@dataclass(frozen=True)
class Section:
    """One statement of a dataset's provenance: its label and text with their languages, its page, and counts."""

    label: tuple[str, str]
    text: tuple[str, str]
    url: str
    counts: tuple[tuple[tuple[str, str], str], ...]


def provenance(describer: Describer) -> list[Section]:
    """What the data says of its own making: each `dcterms:ProvenanceStatement`, in the order of `schema:position`.

    A count is a `schema:PropertyValue` that `schema:additionalProperty` leads to. Two look-ups, however many.
    """
    classes = [row for row in describer.catalog.classes() if row.iri == DCTERMS.ProvenanceStatement.value]
    listed = [entry.iri for row in classes for entry in describer.catalog.members(row.slug, "", _SECTIONS)]
    made = _objects(describer, listed)
    counted = {
        iri: [value.value for value in said.get(SCHEMA.additionalProperty.value, ()) if isinstance(value, NamedNode)]
        for iri, said in made.items()
    }
    counts = _objects(describer, [iri for iris in counted.values() for iri in iris])

    def text(said: Mapping[str, Sequence[Any]], property_: NamedNode) -> tuple[str, str]:
        literals = (value for value in said.get(property_.value, ()) if isinstance(value, Literal))
        texts = {literal.language or "": literal.value for literal in literals}
        return describer.pick(texts) or ("", "")

    def number(said: Mapping[str, Sequence[Any]], property_: NamedNode) -> str:
        return min((value.value for value in said.get(property_.value, ())), default="")

    rows = sorted(made.items(), key=lambda item: (number(item[1], SCHEMA.position).rjust(9), item[0]))
    return [
        Section(
            text(said, RDFS.label),
            text(said, DCTERMS.description),
            describer.url(iri),
            tuple((text(counts[one], RDFS.label), number(counts[one], SCHEMA.value)) for one in sorted(counted[iri])),
        )
        for iri, said in rows
    ]


def _objects(describer: Describer, iris: Sequence[str]) -> dict[str, dict[str, list[Any]]]:
    """The objects of all statements about some subjects, by subject and property; each once."""
    found: dict[str, dict[str, list[Any]]] = {iri: {} for iri in iris}
    for quad in dict.fromkeys(quad.triple for quad in describer.store.describe([NamedNode(iri) for iri in iris])):
        if isinstance(quad.subject, NamedNode):
            found[quad.subject.value].setdefault(quad.predicate.value, []).append(quad.object)
    return found
