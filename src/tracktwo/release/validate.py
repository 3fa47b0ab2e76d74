"""Hold the data to its shapes with pySHACL, and tell each result so that a curator can act on it."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyshacl
import rdflib
from pyoxigraph import NamedNode, Quad, RdfFormat
from rdflib.namespace import SH

from tracktwo.errors import InputError
from tracktwo.publication import Publication
from tracktwo.release.load import Input
from tracktwo.terms import name_of, to_bytes

VIOLATION, WARNING, INFO = "Violation", "Warning", "Info"


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
    shapes = _rdflib(given.of("shapes"))
    targets = _targets(shapes)
    if not targets:
        raise InputError(f"{publication.folders['shapes']}: no shape has a target, so nothing would be validated")
    data = _rdflib([*given.of("ontology"), *given.of("data"), *inferred])
    try:
        _, graph, _ = pyshacl.validate(
            data, shacl_graph=shapes, inference="none", advanced=False, allow_warnings=False, inplace=True
        )
    except (
        pyshacl.errors.ShapeLoadError,
        pyshacl.errors.ConstraintLoadError,
        pyshacl.errors.ReportableRuntimeError,
    ) as error:
        raise InputError(f"{publication.folders['shapes']}: {error}") from error
    results = _results(graph, given, publication) if isinstance(graph, rdflib.Graph) else []
    return Report(results, graph.serialize(format="turtle") if isinstance(graph, rdflib.Graph) else "", targets)


def _rdflib(quads: Iterable[Quad]) -> rdflib.Graph:
    """PySHACL's kind of graph; literals keep their lexical form."""
    graph = rdflib.Graph()
    text = to_bytes({quad.triple for quad in quads}, RdfFormat.N_TRIPLES)
    normalize, rdflib.NORMALIZE_LITERALS = rdflib.NORMALIZE_LITERALS, False
    try:
        return graph.parse(data=text, format="nt")
    finally:
        rdflib.NORMALIZE_LITERALS = normalize


def _targets(shapes: rdflib.Graph) -> int:
    """How many shapes have a target of their own (SHACL section 2.1.3)."""
    predicates = (SH.targetClass, SH.targetNode, SH.targetSubjectsOf, SH.targetObjectsOf)
    explicit = {subject for predicate in predicates for subject in shapes.subjects(predicate)}
    implicit = {
        s for s in shapes.subjects(rdflib.RDF.type, SH.NodeShape) if (s, rdflib.RDF.type, rdflib.RDFS.Class) in shapes
    }
    return len(explicit | implicit)


def _results(graph: rdflib.Graph, given: Input, publication: Publication) -> list[Result]:
    places = _Places(given, publication)
    results = [_result(graph, node, places) for node in graph.objects(None, SH.result)]  # not the details inside
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


def _result(graph: rdflib.Graph, node: Any, places: "_Places") -> Result:
    focus = graph.value(node, SH.focusNode)
    path = graph.value(node, SH.resultPath)
    value = graph.value(node, SH.value)
    messages = {
        getattr(message, "language", None) or "": str(message) for message in graph.objects(node, SH.resultMessage)
    }
    file, line = places.of(str(focus), str(path) if isinstance(path, rdflib.URIRef) else "")
    return Result(
        severity=str(graph.value(node, SH.resultSeverity)).partition("#")[2],
        node=str(focus),
        path=_path_text(graph, path),
        value=value.n3() if value is not None else "",
        messages=messages,
        shape=str(graph.value(node, SH.sourceShape)),
        component=str(graph.value(node, SH.sourceConstraintComponent)).partition("#")[2],
        file=str(file) if file else "",
        line=line,
    )


def _path_text(graph: rdflib.Graph, path: Any) -> str:
    """A property path in SPARQL's notation, as far as it is an IRI or an inverse."""
    if path is None or isinstance(path, rdflib.URIRef):
        return str(path or "")
    inverse = graph.value(path, SH.inversePath)
    return f"^{inverse}" if inverse is not None else "(a property path)"


class _Places:
    """Finds the file and line that speak of a node."""

    def __init__(self, given: Input, publication: Publication) -> None:
        self._owner = given.owner
        self._prefixes = publication.prefixes
        self._graphs: dict[str, list[tuple[str, str]]] = {}
        for quad in given.quads:
            if isinstance(quad.subject, NamedNode):
                self._graphs.setdefault(quad.subject.value, []).append((quad.predicate.value, name_of(quad.graph_name)))

    def of(self, node: str, path: str) -> tuple[Path | None, int]:
        """(file, line) where the node is described, by preference with the property at fault."""
        graphs = self._graphs.get(node, [])
        if not graphs:
            return None, 0
        graph = next((graph for predicate, graph in graphs if predicate == path), graphs[0][1])
        file = self._owner[graph].path
        return file, _subject_line(file, node)


def _subject_line(file: Path, iri: str) -> int:
    """The line on which a Turtle file begins to speak of a subject, 1 where that can't be told."""
    text = file.read_text(encoding="utf-8", errors="replace")
    written = [f"<{iri}>"]
    for prefix, namespace in re.findall(r"@?prefix\s+([\w.-]*):\s*<([^>]*)>", text, re.IGNORECASE):
        if iri.startswith(namespace):
            written.append(f"{prefix}:{iri[len(namespace) :]}")
    lines = text.splitlines()
    starts = (
        number
        for number, line in enumerate(lines, start=1)
        if any(re.match(re.escape(form) + r"(\s|$)", line) for form in written)
    )
    return next(starts, 1)
