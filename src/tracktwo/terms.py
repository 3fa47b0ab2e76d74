"""Small conversions of RDF terms, which pyoxigraph leaves to its users."""

from pyoxigraph import BlankNode, DefaultGraph, Literal, NamedNode, Quad, RdfFormat, Triple, serialize

from tracktwo.namespaces import OWL

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


def links_out(triple: Triple, base_iri: str) -> bool:
    """Is it an `owl:sameAs` that links a thing of the publication to one of another dataset?"""
    return triple.predicate == OWL.sameAs and not all(
        isinstance(term, NamedNode) and term.value.startswith(base_iri) for term in (triple.subject, triple.object)
    )


def to_bytes(statements: object, rdf: RdfFormat, prefixes: dict[str, str] | None = None) -> bytes:
    """Triples or quads serialised in memory."""
    content = serialize(statements, format=rdf, prefixes=prefixes)  # type: ignore[arg-type]  # any iterable of either
    assert content is not None, "serialize gives bytes when it is given no output"
    return content
