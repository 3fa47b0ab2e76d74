"""rdflib and a bare parser as outside clients: every IRI dereferences, in every format, to the same triples.

Nothing here imports the product: what the documents ought to say is worked out from the dump alone.
"""

import gzip
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from urllib.parse import quote

import pytest
import rdflib
import serving
from pyoxigraph import (
    BlankNode,
    CanonicalizationAlgorithm,
    Dataset,
    DefaultGraph,
    Literal,
    NamedNode,
    Quad,
    RdfFormat,
    Triple,
    parse,
)
from serving import N_QUADS, RDF_TYPES, Site, kind

own_site, foreign_site = serving.own_site, serving.foreign_site

Node = NamedNode | BlankNode
IN_DATASET = NamedNode("http://rdfs.org/ns/void#inDataset")
LANGUAGES = {"ttl": "turtle", "nt": "nt", "rdf": "xml", "jsonld": "json-ld"}  # rdflib's names of formats
GRAPH_FORMATS = ("trig", "nq")
ignore_rdflib = pytest.mark.filterwarnings(
    "ignore:ConjunctiveGraph is deprecated:DeprecationWarning"
)  # its own JSON-LD reader
_IN_HEADER = "%/:@!$&'()*+,;=~-._?#[]"


@dataclass
class Dump:
    """A site's dump, and what follows from it for each document."""

    site: Site
    quads: list[Quad]
    by_subject: dict[Node, list[Quad]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for quad in self.quads:
            assert isinstance(quad.subject, (NamedNode, BlankNode))
            self.by_subject.setdefault(quad.subject, []).append(quad)

    @cached_property
    def names(self) -> list[str]:
        """All subjects that have IRIs."""
        return sorted(subject.value for subject in self.by_subject if isinstance(subject, NamedNode))

    @cached_property
    def graphs(self) -> set[str]:
        return {quad.graph_name.value for quad in self.quads if isinstance(quad.graph_name, NamedNode)}

    @cached_property
    def roots(self) -> list[BlankNode]:
        """Blank nodes to which no IRI leads."""
        reached = set(self.reachable(subject for subject in self.by_subject if isinstance(subject, NamedNode)))
        return sorted(
            (node for node in self.by_subject if isinstance(node, BlankNode) and node not in reached), key=str
        )

    def reachable(self, subjects: Iterator[Node]) -> dict[Node, None]:
        """The subjects, and the blank nodes that they lead to."""
        seen = dict.fromkeys(subjects)
        waiting = list(seen)
        while waiting:
            for quad in self.by_subject.get(waiting.pop(), ()):
                if isinstance(quad.object, BlankNode) and quad.object not in seen:
                    seen[quad.object] = None
                    waiting.append(quad.object)
        return seen

    def about(self, subjects: Iterator[Node]) -> set[Quad]:
        """All statements about the subjects, blank nodes to any depth."""
        return {quad for node in self.reachable(subjects) for quad in self.by_subject.get(node, ())}


@dataclass(frozen=True)
class Document:
    """A document as a client met it: its IRI, its path, and the subjects whose IRIs led there."""

    iri: str
    path: str
    subjects: tuple[Node, ...]


@dataclass(frozen=True)
class World:
    """A site, its dump, and all the documents that its subjects' IRIs lead to."""

    site: Site
    dump: Dump
    documents: list[Document]
    seen: dict[str, list[Quad]] = field(default_factory=dict)

    def quads(self, document: Document) -> list[Quad]:
        """What the document says in N-Quads, asked once."""
        if document.path not in self.seen:
            self.seen[document.path] = parsed(read(self.site, document.path, "nq"), "nq")
        return self.seen[document.path]


@pytest.fixture(scope="module")
def own(own_site: Site) -> World:
    return explore(own_site)


@pytest.fixture(scope="module")
def foreign(foreign_site: Site) -> World:
    return explore(foreign_site)


@pytest.fixture(params=["own", "foreign"])
def world(request: pytest.FixtureRequest) -> World:
    found: World = request.getfixturevalue(request.param)
    return found


def explore(site: Site) -> World:
    """Dereference every subject of the dump, as a client that knows its IRI does."""
    dump = Dump(site, parsed(gzip.decompress(site.get("/dump/dataset.nq.gz").content), "nq"))
    met: dict[str, list[Node]] = {}
    for name in dump.names:
        met.setdefault(place_of(site, name), []).append(NamedNode(name))
    for graph in dump.graphs:
        met.setdefault(site.path(graph), [])
    documents = [Document(document_iri(site, path), path, tuple(nodes)) for path, nodes in sorted(met.items())]
    prefix = f"{site.base_iri}.well-known/genid/"
    documents += [Document(prefix + node.value, f"/.well-known/genid/{node.value}", (node,)) for node in dump.roots]
    return World(site, dump, documents)


def place_of(site: Site, iri: str) -> str:
    """The path at which the document about an IRI is answered, redirects followed."""
    path = site.path(iri)
    for _ in range(3):
        response = site.head(path, N_QUADS)
        if response.status_code == 200:
            return path
        assert response.status_code in (301, 303, 308), (iri, response.status_code)
        path = site.below(response.headers["location"])
    raise AssertionError(f"{iri} leads in circles")


def document_iri(site: Site, path: str) -> str:
    """The document's own IRI, which its header gives as a URI (RFC 3987 section 3.1)."""
    response = site.get(path, N_QUADS)
    found = re.findall(rf"^<([^>]*)> {IN_DATASET} ", response.text, re.MULTILINE)
    assert len(found) == 1
    assert [quote(found[0], safe=_IN_HEADER)] == [
        link.href for link in serving.links(response) if link.rel == "canonical"
    ]
    return str(found[0])


def parsed(content: bytes, suffix: str) -> list[Quad]:
    format_ = RdfFormat.from_media_type(RDF_TYPES[suffix])
    assert format_
    return list(parse(content, format=format_))


def read(site: Site, path: str, suffix: str) -> bytes:
    response = site.get(path, RDF_TYPES[suffix])
    assert (200, RDF_TYPES[suffix]) == (response.status_code, kind(response)), path
    return response.content


def canonical(statements: set[Quad] | set[Triple]) -> set[Quad]:
    """Blank nodes named by RDFC-1.0, so that equal sets mean isomorphic graphs."""
    dataset = Dataset(item if isinstance(item, Quad) else Quad(*item) for item in statements)
    dataset.canonicalize(CanonicalizationAlgorithm.RDFC_1_0)
    return set(dataset)


def expected(world: World, document: Document) -> set[Quad]:
    """What a document has to say, by the dump: all about its subjects, and the graph of its name."""
    quads = world.dump.about(iter(document.subjects))
    quads |= {quad for quad in world.dump.quads if quad.graph_name == NamedNode(document.iri)}
    first = document.subjects[0] if document.subjects else None
    if isinstance(first, BlankNode):
        quads = {renamed(quad, first, NamedNode(document.iri)) for quad in quads}
    return quads


def renamed(quad: Quad, node: Node, name: Node) -> Quad:
    subject = name if quad.subject == node else quad.subject
    return Quad(subject, quad.predicate, name if quad.object == node else quad.object, quad.graph_name)


def without_membership(quads: list[Quad], world: World) -> set[Quad]:
    """What named graphs say in a document; its default graph says all that again, and which dataset it is in.

    Clients that want triples read the default graph alone (VoID section 6.3 for the membership).
    """
    default = {quad for quad in quads if quad.graph_name == DefaultGraph()}
    member = {quad for quad in default if quad.predicate == IN_DATASET}
    assert [quad.object for quad in member] == [NamedNode(f"{world.site.base_iri}dataset")]
    named = set(quads) - default
    assert {quad.triple for quad in named} == {quad.triple for quad in default - member}
    return named


def test_the_publications_are_as_large_as_they_should_be(own: World, foreign: World) -> None:
    assert len(own.dump.names) > 600
    assert len(own.documents) > 320
    assert (len(foreign.dump.names), len(foreign.documents)) == (176, 132)
    assert len([document for document in foreign.documents if document.path.startswith("/describe")]) == 4
    assert len([document for document in foreign.documents if not document.subjects]) == 10  # graphs, and nothing else
    assert len([document for document in foreign.documents if "/genid/" in document.path]) == 1


def test_the_sitemap_lists_just_the_documents_under_the_base(world: World) -> None:
    urls = re.findall(r"<loc>(.*?)</loc>", world.site.get("/sitemap.xml").text)
    listed = {world.site.below(url.replace("&amp;", "&").replace("&#x27;", "'")) for url in urls}
    under = {d.path for d in world.documents if d.subjects and not d.path.startswith(("/describe", "/.well-known"))}
    assert len(under) > 100
    assert under == listed


def test_each_document_says_in_n_quads_what_the_dump_says(world: World) -> None:
    for document in world.documents:
        said = without_membership(world.quads(document), world)
        assert canonical(expected(world, document)) == canonical(said), document.path


def test_a_document_names_itself_as_part_of_the_dataset(world: World) -> None:
    for document in world.documents:
        said = [quad for quad in world.quads(document) if quad.predicate == IN_DATASET]
        assert [(f"<{document.iri}>", DefaultGraph())] == [(str(quad.subject), quad.graph_name) for quad in said], (
            document.path
        )


@pytest.mark.parametrize("suffix", [suffix for suffix in RDF_TYPES if suffix != "nq"])
def test_each_document_says_the_same_in_every_format(world: World, suffix: str) -> None:
    for document in world.documents:
        quads = parsed(read(world.site, document.path, suffix), suffix)
        wanted = world.quads(document)
        if suffix in GRAPH_FORMATS:
            assert canonical(set(wanted)) == canonical(set(quads)), document.path
        else:
            assert canonical({quad.triple for quad in wanted}) == canonical({quad.triple for quad in quads}), (
                document.path
            )


def test_all_documents_together_are_the_dump(world: World) -> None:
    """Blank nodes keep their labels within a release, so that the union needs no merging."""
    prefix = f"{world.site.base_iri}.well-known/genid/"
    union: set[Quad] = set()
    for document in world.documents:
        said = without_membership(world.quads(document), world)
        if document.iri.startswith(prefix):
            node = BlankNode(document.iri.removeprefix(prefix))
            said = {renamed(quad, NamedNode(document.iri), node) for quad in said}
        union |= said
    assert set(world.dump.quads) == union


@ignore_rdflib
@pytest.mark.parametrize("suffix", LANGUAGES)
def test_rdflib_reads_each_document_alike(world: World, suffix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rdflib, "NORMALIZE_LITERALS", False)
    for document in world.documents:
        graph = rdflib.Graph().parse(data=read(world.site, document.path, suffix), format=LANGUAGES[suffix])
        found = parsed(graph.serialize(format="nt", encoding="utf-8"), "nt")
        wanted = {quad.triple for quad in world.quads(document)}
        assert canonical({plain(triple) for triple in wanted}) == canonical({plain(q.triple) for q in found}), (
            document.path
        )


def plain(triple: Triple) -> Triple:
    """JSON literals compared by what they say: readers may write them anew (JSON-LD 1.1 section 10.2)."""
    value = triple.object
    if isinstance(value, Literal) and value.datatype.value.endswith("#JSON"):
        value = Literal(re.sub(r"\s", "", value.value), datatype=value.datatype)
    return Triple(triple.subject, triple.predicate, value)


@ignore_rdflib
def test_rdflib_follows_an_iri_by_itself(world: World) -> None:
    """Its own HTTP client, with its own Accept header, from a thing over 303 to the data."""
    things = [
        d for d in world.documents if d.subjects and isinstance(d.subjects[0], NamedNode) and "/describe" not in d.path
    ][::15]
    assert len(things) >= 8
    for document in things:
        first = document.subjects[0]
        url = world.site.url.rstrip("/") + world.site.path(first.value)
        for format_ in (None, "turtle", "xml", "json-ld", "nt"):
            graph = rdflib.Graph().parse(url, format=format_)
            assert len({quad.triple for quad in world.dump.about(iter(document.subjects))}) <= len(graph), (
                url,
                format_,
            )
            assert (rdflib.URIRef(first.value), None, None) in graph, (url, format_)


def test_every_format_of_the_dump_holds_the_same(world: World) -> None:
    for suffix in ("ttl", "nt", "trig", "nq", "jsonld"):
        content = gzip.decompress(world.site.get(f"/dump/dataset.{suffix}.gz").content)
        quads = set(parsed(content, suffix))
        if suffix in ("ttl", "nt"):
            assert canonical({quad.triple for quad in world.dump.quads}) == canonical(
                {quad.triple for quad in quads}
            ), suffix
        else:
            assert canonical(set(world.dump.quads)) == canonical(quads), suffix


def test_the_endpoint_holds_what_the_dump_holds(world: World) -> None:
    graphs = world.site.query("SELECT ?g (COUNT(*) AS ?n) { GRAPH ?g { ?s ?p ?o } } GROUP BY ?g", "text/csv").text
    counted = dict(line.rsplit(",", 1) for line in graphs.splitlines()[1:])
    wanted = Counter(quad.graph_name.value for quad in world.dump.quads if isinstance(quad.graph_name, NamedNode))
    assert {graph: str(count) for graph, count in wanted.items()} == counted
    merged = world.site.query("SELECT (COUNT(*) AS ?n) { ?s ?p ?o }", "text/csv").text.splitlines()[1]
    assert len({quad.triple for quad in world.dump.quads}) == int(merged)
