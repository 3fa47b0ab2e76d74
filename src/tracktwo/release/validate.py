"""Hold the data to its shapes with pySHACL, and tell each result so that a curator can act on it."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import pyshacl
import rdflib
from pyoxigraph import BlankNode, Literal, NamedNode, Quad
from rdflib.namespace import SH
from rdflib.plugins.sparql import prepareQuery
from rdflib.plugins.sparql.sparql import Query

from tracktwo.errors import InputError
from tracktwo.namespaces import DCTERMS, RDF, SD, XSD
from tracktwo.publication import Publication
from tracktwo.release import places
from tracktwo.release.load import Input
from tracktwo.terms import Term, name_of

VIOLATION, WARNING, INFO = "Violation", "Warning", "Info"

#: What shapes say to pages only (SHACL section 2.3.2). PySHACL would try each one on every node as a constraint.
_NOT_VALIDATING = frozenset(NamedNode(SH[name]) for name in ("defaultValue", "description", "group", "name", "order"))


@dataclass(frozen=True)
class Result:
    """One validation result (SHACL section 3.6.2): what failed where, and which file and line speak of the node."""

    severity: str
    node: str
    path: str
    value: str
    messages: Mapping[str, str]
    shape: str
    component: str
    file: str
    line: int

    @property
    def message(self) -> str:
        """The English message, else any."""
        return self.messages.get("en") or self.messages.get("") or next(iter(self.messages.values()), "")

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}: " if self.file else ""
        path = f"  path   {self.path}\n" if self.path else ""
        value = f"  value  {self.value}\n" if self.value else ""
        return (
            f"{where}{self.severity.lower()}: {self.message}\n  node   {self.node}\n{path}{value}  shape  {self.shape}"
        )


@dataclass(frozen=True)
class Report:
    """All results, violations first, and the report graph as Turtle."""

    results: Sequence[Result]
    turtle: str
    shapes: int

    def of(self, severity: str) -> list[Result]:
        """The results with this severity."""
        return [result for result in self.results if result.severity == severity]

    @property
    def conforms(self) -> bool:
        """No violation; warnings and infos do not stop a release."""
        return not self.of(VIOLATION)

    @property
    def summary(self) -> str:
        """One line: how many results of each severity, over how many shapes."""
        counts = ", ".join(f"{len(self.of(severity))} {severity.lower()}s" for severity in (VIOLATION, WARNING, INFO))
        return f"{counts} from {self.shapes} shapes"


def validate(publication: Publication, given: Input, inferred: Iterable[Quad]) -> Report:
    """Validate ontology, data and inferred statements together against all shapes.

    Raises `InputError` where the shapes hold no target, since a check that looks at nothing is none, or where
    pySHACL rejects the shapes themselves.
    """
    shapes = _rdflib(quad for quad in given.of("shapes") if quad.predicate not in _NOT_VALIDATING)
    targets = _targets(shapes)
    if not targets:
        raise InputError(f"{publication.folders['shapes']}: no shape has a target, so nothing would be validated")
    data = _rdflib([*given.of("ontology"), *given.of("data"), *_context(publication, given), *inferred])
    try:
        _, graph, _ = pyshacl.validate(
            data, shacl_graph=shapes, inference="none", advanced=False, allow_warnings=False, inplace=True
        )
    except (
        pyshacl.errors.ShapeLoadError,
        pyshacl.errors.ConstraintLoadError,
        pyshacl.errors.ReportableRuntimeError,
        re.error,  # pySHACL leaves a pattern that is none to the regular expressions
    ) as error:
        raise InputError(f"{publication.folders['shapes']}: {error}") from error
    results = _results(graph, shapes, given) if isinstance(graph, rdflib.Graph) else []
    return Report(results, graph.serialize(format="turtle") if isinstance(graph, rdflib.Graph) else "", targets)


def _context(publication: Publication, given: Input) -> Iterator[Quad]:
    """What shapes cannot see in one merged graph, for them to ask about.

    Each graph of the data is a `sd:NamedGraph`; each IRI of the publication's things that nothing is said about
    `dcterms:isReferencedBy` those that speak of it.
    """
    things = tuple(publication.base_iri + path for path in publication.documents)
    described = {quad.subject for quad in given.quads}
    for name in dict.fromkeys(quad.graph_name for quad in given.of("data")):
        if isinstance(name, NamedNode):
            yield Quad(name, RDF.type, SD.NamedGraph, name)
    for quad in given.of("data"):
        if isinstance(quad.object, NamedNode) and quad.object not in described and quad.object.value.startswith(things):
            yield Quad(quad.object, DCTERMS.isReferencedBy, quad.subject, quad.graph_name)


class _Graph(rdflib.Graph):
    """A graph that parses each query once: pySHACL asks the same text for every node that a rule looks at."""

    def query(self, query_object: Any, *given: Any, **named: Any) -> rdflib.query.Result:
        prepared = _prepared(query_object) if isinstance(query_object, str) else query_object
        return super().query(prepared, *given, **named)


@lru_cache
def _prepared(text: str) -> Query:
    return prepareQuery(text)


def _rdflib(quads: Iterable[Quad]) -> rdflib.Graph:
    """PySHACL's kind of graph; blank nodes keep their labels, and literals their lexical form."""
    graph = _Graph()
    terms: dict[Term, Any] = {}
    for triple in {quad.triple for quad in quads}:
        for term in (triple.subject, triple.object):
            if term not in terms:
                terms[term] = _rdflib_term(term)
        graph.add((terms[triple.subject], rdflib.URIRef(triple.predicate.value), terms[triple.object]))
    return graph


