"""Small conversions of RDF terms, which pyoxigraph leaves to its users."""

from collections.abc import Callable, Sequence
from typing import Any

from pyoxigraph import BlankNode, DefaultGraph, Literal, NamedNode, Quad, RdfFormat, Triple, serialize

from tracktwo.namespaces import OWL, RDF

Node = NamedNode | BlankNode
Term = NamedNode | BlankNode | Literal | Triple


def name_of(term: Term | DefaultGraph) -> str:
    """A node as text: its IRI, or `_:` and the label of a blank one."""
    return term.value if isinstance(term, NamedNode) else str(term)


def node_of(name: str) -> Node:
    """The node that `name_of` calls so."""
    return BlankNode(name[2:]) if name.startswith("_:") else NamedNode(name)


def graph_of(quad: Quad) -> str:
    """The IRI of the quad's graph, empty for the default graph."""
    return quad.graph_name.value if isinstance(quad.graph_name, NamedNode) else ""


def in_graph(triple: Triple, graph: Node | DefaultGraph | None = None) -> Quad:
    """The triple as a quad of a graph, by default the default graph."""
    return Quad(triple.subject, triple.predicate, triple.object, graph or DefaultGraph())


def skolem(term: Any, prefix: str) -> Any:
    """A blank node as the IRI that stands for it, any other term as it is."""
    return NamedNode(prefix + term.value) if isinstance(term, BlankNode) else term


def links_out(triple: Triple, base_iri: str) -> bool:
    """Is it an `owl:sameAs` that links a thing of the publication to one of another dataset?"""
    return triple.predicate == OWL.sameAs and not all(
        isinstance(term, NamedNode) and term.value.startswith(base_iri) for term in (triple.subject, triple.object)
    )


def list_items(cell: Any, parts: Callable[[Any], tuple[Sequence[Any], Sequence[Any]]]) -> list[Any]:
    """The items of an RDF list (RDF Schema section 5.2), none where it is not well-formed or comes back to itself.

    `parts` gives the objects of a cell's `rdf:first`, and those of its `rdf:rest`.
    """
    items: list[Any] = []
    seen = set()
    while cell != RDF.nil:
        if isinstance(cell, (Literal, Triple)) or cell in seen:
            return []
        first, rest = parts(cell)
        if len(first) != 1 or len(rest) != 1:
            return []
        seen.add(cell)
        items += first
        cell = rest[0]
    return items


def to_bytes(statements: object, rdf: RdfFormat, prefixes: dict[str, str] | None = None) -> bytes:
    """Triples or quads serialised in memory."""
    content = serialize(statements, format=rdf, prefixes=prefixes)  # type: ignore[arg-type]  # any iterable of either
    assert content is not None, "serialize gives bytes when it is given no output"
    return content
