"""How shapes lay out pages: for each class, its properties in groups and in order, with their names."""

import json
from collections.abc import Iterable, Iterator, Mapping
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from pyoxigraph import Literal, NamedNode, Quad, QuerySolutions, Store

from tracktwo.namespaces import DCTERMS, OWL, SKOS
from tracktwo.terms import in_graph

#: Inverses that standards declare in ontologies of their own (SKOS section 8.3; DCMI Metadata Terms).
_INVERSES = tuple(
    (one.value, other.value)
    for one, other in (
        (SKOS.broader, SKOS.narrower),
        (SKOS.hasTopConcept, SKOS.topConceptOf),
        (DCTERMS.isPartOf, DCTERMS.hasPart),
    )
)


def layout(shapes: Iterable[Quad]) -> dict[str, list[dict[str, Any]]]:
    """The fields of each class, by its IRI.

    A field has `path` (property IRI), `inverse`, `names` by language, `order`, `group` (labels by language),
    `group_order`, and how many values are expected: at `least`, and at `most` (None for any number). A group within
    a group is a `part` of it, with `part_names` by language. A shape that its values are qualified by
    (`sh:qualifiedValueShape`) may say `of` which class they are.
    """
    fields: dict[tuple[str, str, bool, str], dict[str, Any]] = {}
    for row in asked(_store(shapes), "layout"):
        of = row["of"].value if isinstance(row["of"], NamedNode) else ""
        key = (row["class"].value, row["path"].value, row["inverse"].value == "true", of)
        field = fields.setdefault(
            key,
            {
                "class": key[0],
                "path": key[1],
                "inverse": key[2],
                "names": {},
                "group": {},
                "order": 0.0,
                "group_order": 1000.0,
                "least": 0,
                "most": None,
                "part": "",
                "part_names": {},
                "of": key[3],
            },
        )
        _add(field, row)
    by_class: dict[str, list[dict[str, Any]]] = {}
    for field in sorted(
        fields.values(),
        key=lambda item: (item["group_order"], item["order"], item["path"], item["inverse"], item["of"]),
    ):
        by_class.setdefault(field.pop("class"), []).append(field)
    return by_class


def inverses(ontology: Iterable[Quad]) -> dict[str, list[str]]:
    """The named inverses of each property, in both directions, those of SKOS and Dublin Core among them."""
    pairs = set(_INVERSES) | {
        (quad.subject.value, quad.object.value)
        for quad in ontology
        if quad.predicate == OWL.inverseOf
        and isinstance(quad.subject, NamedNode)
        and isinstance(quad.object, NamedNode)
    }
    both = sorted(pairs | {(second, first) for first, second in pairs})
    return {property_: [other for one, other in both if one == property_] for property_, _ in both}


def ranges(shapes: Iterable[Quad]) -> dict[str, dict[str, list[str]]]:
    """What values each property may have: `classes`, `datatypes` and `choices`, IRIs and the texts of literals."""
    found: dict[str, dict[str, list[str]]] = {}
    for row in asked(_store(shapes), "ranges"):
        found.setdefault(row["path"].value, {}).setdefault(row["kind"].value, []).append(row["value"].value)
    return found


def order(shapes: Iterable[Quad]) -> dict[str, float]:
    """The places of the classes among each other, by their IRIs; of those whose node shapes have an `sh:order`."""
    return {row["class"].value: float(row["order"].value) for row in asked(_store(shapes), "order")}


def as_json(
    fields: dict[str, list[dict[str, Any]]],
    inverse: dict[str, list[str]],
    values: Mapping[str, dict[str, list[str]]] = MappingProxyType({}),
    places: Mapping[str, float] = MappingProxyType({}),
) -> str:
    """The layout as it is stored in a release."""
    found = {"fields": fields, "inverses": inverse, "ranges": dict(values), "order": dict(places)}
    return json.dumps(found, ensure_ascii=False, indent=1, sort_keys=True)


def asked(store: Store, name: str) -> Iterator[Any]:
    """The rows of one of our queries over a store of shapes."""
    rows = store.query(files("tracktwo.release").joinpath("queries", f"{name}.rq").read_text(encoding="utf-8"))
    assert isinstance(rows, QuerySolutions)
    return iter(rows)


def _store(shapes: Iterable[Quad]) -> Store:
    store = Store()
    store.bulk_extend(in_graph(quad.triple) for quad in shapes)
    return store


def _add(field: dict[str, Any], row: Any) -> None:
    """What one row says more about a field."""
    for column, into in (("name", "names"), ("groupLabel", "group"), ("partLabel", "part_names")):
        literal = row[column]
        if isinstance(literal, Literal):
            field[into][literal.language or ""] = literal.value
    for column, into in (("order", "order"), ("groupOrder", "group_order")):
        literal = row[column]
        if isinstance(literal, Literal):
            field[into] = float(literal.value)
    if isinstance(row["part"], NamedNode):
        field["part"] = row["part"].value
    least, most = (int(row[name].value) if isinstance(row[name], Literal) else None for name in ("least", "most"))
    field["least"] = max(field["least"], least or 0)
    field["most"] = min((number for number in (field["most"], most) if number is not None), default=None)
    assert isinstance(row["class"], NamedNode)