def _rdflib_term(term: Term) -> Any:
    if isinstance(term, NamedNode):
        return rdflib.URIRef(term.value)
    if isinstance(term, BlankNode):
        return rdflib.BNode(term.value)
    assert isinstance(term, Literal), "RDF 1.1 has no other terms"
    if term.language:
        return rdflib.Literal(term.value, lang=term.language)
    datatype = None if term.datatype == XSD.string else rdflib.URIRef(term.datatype.value)
    return rdflib.Literal(term.value, datatype=datatype, normalize=False)


def _targets(shapes: rdflib.Graph) -> int:
    """How many shapes have a target of their own (SHACL section 2.1.3)."""
    predicates = (SH.targetClass, SH.targetNode, SH.targetSubjectsOf, SH.targetObjectsOf)
    explicit = {subject for predicate in predicates for subject in shapes.subjects(predicate)}
    implicit = {
        s for s in shapes.subjects(rdflib.RDF.type, SH.NodeShape) if (s, rdflib.RDF.type, rdflib.RDFS.Class) in shapes
    }
    deactivated = {shape for shape, value in shapes.subject_objects(SH.deactivated) if str(value) == "true"}
    return len((explicit | implicit) - deactivated)


def _results(graph: rdflib.Graph, shapes: rdflib.Graph, given: Input) -> list[Result]:
    places = _Places(given)
    results = [
        _result(graph, node, shapes, places) for node in graph.objects(None, SH.result)
    ]  # not the details inside
    order = (VIOLATION, WARNING, INFO)
    return sorted(
        results,
        key=lambda result: (
            order.index(result.severity) if result.severity in order else 3,
            result.node,
            result.path,
            result.value,
            result.shape,
        ),
    )


def _result(graph: rdflib.Graph, node: Any, shapes: rdflib.Graph, places: "_Places") -> Result:
    focus = graph.value(node, SH.focusNode)
    path = graph.value(node, SH.resultPath)
    value = graph.value(node, SH.value)
    file, line = places.of(str(focus), str(path) if isinstance(path, rdflib.URIRef) else "")
    return Result(
        severity=str(graph.value(node, SH.resultSeverity)).partition("#")[2],
        node=str(focus),
        path=_path_text(graph, path),
        value=value.n3() if value is not None else "",
        messages=_messages(graph, node, shapes),
        shape=str(graph.value(node, SH.sourceShape)),
        component=str(graph.value(node, SH.sourceConstraintComponent)).partition("#")[2],
        file=str(file) if file else "",
        line=line,
    )


def _messages(graph: rdflib.Graph, node: Any, shapes: rdflib.Graph) -> dict[str, str]:
    """The messages of a result, by language.

    Of a constraint in SPARQL pySHACL passes on one message, now this one and now that, and drops the language, so the
    constraint is asked; a message with variables in it is left to pySHACL, which knows their values.
    """
    constraint = graph.value(node, SH.sourceConstraint)
    stated = [*shapes.objects(constraint, SH.message), *graph.objects(constraint, SH.message)] if constraint else []
    told = graph.objects(node, SH.resultMessage) if not stated or any("{" in str(text) for text in stated) else stated
    return dict(sorted((getattr(text, "language", None) or "", str(text)) for text in told))


def _path_text(graph: rdflib.Graph, path: Any) -> str:
    """A property path in SPARQL's notation, as far as it is an IRI or an inverse."""
    if path is None or isinstance(path, rdflib.URIRef):
        return str(path or "")
    inverse = graph.value(path, SH.inversePath)
    return f"^{inverse}" if inverse is not None else "(a property path)"


class _Places:
    """Finds the file and line that speak of a node."""

    def __init__(self, given: Input) -> None:
        self._owner = given.owner
        self._graphs: dict[str, list[tuple[str, str]]] = {}
        self._referrers: dict[str, tuple[str, str]] = {}
        for quad in given.quads:
            name = quad.subject.value if isinstance(quad.subject, (NamedNode, BlankNode)) else ""
            self._graphs.setdefault(name, []).append((quad.predicate.value, name_of(quad.graph_name)))
            if isinstance(quad.object, NamedNode):
                self._referrers.setdefault(quad.object.value, (name, quad.predicate.value))

    def of(self, node: str, path: str) -> tuple[Path | None, int]:
        """(file, line) where the node is described, by preference with the property at fault.

        A graph is its file; of what is not described, the place is where something links to it.
        """
        graphs = self._graphs.get(node, [])
        if node in self._owner and not graphs:
            return self._owner[node].path, 1
        if not graphs:
            return self.of(*self._referrers[node]) if node in self._referrers else (None, 0)
        graph = next((graph for predicate, graph in graphs if predicate == path), graphs[0][1])
        file = self._owner[graph].path
        return file, places.subject_line(file, node)
