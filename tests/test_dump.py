"""Dumps: every format holds the same dataset, readers of others agree, and equal data gives equal bytes."""

import gzip
import hashlib
import itertools
import json
import random
import shutil
import subprocess
from pathlib import Path

import pytest
import rdflib
from conftest import Built
from hypothesis import given
from hypothesis import strategies as st
from pyoxigraph import (
    BlankNode,
    CanonicalizationAlgorithm,
    Dataset,
    DefaultGraph,
    Literal,
    NamedNode,
    Quad,
    RdfFormat,
    Store,
    Triple,
    parse,
    serialize,
)

from tracktwo.formats import JSON_LD, N_QUADS, N_TRIPLES, RDF_FORMATS, RDF_XML, TRIG, TURTLE, Format, named
from tracktwo.namespaces import RDF, RDFS
from tracktwo.release.dump import DUMPS, about, for_remote_store, select, write
from tracktwo.serialise import document, serialised
from tracktwo.terms import in_graph, name_of
from tracktwo.web.site import Site

EX = "http://example.org/"
PREFIXES = {"ex": EX, "rdfs": RDFS.iri}


def canonical(quads: list[Quad]) -> set[str]:
    """The quads with blank nodes by RDFC-1.0, to compare what two readers read."""
    dataset = Dataset(quads)
    dataset.canonicalize(CanonicalizationAlgorithm.RDFC_1_0)
    return {str(quad) for quad in dataset}


def given_quads(of: Built) -> list[Quad]:
    """What a release's store holds in named graphs."""
    return [quad for quad in Store.read_only(str(of.release.store)) if quad.graph_name != DefaultGraph()]


def merged(quads: list[Quad]) -> list[Quad]:
    return [in_graph(triple) for triple in {quad.triple for quad in quads}]


def content(of: Built, format_: Format) -> bytes:
    return gzip.decompress((of.release.dumps / f"dataset.{format_.suffix}.gz").read_bytes())


def with_graphs(format_: Format) -> bool:
    return format_ in (TRIG, N_QUADS, JSON_LD)


# --- the dumps of a release ------------------------------------------------------------------------------------------


def test_there_is_a_dump_in_five_formats_with_a_checksum_each(each: Built) -> None:
    assert 5 == len(DUMPS)
    names = [f"dataset.{format_.suffix}.gz" for format_ in DUMPS]
    assert {*names, *(f"{name}.sha256" for name in names)} == {path.name for path in each.release.dumps.iterdir()}
    assert names == [file["name"] for file in each.release.manifest["dumps"]]


@pytest.mark.parametrize("format_", DUMPS, ids=lambda format_: format_.name)
def test_every_dump_holds_the_whole_dataset(each: Built, format_: Format) -> None:
    expected = given_quads(each)
    assert len(expected) >= 900
    found = list(parse(content(each, format_), format=format_.rdf, rename_blank_nodes=True))
    assert canonical(expected if with_graphs(format_) else merged(expected)) == canonical(found)


@pytest.mark.filterwarnings(
    "ignore:.* is deprecated, use Dataset:DeprecationWarning"
)  # rdflib's own parsers and writers call them
@pytest.mark.parametrize("format_", DUMPS, ids=lambda format_: format_.name)
def test_another_reader_reads_the_same(each: Built, format_: Format, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rdflib, "NORMALIZE_LITERALS", False)
    name = {TURTLE: "turtle", N_TRIPLES: "nt", TRIG: "trig", N_QUADS: "nquads", JSON_LD: "json-ld"}[format_]
    graph = rdflib.Dataset() if with_graphs(format_) else rdflib.Graph()
    graph.parse(data=content(each, format_), format=name)
    lines = graph.serialize(format="nquads" if with_graphs(format_) else "nt")
    found = list(parse(lines, format=RdfFormat.N_QUADS, rename_blank_nodes=True))
    expected = given_quads(each)
    assert canonical(expected if with_graphs(format_) else merged(expected)) == canonical(found)


def test_lines_are_sorted_and_none_stands_twice(each: Built) -> None:
    triples = list(parse(content(each, N_TRIPLES), format=RdfFormat.N_TRIPLES))
    keys = [tuple(map(str, quad.triple)) for quad in triples]
    assert keys == sorted(set(keys))
    quads = [
        (str(quad.graph_name), *map(str, quad.triple))
        for quad in parse(content(each, N_QUADS), format=RdfFormat.N_QUADS)
    ]
    assert quads == sorted(set(quads))


def test_each_subject_of_a_pretty_dump_has_one_block(own: Built) -> None:
    subjects = [
        quad.subject
        for quad in parse(content(own, TURTLE), format=RdfFormat.TURTLE)
        if isinstance(quad.subject, NamedNode)
    ]
    blocks = [subject for subject, _ in itertools.groupby(subjects)]
    assert len(blocks) >= 300
    assert len(blocks) == len(set(blocks))


