"""Reading the folders: errors have file, line and column; each file is a graph; nothing changes silently."""

import random
import re
from pathlib import Path

import pytest
from conftest import DATA, EX, FOREIGN, ONTOLOGY, PREFIXES, SHAPES, Built, write_publication
from pyoxigraph import BlankNode, Literal, NamedNode, Quad, Store

from tracktwo import publication as publications
from tracktwo.errors import InputError, TracktwoError
from tracktwo.release.load import Input, fingerprint, read

RDF_XML = """\
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:ex="http://example.org/">
  <rdf:Description rdf:about="http://example.org/two"><ex:says xml:lang="EN-gb">two</ex:says></rdf:Description>
</rdf:RDF>
"""


def given(root: Path, files: dict[str, str]) -> Input:
    return read(write_publication(root, files))


def refused(root: Path, files: dict[str, str]) -> InputError:
    with pytest.raises(InputError) as caught:
        given(root, files)
    return caught.value


def graphs(found: Input) -> dict[str, tuple[str, ...]]:
    """The graphs of each file, both without what they begin with."""
    return {file.path.name: tuple(graph.removeprefix(EX) for graph in file.graphs) for file in found.files}


# --- syntax errors ---------------------------------------------------------------------------------------------------


def test_a_syntax_error_is_told_by_file_line_and_column_with_the_line_itself(tmp_path: Path) -> None:
    error = refused(tmp_path, {"data/broken.ttl": DATA + 'ex:two ex:says "unclosed ;\nex:three ex:says 3 .\n'})
    line = len(DATA.splitlines()) + 1
    first, shown, mark = error.message.splitlines()
    place = re.match(rf"{re.escape(str(tmp_path / 'data' / 'broken.ttl'))}:{line}:(\d+): \S", first)
    assert place
    assert '    ex:two ex:says "unclosed ;' == shown
    assert " " * (4 + int(place[1]) - 1) + "^" == mark


@pytest.mark.parametrize(
    ("name", "text", "place"),
    [
        ("x.ttl", "@prefix ex: <http://example.org/> .\nex:a ex:b .\n", ":2:"),
        ("x.ttl", "<http://example.org/a> un:declared 1 .\n", ":1:"),
        ("x.ttl", "<http://example.org/a b> <http://example.org/b> 1 .\n", ":1:"),
        (
            "x.nt",
            "<http://example.org/a> <http://example.org/b> <http://example.org/c> .\n<http://example.org/a> b .\n",
            ":2:",
        ),
        ("x.nq", "\n\n<http://example.org/a> b .\n", ":3:"),
        ("x.trig", "<http://example.org/g> {\n<http://example.org/a>\n", ":3:"),
        ("x.jsonld", '{\n"@id": \n', ":3:"),
        ("x.jsonld", '{"@context": "http://example.org/context.jsonld", "name": 1}', ":"),
        ("x.rdf", "<rdf:RDF", ":"),
    ],
)
def test_a_syntax_error_in_any_format_names_the_file_and_where_it_can_the_line(
    tmp_path: Path, name: str, text: str, place: str
) -> None:
    assert refused(tmp_path, {f"data/{name}": text}).message.startswith(f"{tmp_path / 'data' / name}{place}")


def test_a_file_that_is_not_utf_8_is_told_by_name(tmp_path: Path) -> None:
    publication = write_publication(tmp_path)
    (tmp_path / "data" / "latin.ttl").write_bytes(DATA.encode() + 'ex:two ex:says "café" .'.encode("latin-1"))
    with pytest.raises(InputError, match=r"latin\.ttl"):
        read(publication)


def test_a_file_whose_name_makes_no_iri_is_told(tmp_path: Path) -> None:
    assert "my file.ttl" in refused(tmp_path, {"data/my file.ttl": DATA}).message


@pytest.mark.parametrize(
    "statement",
    [
        "ex:two ex:says <<( ex:a ex:b ex:c )>> .",
        "ex:two ex:says ex:three {| ex:b ex:c |} .",
        'ex:two ex:says "שלום"@he--rtl .',
    ],
    ids=["triple term", "annotation", "base direction"],
)
def test_what_only_rdf_1_2_has_is_refused_by_file_name(tmp_path: Path, statement: str) -> None:
    assert "new.ttl" in refused(tmp_path, {"data/new.ttl": DATA + statement}).message


def test_a_folder_without_rdf_is_told_with_its_setting(tmp_path: Path) -> None:
    error = refused(tmp_path, {"shapes/notes.pdf": "none yet"})
    assert f"{tmp_path / 'shapes'} holds no RDF file" == error.message
    assert "“folders.shapes”" in error.hint


