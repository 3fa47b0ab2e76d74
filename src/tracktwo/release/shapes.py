"""Shapes as tables: for each node shape a row per path, with how many values of what kind it asks for."""

from collections.abc import Iterable, Iterator
from typing import Any

from pyoxigraph import BlankNode, Literal, NamedNode

from tracktwo.namespaces import RDF, RDFS, SH
from tracktwo.release.phrases import Phrase, Phrases, in_order, joined
from tracktwo.terms import Node, name_of

_LAST = 1000.0  # where a shape without a group or order stands
_ROWS = 200  # of one table
_TYPES = (SH["class"], SH.datatype, SH.node, SH["in"])
#: What a row tells in columns of its own, or what only lays it out.
_TOLD = (
    *(RDF.type, RDFS.label, RDFS.comment, RDFS.isDefinedBy, *_TYPES),
    *(SH[name] for name in ("path", "name", "description", "order", "group", "severity", "message", "property")),
    *(SH[name] for name in ("minCount", "maxCount", "nodeKind", "or", "targetClass", "defaultValue", "deactivated")),
    *(SH[name] for name in ("targetSubjectsOf", "targetObjectsOf", "targetNode")),
)


def tables(phrases: Phrases) -> dict[str, dict[str, Any]]:
    """The table of each node shape, by the shape's name.

    A table has `rows` and the `conditions` on the node itself. A row has `path` (a phrase), `property` and `inverse`
    where the path is one property, `names` by language, `types` (phrases), `classes` (IRIs), `min` and `max` with
    `wished_min` and `wished_max` where only a warning asks for them, and `conditions`: `shape`, `severity`,
    `messages` by language, and a `phrase` of what else is asked.
    """
    return {name_of(shape): _table(phrases, shape) for shape in node_shapes(phrases)}


def node_shapes(phrases: Phrases) -> list[Node]:
    """The shapes of nodes that have a target or a type (SHACL section 2.2), in order."""
    targets = (SH.targetClass, SH.targetNode, SH.targetSubjectsOf, SH.targetObjectsOf)
    return in_order(
        node
        for node in phrases.subjects()
        if SH.path not in (said := phrases.of(node))
        and (SH.NodeShape in said.get(RDF.type, []) or any(target in said for target in targets))
    )


def targets(phrases: Phrases, shape: Node) -> list[str]:
    """The classes that a node shape is about (SHACL sections 2.1.3.2 and 2.1.3.3)."""
    said = phrases.of(shape)
    own = [shape] if RDFS.Class in said.get(RDF.type, []) else []
    return [target.value for target in [*own, *said.get(SH.targetClass, [])] if isinstance(target, NamedNode)]


def property_shapes(phrases: Phrases, shape: Node) -> list[Node]:
    """The property shapes that a node shape names itself or by `sh:node` and `sh:and`, each once."""
    found: dict[Node, None] = {}
    seen: set[Node] = set()
    wanted = [shape]
    while wanted:
        node = wanted.pop()
        if node in seen:
            continue
        seen.add(node)
        said = phrases.of(node)
        found |= dict.fromkeys(item for item in said.get(SH.property, []) if SH.path in phrases.of(item))
        wanted += [other for other in said.get(SH.node, []) if isinstance(other, (NamedNode, BlankNode))]
        wanted += [other for cell in said.get(SH["and"], []) for other in phrases.items(cell)]
    return list(found)


def row(phrases: Phrases, shape: Node) -> dict[str, Any]:
    """The row that one property shape makes for itself."""
    made = _row(phrases, shape, phrases.path(phrases.of(shape)[SH.path][0]))
    _tighten(made, phrases, shape)
    return made


def texts(values: Iterable[Any]) -> dict[str, str]:
    """Literals by language, the first in order where there are several."""
    literals = sorted((value for value in values if isinstance(value, Literal)), key=lambda value: value.value)
    return {literal.language or "": literal.value for literal in reversed(literals)}


def _table(phrases: Phrases, shape: Node) -> dict[str, Any]:
    rows: dict[str, dict[str, Any]] = {}
    for part in sorted(property_shapes(phrases, shape), key=lambda part: (_place(phrases, part), name_of(part))):
        path = phrases.path(phrases.of(part)[SH.path][0])
        row = rows.setdefault(str(path), _row(phrases, part, path))
        _tighten(row, phrases, part)
    own = [_condition(phrases, shape)] if _asks(phrases, shape) else []
    return {"rows": list(rows.values())[:_ROWS], "conditions": own}