def test_only_prefixes_in_use_are_declared(each: Built) -> None:
    for format_ in (TURTLE, TRIG):
        text = content(each, format_).decode()
        declared = [line.split()[1] for line in text.splitlines() if line.lower().startswith(("@prefix", "prefix"))]
        assert len(declared) >= 5
        assert len(declared) == len(set(declared))
        body = "\n".join(line for line in text.splitlines() if not line.lower().startswith(("@prefix", "prefix")))
        assert [] == [prefix for prefix in declared if prefix not in body and prefix != "xsd:"]


def test_checksums_hold(each: Built) -> None:
    for file in each.release.manifest["dumps"]:
        path = each.release.dumps / file["name"]
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        assert (digest, path.stat().st_size) == (file["sha256"], file["size"])
        assert f"{digest}  {path.name}\n" == Path(f"{path}.sha256").read_text(encoding="ascii")


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="no sha256sum on this machine")
def test_sha256sum_checks_the_checksums(foreign: Built) -> None:
    names = sorted(path.name for path in foreign.release.dumps.glob("*.sha256"))
    assert 5 == len(names)
    subprocess.run(
        ["sha256sum", "--check", "--strict", *names], cwd=foreign.release.dumps, check=True, capture_output=True
    )


def test_nothing_of_the_machine_or_the_hour_is_in_a_dump(each: Built) -> None:
    for format_ in DUMPS:
        head = (each.release.dumps / f"dataset.{format_.suffix}.gz").read_bytes()[:10]
        assert b"\x1f\x8b\x08\x00\x00\x00\x00\x00" == head[:8]  # no file name, no time (RFC 1952 section 2.3)
        assert str(each.publication.root).encode() not in content(each, format_)


# --- equal sets, equal bytes -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("pretty", [True, False])
@pytest.mark.parametrize("format_", RDF_FORMATS, ids=lambda format_: format_.name)
def test_order_changes_no_byte(foreign: Built, format_: Format, pretty: bool) -> None:
    quads = given_quads(foreign)
    first = serialised(format_, quads, foreign.publication.prefixes, pretty=pretty)
    for seed in range(3):
        shuffled = quads * 2
        random.Random(seed).shuffle(shuffled)
        assert first == serialised(format_, shuffled, foreign.publication.prefixes, pretty=pretty)


def test_the_same_quads_are_written_to_the_same_files(foreign: Built, tmp_path: Path) -> None:
    quads = given_quads(foreign)
    for name in ("one", "two"):
        write(tmp_path / name, quads, foreign.publication.prefixes, 10_000)
    assert {path.name: path.read_bytes() for path in (tmp_path / "one").iterdir()} == {
        path.name: path.read_bytes() for path in (tmp_path / "two").iterdir()
    }


NODES = st.one_of(
    st.sampled_from([NamedNode(EX + name) for name in ("a", "b", "λ", "x%20y", "d#e", "f?g=h&i")]),
    st.sampled_from([BlankNode("b0"), BlankNode("b1")]),
)
#: What XML 1.0 can hold: an RDF/XML document has no place for other characters.
TEXTS = st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc", "Cn"], include_characters="\t\n\r"))
LITERALS = st.one_of(
    TEXTS.map(Literal),
    st.tuples(TEXTS, st.sampled_from(["en", "zh-hant-tw", "x-klingon"])).map(
        lambda pair: Literal(pair[0], language=pair[1])
    ),
    st.tuples(TEXTS, st.sampled_from(["xsd:integer", "urn:type"])).map(
        lambda pair: Literal(pair[0], datatype=NamedNode(pair[1]))
    ),
    st.integers().map(Literal),
)
TRIPLES = st.tuples(
    NODES, st.sampled_from([NamedNode(EX + "p"), RDF.type, RDFS.label]), st.one_of(NODES, LITERALS)
).map(lambda terms: Triple(*terms))
QUADS = st.lists(
    st.tuples(TRIPLES, st.sampled_from([NamedNode(EX + "g"), NamedNode(EX + "h")])).map(lambda pair: in_graph(*pair)),
    min_size=1,
    max_size=8,
)


@given(QUADS, st.sampled_from(RDF_FORMATS), st.booleans())
def test_what_is_written_reads_back_the_same(quads: list[Quad], format_: Format, pretty: bool) -> None:
    found = list(parse(serialised(format_, quads, PREFIXES, pretty=pretty), format=format_.rdf))
    assert canonical(quads if with_graphs(format_) else merged(quads)) == canonical(found)