# --- graphs ----------------------------------------------------------------------------------------------------------


def test_a_file_is_the_graph_of_its_name(tmp_path: Path) -> None:
    found = given(
        tmp_path,
        {
            "data/a.ttl": DATA,
            "data/deep/er/b.nt": f"<{EX}b> <{EX}says> <{EX}c> .",
            "data/φ.ttl": DATA,
            "data/c.d.ttl": DATA,
        },
    )
    assert {"graph/a", "graph/b", "graph/φ", "graph/c.d"} == {
        graph for name, names in graphs(found).items() for graph in names if name[0] in "abcφ"
    }


def test_an_ontology_that_is_declared_is_the_graph_of_its_file(tmp_path: Path) -> None:
    shapes = SHAPES + "ex:rules a owl:Ontology .\n"
    assert {"ontology.ttl": ("ontology",), "data.ttl": ("graph/data",), "shapes.ttl": ("rules",)} == graphs(
        given(tmp_path, {"shapes/shapes.ttl": shapes})
    )


@pytest.mark.parametrize(
    "declared",
    [
        "",
        "<http://elsewhere.example/> a owl:Ontology .",
        "ex:one a owl:Ontology . ex:two a owl:Ontology .",
        "[] a owl:Ontology .",
    ],
    ids=["none", "of another base", "two", "without a name"],
)
def test_without_one_ontology_of_ours_the_file_name_counts(tmp_path: Path, declared: str) -> None:
    found = given(tmp_path, {"ontology/terms.ttl": f"{PREFIXES}ex:Thing a owl:Class . {declared}"})
    assert ("graph/terms",) == graphs(found)["terms.ttl"]


def test_an_ontology_declared_in_the_data_names_no_graph(tmp_path: Path) -> None:
    assert ("graph/copy",) == graphs(given(tmp_path, {"data/copy.ttl": ONTOLOGY.replace("ex:ontology", "ex:other")}))[
        "copy.ttl"
    ]


def test_named_graphs_keep_their_names_and_what_stands_in_none_gets_the_files(tmp_path: Path) -> None:
    trig = f"{PREFIXES}ex:a ex:b ex:c . <http://elsewhere.example/g> {{ ex:a ex:b ex:d }} ex:h {{ ex:a ex:b ex:e }}"
    found = given(tmp_path, {"data/mixed.trig": trig})
    assert {"graph/mixed", "http://elsewhere.example/g", "h"} == set(graphs(found)["mixed.trig"])
    assert 3 == sum(1 for _ in found.of("data"))


def test_a_graph_without_a_name_is_refused(tmp_path: Path) -> None:
    assert (
        "anonymous.trig"
        in refused(tmp_path, {"data/anonymous.trig": f"{PREFIXES}_:g {{ ex:a ex:b '01'^^xsd:integer }}"}).message
    )


def test_the_empty_relative_iri_is_the_graph(tmp_path: Path) -> None:
    found = given(tmp_path, {"data/a.ttl": PREFIXES + "<> ex:says <other> ."})
    assert Quad(
        NamedNode(EX + "graph/a"), NamedNode(EX + "says"), NamedNode(EX + "graph/other"), NamedNode(EX + "graph/a")
    ) in found.of("data")


@pytest.mark.parametrize(
    "files",
    [
        {"data/a.ttl": DATA, "data/deeper/a.ttl": DATA},
        {"data/a.ttl": DATA, "data/a.nt": f"<{EX}b> <{EX}says> <{EX}c> ."},
        {"data/a.ttl": DATA, "data/b.trig": f"<{EX}graph/a> {{ <{EX}b> <{EX}says> <{EX}c> }}"},
        {"data/a.ttl": DATA, "ontology/a.ttl": PREFIXES + "ex:Thing a owl:Class ."},
        {"ontology/a.ttl": ONTOLOGY, "ontology/b.ttl": ONTOLOGY},
    ],
    ids=["two folders", "two formats", "a graph of TriG", "two roles", "one ontology"],
)
def test_two_files_for_one_graph_are_refused(tmp_path: Path, files: dict[str, str]) -> None:
    error = refused(tmp_path, files)
    first, second = files
    assert f"{tmp_path / first}" in error.message
    assert f"{tmp_path / second}" in error.message
    assert error.hint


@pytest.mark.parametrize("name", ["inferred", "merged"])
def test_no_file_may_fill_a_graph_that_the_build_makes(tmp_path: Path, name: str) -> None:
    assert f"{name}.ttl" in refused(tmp_path, {f"data/{name}.ttl": DATA}).message