def _place(phrases: Phrases, shape: Node) -> tuple[float, float]:
    """(order of its group, or of the group that this is a part of, its own order)."""
    said = phrases.of(shape)
    own_groups = said.get(SH.group, [])
    wider = [outer for group in own_groups for outer in phrases.of(group).get(SH.group, [])]
    groups = [_number(phrases.of(group).get(SH.order, [])) for group in (*own_groups, *wider)]
    own = _number(said.get(SH.order, []))
    return min((group for group in groups if group is not None), default=_LAST), _LAST if own is None else own


def _row(phrases: Phrases, shape: Node, path: Phrase) -> dict[str, Any]:
    said = phrases.of(shape)
    step = said[SH.path][0]
    inverse = phrases.of(step).get(SH.inversePath, []) if isinstance(step, BlankNode) else []
    named = inverse[0] if inverse else step
    return {
        "path": path,
        "property": named.value if isinstance(named, NamedNode) else "",
        "inverse": bool(inverse),
        "names": texts(said.get(SH.name, [])),
        "types": [],
        "classes": [],
        "conditions": [],
    }


def _tighten(row: dict[str, Any], phrases: Phrases, shape: Node) -> None:
    """Add to a row what one of its shapes asks for."""
    said = phrases.of(shape)
    wished = "" if _severity(said) == "Violation" else "wished_"
    least, most = _number(said.get(SH.minCount, [])), _number(said.get(SH.maxCount, []))
    if least is not None:
        row[wished + "min"] = max(int(least), row.get(wished + "min", 0))
    if most is not None:
        row[wished + "max"] = min(int(most), row.get(wished + "max", int(most)))
    row["types"] += [phrase for phrase in _types(phrases, said) if phrase not in row["types"]]
    row["classes"] += [iri for iri in dict.fromkeys(_classes(phrases, shape, 0)) if iri not in row["classes"]]
    if _asks(phrases, shape):
        row["conditions"].append(_condition(phrases, shape))


def _types(phrases: Phrases, said: dict[NamedNode, list[Any]]) -> Iterator[Phrase]:
    """What kind of value: its class, datatype or shape, else whether it is a name or a literal."""
    found = 0
    for property_ in _TYPES:
        for value in said.get(property_, []):
            found += 1
            yield phrases.term(value) if property_ != SH["in"] else phrases.choices(value)
    for cell in said.get(SH["or"], []):
        found += 1
        yield joined([phrases.term(item) for item in phrases.items(cell)], "word", "or")
    if not found:
        yield from (phrases.term(value) for value in said.get(SH.nodeKind, []))


def _classes(phrases: Phrases, shape: Any, level: int) -> Iterator[str]:
    """The classes that a value may have, those of nested shapes among them."""
    if level > 4 or not isinstance(shape, (NamedNode, BlankNode)):
        return
    said = phrases.of(shape)
    yield from (value.value for value in said.get(SH["class"], []) if isinstance(value, NamedNode))
    nested = [*said.get(SH.node, []), *(item for cell in said.get(SH["or"], []) for item in phrases.items(cell))]
    for inner in nested:
        yield from _classes(phrases, inner, level + 1)


def _asks(phrases: Phrases, shape: Node) -> bool:
    """Is there anything to say besides what the columns tell?"""
    said = phrases.of(shape)
    return SH.message in said or any(property_ not in _TOLD and property_ in SH for property_ in said)


def _condition(phrases: Phrases, shape: Node) -> dict[str, Any]:
    said = phrases.of(shape)
    nested = [text for inner in said.get(SH.sparql, []) for text in phrases.of(inner).get(SH.message, [])]
    parts = [
        [["iri", property_.value], *([] if property_ == SH.sparql else phrases.term(value))]
        for property_, values in sorted(said.items(), key=lambda item: item[0].value)
        if property_ in SH and property_ not in _TOLD
        for value in values
    ]
    return {
        "shape": name_of(shape),
        "severity": _severity(said),
        "messages": texts([*said.get(SH.message, []), *nested]),
        "phrase": joined(parts, "sign", ";"),
    }


def _severity(said: dict[NamedNode, list[Any]]) -> str:
    """`Violation`, `Warning`, `Info`, or what else a publication calls it."""
    stated = [value.value for value in said.get(SH.severity, []) if isinstance(value, NamedNode)]
    return stated[0].removeprefix(SH.iri) if stated else "Violation"


def _number(values: Iterable[Any]) -> float | None:
    for value in values:
        try:
            return float(value.value)
        except (AttributeError, ValueError):
            continue
    return None