# --- documents -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("format_", RDF_FORMATS, ids=lambda format_: format_.name)
def test_every_document_reads_back_the_same_in_every_format(each_opened: Site, format_: Format) -> None:
    catalog, describer = each_opened.catalog, each_opened.describer
    documents = catalog.documents(0, 10_000)
    assert len(documents) >= 60
    for iri in documents[:: max(1, len(documents) // 80)]:
        quads = describer.document(iri)
        found = list(
            parse(
                document(format_, quads, each_opened.publication.prefixes), format=format_.rdf, rename_blank_nodes=True
            )
        )
        expected = [*merged(quads), *quads] if format_ in (TRIG, N_QUADS) else merged(quads)  # who says what, besides
        assert canonical(expected) == canonical(found), iri


def test_a_json_ld_document_is_one_graph(foreign_opened: Site) -> None:
    quads = foreign_opened.describer.document("https://data.pharos.example/islands")
    found = json.loads(document(JSON_LD, quads, foreign_opened.publication.prefixes))
    assert "@graph" in found or "@id" in found or isinstance(found, list)
    assert {DefaultGraph()} == {quad.graph_name for quad in parse(json.dumps(found), format=RdfFormat.JSON_LD)}


def test_a_carriage_return_survives_rdf_xml() -> None:
    quads = [Quad(NamedNode(EX + "a"), NamedNode(EX + "p"), Literal("one\r\ntwo\rthree\n\tfour"), NamedNode(EX + "g"))]
    graph = rdflib.Graph().parse(data=serialised(RDF_XML, quads, PREFIXES), format="xml")
    assert ["one\r\ntwo\rthree\n\tfour"] == [str(value) for value in graph.objects()]


# --- slices ----------------------------------------------------------------------------------------------------------


def test_a_slice_by_graph_holds_that_graph(each: Built) -> None:
    quads = given_quads(each)
    graphs = sorted({name_of(quad.graph_name) for quad in quads})
    assert set(quads) == set(select(each.release.store, [], []))
    for graph in graphs:
        assert {quad for quad in quads if quad.graph_name == NamedNode(graph)} == set(
            select(each.release.store, [graph], [])
        )
    assert {quad for quad in quads if name_of(quad.graph_name) in graphs[:2]} == set(
        select(each.release.store, graphs[:2], [])
    )


def test_a_slice_by_class_is_about_its_members(foreign: Built) -> None:
    class_ = "https://data.pharos.example/vocab#ServedIsland"  # derived only
    found = select(foreign.release.store, [], [class_])
    assert {"Σύρος", "Πάρος"} == {name_of(quad.subject).partition("#")[2] for quad in found}
    assert set(found) == set(select(foreign.release.store, [], [class_, class_]))
    inferred = select(foreign.release.store, [foreign.publication.inferred_graph], [class_])
    assert inferred
    assert {NamedNode(foreign.publication.inferred_graph)} == {quad.graph_name for quad in inferred}


def test_what_is_said_about_one_iri_includes_its_nodes_to_any_depth(foreign: Built) -> None:
    found = about(foreign.release.store, "https://data.pharos.example/thing/ship/nested")
    assert 6 == len(
        {
            quad.object
            for quad in found
            if quad.predicate == RDFS.label and not (isinstance(quad.object, Literal) and quad.object.language)
        }
    )
    assert 2 == len(
        {
            quad.subject
            for quad in about(foreign.release.store, "https://data.pharos.example/thing/ship/cycle")
            if isinstance(quad.subject, BlankNode)
        }
    )
    assert [] == about(foreign.release.store, "https://data.pharos.example/thing/nothing")


def test_a_remote_store_gets_the_merge_as_a_graph_and_iris_for_blank_nodes(foreign: Built) -> None:
    quads = given_quads(foreign)
    found = for_remote_store(quads, foreign.publication)
    merge = NamedNode(foreign.publication.merged_graph)
    assert (
        963
        == len({quad.triple for quad in found if quad.graph_name == merge})
        == sum(1 for quad in found if quad.graph_name == merge)
    )
    assert len(quads) == sum(1 for quad in found if quad.graph_name != merge)
    assert not any(
        isinstance(term, BlankNode) for quad in found for term in (quad.subject, quad.object, quad.graph_name)
    )
    nodes = {
        name_of(term)
        for quad in found
        for term in (quad.subject, quad.object)
        if name_of(term).startswith(foreign.publication.skolem_prefix)
    }
    assert (
        len({term for quad in quads for term in (quad.subject, quad.object) if isinstance(term, BlankNode)})
        == len(nodes)
        >= 20
    )
    text = serialize(found, format=RdfFormat.N_QUADS)
    assert text is not None
    assert len(found) == len(text.splitlines())


def test_every_dump_format_has_a_name() -> None:
    assert list(DUMPS) == [named(format_.name, RDF_FORMATS) for format_ in DUMPS]