def test_each_role_has_its_own_statements(each: Built) -> None:
    found = read(each.publication)
    roles = {role: set(found.of(role)) for role in ("ontology", "data", "shapes")}
    assert min(len(quads) for quads in roles.values()) >= 50
    assert set(found.quads) == set().union(*roles.values())
    assert len(found.quads) == sum(len(quads) for quads in roles.values())


def test_the_foreign_publication_is_read_whole() -> None:
    found = read(publications.load(FOREIGN))
    assert 769 == len(found.quads)
    assert 768 == len({quad.triple for quad in found.quads})
    assert 15 == len(found.owner)


# --- blank nodes -----------------------------------------------------------------------------------------------------

NODES = """\
ex:a ex:has {one}, {two} .
{one} ex:says "1" ; ex:sees {two} .
{two} ex:says "2" ; ex:sees {one} .
ex:b ex:has {three} .
{three} ex:says "1" .
"""


def shuffled(text: str, labels: list[str], chance: random.Random) -> str:
    lines = text.format(one=labels[0], two=labels[1], three=labels[2]).splitlines()
    chance.shuffle(lines)
    return PREFIXES + "\n".join(lines)


def test_blank_nodes_have_names_that_neither_labels_nor_order_change(tmp_path: Path) -> None:
    seen = set()
    for turn in range(8):
        chance = random.Random(turn)
        labels = [f"_:{chance.choice('xyz')}{number}" for number in (1, 2, 3)]
        folders = ["1", "2"] if turn % 2 else ["2", "1"]
        files = {
            f"data/{folders[0]}/p.ttl": shuffled(NODES, labels, chance),
            f"data/{folders[1]}/q.ttl": shuffled(NODES, labels[::-1], chance),
        }
        seen.add(frozenset(given(tmp_path / str(turn), files).quads))
    assert 1 == len(seen)
    assert 6 == len(
        {
            quad.subject
            for quads in seen
            for quad in quads
            if isinstance(quad.subject, BlankNode) and str(quad.graph_name).endswith(("/p>", "/q>"))
        }
    )


def test_a_label_means_another_node_in_another_file(tmp_path: Path) -> None:
    found = given(
        tmp_path, {"data/a.ttl": PREFIXES + "_:x ex:says 'a' .", "data/b.ttl": PREFIXES + "_:x ex:says 'b' ."}
    )
    assert 2 == len({quad.subject for quad in found.of("data")})


def test_nodes_that_nothing_tells_apart_stay_two(tmp_path: Path) -> None:
    found = given(tmp_path, {"data/a.ttl": PREFIXES + "ex:a ex:has [ ex:says 'x' ], [ ex:says 'x' ] ."})
    assert 4 == sum(1 for _ in found.of("data"))


# --- what the store would change -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("literal", "stored"),
    [
        ('"01"^^xsd:integer', Literal("1", datatype=NamedNode("http://www.w3.org/2001/XMLSchema#integer"))),
        ('"1.30"^^xsd:decimal', Literal("1.3", datatype=NamedNode("http://www.w3.org/2001/XMLSchema#decimal"))),
        ('"1"^^xsd:boolean', Literal("true", datatype=NamedNode("http://www.w3.org/2001/XMLSchema#boolean"))),
        ('"7"^^xsd:unsignedByte', Literal("7", datatype=NamedNode("http://www.w3.org/2001/XMLSchema#integer"))),
        ('"x"@EN-gb', Literal("x", language="en-gb")),
    ],
)
def test_what_the_store_rewrites_is_told_by_file_and_line(tmp_path: Path, literal: str, stored: Literal) -> None:
    text = f"{DATA}# 01 1.30 1 7 x\nex:two ex:number 2017 , 2001 , 1.307 ;\n  ex:says {literal} .\n"
    found = given(tmp_path, {"data/numbers.ttl": text})
    line = len(text.splitlines())
    assert 1 == len(found.warnings)
    assert found.warnings[0].startswith(f"{tmp_path / 'data' / 'numbers.ttl'}:{line}: ")
    assert stored in {quad.object for quad in found.of("data")}


def test_a_language_tag_of_any_format_is_changed_with_a_warning(tmp_path: Path) -> None:
    found = given(tmp_path, {"data/two.rdf": RDF_XML})
    assert Literal("two", language="en-gb") in {quad.object for quad in found.of("data")}
    assert [f"{tmp_path / 'data' / 'two.rdf'}:2:"] == [warning.partition(" ")[0] for warning in found.warnings]


def test_what_only_looks_like_a_language_tag_gives_no_warning(tmp_path: Path) -> None:
    assert [] == list(
        given(tmp_path, {"data/a.ttl": DATA + '# "x"@EN\nex:two ex:says "write to \'ann\'@EXAMPLE" .\n'}).warnings
    )


def test_what_the_store_keeps_gives_no_warning(tmp_path: Path) -> None:
    text = (
        DATA
        + 'ex:two ex:says 1, 1.5, true, "1"^^ex:number, "01", "2020"^^xsd:gYear, "x"@en-gb, "a token"^^xsd:token .\n'
    )
    assert [] == list(given(tmp_path, {"data/a.ttl": text}).warnings)


def test_the_foreign_publication_gives_three_warnings_each_with_its_line() -> None:
    lines = (FOREIGN / "facts" / "hostile.ttl").read_text(encoding="utf-8").splitlines()
    number = {
        text: next(n for n, line in enumerate(lines, start=1) if text in line)
        for text in ("@zh-Hant-TW", '"01"^^xsd:integer', '"7"^^xsd:unsignedByte')
    }
    found = read(publications.load(FOREIGN)).warnings
    assert sorted(f"{FOREIGN / 'facts' / 'hostile.ttl'}:{line}" for line in number.values()) == sorted(
        warning.partition(": ")[0] for warning in found
    )


def test_what_is_read_is_what_the_store_holds(each: Built) -> None:
    found = read(each.publication)
    store = Store()
    store.bulk_extend(found.quads)
    assert set(found.quads) == set(store)
    stored = Store.read_only(str(each.release.store))
    assert set() == set(found.quads) - set(stored)


# --- which files -----------------------------------------------------------------------------------------------------


def test_a_file_that_is_no_rdf_is_left_out_with_a_warning(tmp_path: Path) -> None:
    found = given(tmp_path, {"data/data.ttl": DATA, "data/table.csv": "a,b", "data/README": "x"})
    assert [f"{tmp_path / 'data' / name}: " for name in ("README", "table.csv")] == sorted(
        re.split(r"(?<=: )", warning)[0] for warning in found.warnings
    )


def test_questions_and_hidden_files_are_left_out_without_a_word(tmp_path: Path) -> None:
    found = given(
        tmp_path,
        {
            "ontology/ontology.ttl": ONTOLOGY,
            "ontology/questions/1.rq": "ASK {}",
            "ontology/questions/1.tsv": "",
            "ontology/README.md": "",
            "data/data.ttl": DATA,
            "data/.new.ttl": "broken",
            "data/.git/x.ttl": "broken",
        },
    )
    assert [] == list(found.warnings)
    assert 3 == len(found.files)


def test_every_syntax_is_known_by_its_endings(tmp_path: Path) -> None:
    triple = f"<{EX}a> <{EX}b> <{EX}c> ."
    files = {f"data/{ending}.{ending}": triple for ending in ("ttl", "nt", "nq", "trig", "TTL")}
    files |= {f"data/{ending}.{ending}": RDF_XML for ending in ("rdf", "owl", "xml")}
    files |= {
        f"data/{ending}.{ending}": f'{{"@id": "{EX}a", "{EX}b": {{"@id": "{EX}c"}}}}' for ending in ("jsonld", "json")
    }
    found = given(tmp_path, files)
    assert 10 == len(set(found.of("data")))
    assert {f"graph/{name.partition('/')[2].partition('.')[0]}" for name in files} == {
        graph.removeprefix(EX) for file in found.files if file.role == "data" for graph in file.graphs
    }


# --- fingerprint -----------------------------------------------------------------------------------------------------


def test_the_fingerprint_tells_content_and_names_and_nothing_else(tmp_path: Path) -> None:
    publication = write_publication(tmp_path / "a")
    first = fingerprint(publication)
    assert first == fingerprint(write_publication(tmp_path / "b"))
    seen = {first}
    for change in (
        {"data/data.ttl": DATA + "\n"},
        {"data/other.ttl": DATA},
        {"data/data.ttl": DATA, "data/more.ttl": ""},
        {"data/data.ttl": DATA, "ontology/ontology.ttl": ONTOLOGY, "ontology/questions/1.rq": "ASK {}"},
    ):
        seen.add(fingerprint(write_publication(tmp_path / str(len(seen)), change)))
    seen.add(fingerprint(write_publication(tmp_path / "settings", settings='languages = ["de"]')))
    assert 6 == len(seen)


def test_an_error_of_reading_is_one_that_we_tell() -> None:
    assert issubclass(InputError, TracktwoError)
