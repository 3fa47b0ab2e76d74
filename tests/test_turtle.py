"""Turtle and TriG: what is written reads back the same, in one layout, with nothing of a hand-written file lost."""

import random
import time
from decimal import Decimal

import pytest
import rdflib
import rdflib.compare
from hypothesis import given, settings
from hypothesis import strategies as st
from pyoxigraph import (
    BaseDirection,
    BlankNode,
    CanonicalizationAlgorithm,
    Dataset,
    Literal,
    NamedNode,
    Quad,
    RdfFormat,
    Triple,
    parse,
    serialize,
)

from tracktwo.turtle import (
    FormatRefused,
    Node,
    Term,
    format_turtle,
    prefixes_of,
    write_trig,
    write_turtle,
)

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
RDFS = "http://www.w3.org/2000/01/rdf-schema#"
XSD = "http://www.w3.org/2001/XMLSchema#"
EX = "http://example.org/"
FIRST, REST, NIL, TYPE = (NamedNode(RDF + name) for name in ("first", "rest", "nil", "type"))
PREFIXES = {
    "": "http://example.org/ns#",
    "ex": EX,
    "isbn": "urn:isbn:",
    "odd": "http://example.org/doc?id=",
    "rdf": RDF,
    "rdfs": RDFS,
    "xsd": XSD,
    "ж": "http://пример.рф/",
}


def ex(name: str) -> NamedNode:
    return NamedNode(EX + name)


def canonical(quads: list[Quad]) -> set[Quad]:
    dataset = Dataset(quads)
    dataset.canonicalize(CanonicalizationAlgorithm.RDFC_1_0)
    return set(dataset)


def as_quads(triples: list[Triple]) -> list[Quad]:
    return [Quad(triple.subject, triple.predicate, triple.object) for triple in triples]


def read(text: str, syntax: RdfFormat = RdfFormat.TURTLE) -> list[Quad]:
    return list(parse(text, syntax))


def objects(text: str) -> list[Term]:
    return [quad.object for quad in read(text)]


def write_one(value: Term) -> str:
    return write_turtle([Triple(ex("s"), ex("p"), value)], PREFIXES)


# --- what hypothesis draws from ---------------------------------------------------------------------------------

ODD_IRIS = [
    EX,
    EX + "a",
    EX + "a%2Fb",
    EX + "a(b)",
    EX + "a.",
    EX + "a..b",
    EX + ".a",
    EX + "a,b;c",
    EX + "-a",
    EX + "1.2",
    EX + "a:b",
    EX + "a'b",
    EX + "a~b!$&*+=@",
    EX + "deep/er#frag",
    EX + "doc?id=7",
    EX + "doc?id=7/8",
    EX + "ns#Class",
    EX + "ns#",
    EX + "генерал",
    EX + "a\u00b7b",
    EX + "a\u00a0b",
    EX + "\U00010400",
    EX + "a\u00d7b",
    "http://пример.рф/объект",
    "urn:isbn:0451450523",
    "urn:x:a",
    RDF + "nil",
    RDF + "type",
    XSD + "integer",
]
HOSTILE = [
    "",
    '"',
    '""',
    '"""',
    'a"""b\n""""',
    'ends with quotes\n""',
    "\\",
    "\\\n\\",
    'back\\"\n\\"',
    "\n",
    "\r",
    "a\r\nb",
    "tab\there\n\tand there",
    "\x00\x01\x0b\x0c\x1f\x7f\x85",
    "\u2028\u2029\ufeff\u202e",
    "'''",
    "# not a comment",
    "a . b ; c",
    "генерал-майор",
    "\U0001f600",
    "\\u0041",
    "\ufffe\uffff",
]
NUMBERS = [
    "0",
    "01",
    "-0",
    "+5",
    "1.",
    ".5",
    "1.30",
    "-1.0",
    "1e6",
    "1.E3",
    ".5E1",
    "1E+06",
    "INF",
    " 1",
    "1_0",
    "٣",
    "true",
]
DATATYPES = [XSD + name for name in ("boolean", "integer", "decimal", "double", "date", "string")] + [EX + "a%20b"]
NODES = [BlankNode(f"c14n{number}") for number in range(6)]

named = st.sampled_from(ODD_IRIS).map(NamedNode)
blank = st.sampled_from(NODES)
strings = st.sampled_from(HOSTILE) | st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
literals = (
    strings.map(Literal)
    | st.builds(lambda value, tag: Literal(value, language=tag), strings, st.sampled_from(["en", "ru", "zh-hant-tw"]))
    | st.builds(
        lambda value, datatype: Literal(value, datatype=NamedNode(datatype)),
        st.sampled_from(NUMBERS) | strings,
        st.sampled_from(DATATYPES),
    )
)
subjects = named | blank
predicates = st.sampled_from([FIRST, REST, TYPE, NIL, NamedNode(RDFS + "label"), ex("a"), ex("b%2F"), ex("б")])
terms = named | blank | literals
triple_lists = st.lists(st.builds(Triple, subjects, predicates, terms), max_size=14)
blank_triple_lists = st.lists(
    st.builds(Triple, blank | st.just(ex("a")), st.sampled_from([FIRST, REST, ex("a")]), blank | st.just(NIL)),
    max_size=9,
)
quad_lists = st.lists(
    st.builds(
        Quad, subjects, predicates, terms, st.none() | st.sampled_from([ex("g"), ex("h%2F"), NODES[0], NODES[1]])
    ),
    max_size=12,
)


# --- writing ----------------------------------------------------------------------------------------------------


@settings(max_examples=150, deadline=None)
@given(triple_lists | blank_triple_lists)
def test_written_turtle_reads_back_as_the_same_triples(triples: list[Triple]) -> None:
    text = write_turtle(triples, PREFIXES)
    assert canonical(as_quads(triples)) == canonical(read(text))


@settings(max_examples=150, deadline=None)
@given(quad_lists)
def test_written_trig_reads_back_as_the_same_quads(quads: list[Quad]) -> None:
    text = write_trig(quads, PREFIXES)
    assert canonical(quads) == canonical(read(text, RdfFormat.TRIG))


@settings(max_examples=100, deadline=None)
@given(triple_lists | blank_triple_lists, st.randoms(use_true_random=False))
def test_the_order_of_the_input_changes_no_byte(triples: list[Triple], rng: random.Random) -> None:
    shuffled = triples + triples[:3]
    rng.shuffle(shuffled)
    assert write_turtle(triples, PREFIXES) == write_turtle(shuffled, PREFIXES)
    assert write_trig(as_quads(triples), PREFIXES) == write_trig(as_quads(shuffled), PREFIXES)


@settings(max_examples=100, deadline=None)
@given(triple_lists | blank_triple_lists)
def test_formatting_what_was_written_keeps_its_triples_and_settles(triples: list[Triple]) -> None:
    once = format_turtle(write_turtle(triples, PREFIXES))
    assert canonical(as_quads(triples)) == canonical(read(once))
    assert once == format_turtle(once)


# rdflib turns doubles in shorthand into floats and refuses a character that RFC 3987 allows in IRIs, so it is asked
# about structure, strings and the other IRIs here, and about the values of numbers below.
plain_iris = st.sampled_from([iri for iri in ODD_IRIS if not set("\u00a0") & set(iri)]).map(NamedNode)
rdflib_triples = st.lists(
    st.builds(
        Triple,
        plain_iris | blank,
        predicates,
        plain_iris
        | blank
        | strings.map(Literal)
        | st.sampled_from(["01", "-5", "true"]).map(lambda v: Literal(v, language="en")),
    ),
    max_size=9,
)


def with_rdflib(text: str, syntax: str) -> rdflib.Graph:
    graph = rdflib.Graph()
    graph.parse(data=text, format=syntax)
    return graph


@settings(max_examples=60, deadline=None)
@given(rdflib_triples)
def test_rdflib_reads_the_same_graph_from_turtle_as_from_ntriples(triples: list[Triple]) -> None:
    ntriples = serialize(triples, format=RdfFormat.N_TRIPLES) or b""
    expected = with_rdflib(ntriples.decode(), "nt")
    actual = with_rdflib(write_turtle(triples, PREFIXES), "turtle")
    assert rdflib.compare.isomorphic(expected, actual)


def test_rdflib_reads_the_same_values_of_numbers() -> None:
    values = [("7", "integer"), ("1.30", "decimal"), ("1.5e3", "double"), ("true", "boolean")]
    text = write_turtle(
        [Triple(ex("s"), ex("p"), Literal(value, datatype=NamedNode(XSD + datatype))) for value, datatype in values],
        PREFIXES,
    )
    read_values = {
        value.toPython() for value in with_rdflib(text, "turtle").objects() if isinstance(value, rdflib.Literal)
    }
    assert read_values == {7, Decimal("1.30"), 1500.0, True}


def test_the_layout() -> None:
    triples = [
        Triple(ex("s"), ex("z"), ex("o")),
        Triple(ex("s"), ex("many"), Literal("b", language="en")),
        Triple(ex("s"), ex("many"), Literal("a", language="ru")),
        Triple(ex("s"), ex("many"), ex("o")),
        Triple(ex("s"), NamedNode(RDFS + "label"), Literal("label")),
        Triple(ex("s"), TYPE, ex("D")),
        Triple(ex("s"), TYPE, ex("C")),
        Triple(ex("s"), ex("node"), NODES[0]),
        Triple(NODES[0], TYPE, ex("N")),
        Triple(NODES[0], ex("short"), NODES[1]),
        Triple(NODES[1], ex("p"), Literal(1)),
        Triple(NODES[2], ex("p"), Literal("nobody points here")),
        Triple(ex("r"), ex("p"), Literal("two\nlines")),
    ]
    expected = '''\
# head

@prefix ex: <http://example.org/> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .

ex:r ex:p """two
lines""" .

# about s
ex:s a ex:C, ex:D ;
    rdfs:label "label" ;
    ex:many
        ex:o,
        "b"@en,
        "a"@ru ;
    ex:node [
        a ex:N ;
        ex:short [ ex:p 1 ]
    ] ;
    ex:z ex:o .

[] ex:p "nobody points here" .
'''
    assert expected == write_turtle(triples, PREFIXES, comments={ex("s"): ["# about s"]}, header=["# head"])


def test_the_layout_of_trig() -> None:
    quads = [
        Quad(ex("s"), ex("p"), Literal("default")),
        Quad(ex("s"), ex("p"), NODES[0], ex("g2")),
        Quad(NODES[0], ex("p"), Literal("a\nb"), ex("g2")),
        Quad(NODES[0], ex("q"), Literal("c"), ex("g2")),
        Quad(ex("s"), ex("p"), ex("o"), ex("g1")),
        Quad(ex("t"), ex("p"), ex("o"), ex("g1")),
    ]
    expected = '''\
@prefix ex: <http://example.org/> .

ex:s ex:p "default" .

ex:g1 {
    ex:s ex:p ex:o .

    ex:t ex:p ex:o .
}

ex:g2 {
    ex:s ex:p [
            ex:p """a
b""" ;
            ex:q "c"
        ] .
}
'''
    assert expected == write_trig(quads, PREFIXES)


def test_nothing_is_written_as_nothing() -> None:
    assert write_turtle([], PREFIXES) == write_trig([], PREFIXES) == ""


def test_subjects_follow_the_order_asked_for_and_the_others_come_after() -> None:
    triples = [Triple(ex(name), ex("p"), ex("o")) for name in "abcd"]
    text = write_turtle(triples, PREFIXES, subject_order=[ex("c"), ex("nowhere"), ex("b"), ex("c")])
    assert [line.split()[0] for line in text.splitlines() if " ex:p " in line] == ["ex:c", "ex:b", "ex:a", "ex:d"]


@pytest.mark.parametrize("value", HOSTILE)
def test_a_hostile_string_survives_and_shows_no_invisible_character(value: str) -> None:
    text = write_one(Literal(value))
    assert [Literal(value)] == objects(text)
    assert not set(text) & set("\x00\x0b\x0c\r\x85\u2028\u2029\ufeff\u202e")


@pytest.mark.parametrize("datatype", DATATYPES)
@pytest.mark.parametrize("value", NUMBERS)
def test_a_lexical_form_is_never_changed(value: str, datatype: str) -> None:
    literal = Literal(value, datatype=NamedNode(datatype))
    assert [literal] == objects(write_one(literal))


@pytest.mark.parametrize(
    ("literal", "written"),
    [
        (Literal("true", datatype=NamedNode(XSD + "boolean")), " true "),
        (Literal("1", datatype=NamedNode(XSD + "boolean")), ' "1"^^xsd:boolean '),
        (Literal("-07", datatype=NamedNode(XSD + "integer")), " -07 "),
        (Literal("1.30", datatype=NamedNode(XSD + "decimal")), " 1.30 "),
        (Literal("1", datatype=NamedNode(XSD + "decimal")), ' "1"^^xsd:decimal '),
        (Literal("1.0E3", datatype=NamedNode(XSD + "double")), " 1.0E3 "),
        (Literal("1.0", datatype=NamedNode(XSD + "double")), ' "1.0"^^xsd:double '),
        (Literal("NaN", datatype=NamedNode(XSD + "double")), ' "NaN"^^xsd:double '),
        (Literal("2021", datatype=NamedNode(XSD + "gYear")), ' "2021"^^xsd:gYear '),
        (Literal("x", language="en-us"), ' "x"@en-us '),
    ],
)
def test_shorthand_only_where_it_means_the_same(literal: Literal, written: str) -> None:
    assert written in write_one(literal)


@pytest.mark.parametrize("iri", ODD_IRIS)
def test_an_odd_iri_survives(iri: str) -> None:
    assert [NamedNode(iri)] == objects(write_one(NamedNode(iri)))


@pytest.mark.parametrize(
    ("iri", "written"),
    [
        (EX + "a", "ex:a"),
        (EX + "1.2", "ex:1.2"),
        (EX + "генерал", "ex:генерал"),
        ("http://пример.рф/объект", "ж:объект"),
        (EX + "ns#Class", ":Class"),
        ("urn:isbn:0451450523", "isbn:0451450523"),
        (EX + "doc?id=7", "odd:7"),
        (EX, f"<{EX}>"),
        (EX + "a.", f"<{EX}a.>"),
        (EX + "a%2Fb", f"<{EX}a%2Fb>"),
        (EX + "a(b)", f"<{EX}a(b)>"),
        (EX + "a,b", f"<{EX}a,b>"),
        (EX + "-a", f"<{EX}-a>"),
        (EX + "x/y", f"<{EX}x/y>"),
        (RDF + "nil", "()"),
    ],
)
def test_a_curie_only_for_what_every_reader_takes(iri: str, written: str) -> None:
    assert f" {written} .\n" in write_one(NamedNode(iri))


def test_what_iriref_forbids_is_escaped() -> None:
    [quad] = parse(r"<http://example.org/\u0020> <http://example.org/p> 1 .", RdfFormat.TURTLE, lenient=True)
    assert r"<http://example.org/\u0020>" in write_turtle([quad], {})


def test_only_used_prefixes_are_declared_and_sorted() -> None:
    assert list(prefixes_of(write_one(ex("o")))) == ["ex"]
    text = write_turtle(
        [Triple(ex("s"), NamedNode(RDFS + "label"), Literal("1", datatype=NamedNode(XSD + "date")))], PREFIXES
    )
    assert [line.split()[1] for line in text.splitlines()[:3]] == ["ex:", "rdfs:", "xsd:"]


@pytest.mark.parametrize("prefixes", [{"a b": EX}, {"a.": EX}, {"1": EX}, {"ex": "relative"}, {"ex": EX + "<"}])
def test_an_impossible_prefix_is_an_error(prefixes: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        write_turtle([], prefixes)


@pytest.mark.parametrize(
    "value",
    [Literal("x", language="en", direction=BaseDirection("ltr")), Triple(ex("s"), ex("p"), ex("o"))],
)
def test_rdf_12_terms_are_refused_clearly(value: Term) -> None:
    with pytest.raises(ValueError, match=r"can't be written in Turtle 1\.1"):
        write_one(value)


@pytest.mark.parametrize("line", ["no hash", "# two\nlines", "# two\rlines"])
def test_a_comment_that_would_break_the_document_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="comment"):
        write_turtle([Triple(ex("s"), ex("p"), ex("o"))], PREFIXES, comments={ex("s"): [line]})
    with pytest.raises(ValueError, match="comment"):
        write_turtle([], PREFIXES, header=[line])


# --- blank nodes ------------------------------------------------------------------------------------------------


def chain(length: int) -> list[Triple]:
    nodes: list[Node] = [ex("start"), *(BlankNode(f"n{number}") for number in range(length))]
    return [Triple(nodes[number], ex("next"), nodes[number + 1]) for number in range(length)]


def rdf_list(items: list[Term]) -> list[Triple]:
    cells: list[Node] = [*(BlankNode(f"cell{number}") for number in range(len(items))), NIL]
    triples = [Triple(ex("s"), ex("list"), cells[0])]
    for cell, rest, item in zip(cells, cells[1:], items, strict=False):
        triples += [Triple(cell, FIRST, item), Triple(cell, REST, rest)]
    return triples


@pytest.mark.parametrize("depth", [500, 5000])
def test_deep_nesting_needs_no_stack(depth: int) -> None:
    text = write_turtle(chain(depth), PREFIXES)
    assert len(read(text)) == depth
    assert "_:" not in text
    assert format_turtle(text) == text


def test_a_list_of_5000_items_is_a_list() -> None:
    triples = rdf_list([Literal(number) for number in range(5000)])
    text = write_turtle(triples, PREFIXES)
    assert "rdf:" not in text
    assert objects(text).count(NIL) == 1
    assert len(read(text)) == len(triples)


def test_a_short_list_stands_on_one_line() -> None:
    text = write_turtle(rdf_list([ex("a"), Literal(1), Literal("x")]), PREFIXES)
    assert 'ex:s ex:list ( ex:a 1 "x" ) .' in text


def test_a_long_list_has_a_line_for_each_item() -> None:
    text = write_turtle(rdf_list([Literal("x" * 30) for _ in range(3)]), PREFIXES)
    assert text.count(f'\n        "{"x" * 30}"') == 3


@pytest.mark.parametrize(
    "more",
    [
        Triple(BlankNode("cell1"), ex("more"), Literal(1)),
        Triple(BlankNode("cell1"), FIRST, Literal(9)),
        Triple(BlankNode("cell2"), REST, BlankNode("cell0")),
        Triple(ex("other"), ex("p"), BlankNode("cell1")),
        Triple(ex("other"), ex("p"), BlankNode("cell0")),
    ],
)
def test_what_only_looks_like_a_list_keeps_all_its_triples(more: Triple) -> None:
    triples = [*rdf_list([Literal(number) for number in range(3)]), more]
    assert canonical(as_quads(triples)) == canonical(read(write_turtle(triples, PREFIXES)))


def test_a_node_used_twice_and_nodes_on_a_cycle_have_labels() -> None:
    a, b, c, d = NODES[:4]
    twice = [Triple(ex("s"), ex("p"), a), Triple(ex("t"), ex("p"), a)]
    cycle = [Triple(b, ex("p"), c), Triple(c, ex("p"), b), Triple(c, ex("q"), d), Triple(d, ex("p"), Literal(1))]
    text = write_turtle(twice + cycle, PREFIXES)
    assert {f"_:b{number}" for number in range(3)} == {word for word in text.split() if word.startswith("_:")}
    assert "ex:q [ ex:p 1 ]" in text
    assert canonical(as_quads(twice + cycle)) == canonical(read(text))


def test_a_node_that_points_at_itself_has_a_label() -> None:
    assert "_:b0 ex:p _:b0 ." in write_turtle([Triple(NODES[0], ex("p"), NODES[0])], PREFIXES)


def test_labels_count_naturally() -> None:
    nodes = [BlankNode(f"c14n{number}") for number in (10, 9, 2)]
    triples = [Triple(node, ex("n"), Literal(node.value)) for node in nodes]
    text = write_turtle(triples, PREFIXES)
    assert text.index("c14n2") < text.index("c14n9") < text.index("c14n10")


def test_a_node_shared_between_graphs_has_one_label() -> None:
    node = NODES[0]
    quads = [
        Quad(ex("s"), ex("p"), node, ex("g")),
        Quad(node, ex("p"), Literal(1), ex("h")),
        Quad(ex("s"), ex("p"), ex("o")),
    ]
    text = write_trig(quads, PREFIXES)
    assert text.count("_:b0") == 2
    assert canonical(quads) == canonical(read(text, RdfFormat.TRIG))


def test_a_node_that_names_a_graph_has_a_label() -> None:
    quads = [Quad(ex("s"), ex("p"), NODES[0]), Quad(ex("s"), ex("p"), ex("o"), NODES[0])]
    text = write_trig(quads, PREFIXES)
    assert "_:b0 {" in text
    assert canonical(quads) == canonical(read(text, RdfFormat.TRIG))


def test_the_same_node_may_be_nested_in_one_graph_and_equal_labels_are_not_mixed_up() -> None:
    quads = [Quad(ex("s"), ex("p"), node, graph) for node, graph in zip(NODES[:2], [ex("g"), ex("h")], strict=True)]
    assert write_trig(quads, PREFIXES).count("ex:s ex:p [] .") == 2


# --- formatting -------------------------------------------------------------------------------------------------

HAND_WRITTEN = """\
# Licence: CC0
#   indented text

# second paragraph
PREFIX unused: <http://example.org/unused#>
@prefix ex: <http://example.org/> .


   # about b
ex:b   a ex:C; ex:p  01 , 1.30, "x"@EN .

##########
# Section
##########

# about a
ex:a ex:p "# no comment", 'it\\'s', <http://example.org/#no-comment> .
# more about b
ex:b ex:q [ ex:r ( 1 [ex:x ex:y] ) ] .
# a node
_:node ex:p "labelled because of its comment" .
ex:c ex:p _:node .

# the end

# really
"""

FORMATTED = """\
# Licence: CC0
#   indented text

# second paragraph

@prefix ex: <http://example.org/> .

# about b
# more about b
ex:b a ex:C ;
    ex:p
        01,
        1.30,
        "x"@en ;
    ex:q [
        ex:r ( 1 [ ex:x ex:y ] )
    ] .

##########
# Section
##########

# about a
ex:a ex:p
        <http://example.org/#no-comment>,
        "# no comment",
        "it's" .

# a node
_:b0 ex:p "labelled because of its comment" .

ex:c ex:p _:b0 .

# the end

# really
"""


def test_a_hand_written_file_in_canonical_layout() -> None:
    assert format_turtle(HAND_WRITTEN).splitlines() == FORMATTED.splitlines()


def test_formatting_twice_changes_nothing_more() -> None:
    assert format_turtle(FORMATTED) == FORMATTED


def test_formatting_a_file_with_windows_line_ends_gives_the_same() -> None:
    assert format_turtle(HAND_WRITTEN.replace("\n", "\r\n")) == FORMATTED


COMMENT = st.sampled_from(
    ["", '# comment <x> . "\n', "   #another '''\n", "#\n\n", "\n\n# a paragraph\n\n# and one more\n"]
)
NAME = st.sampled_from(["ex:a", "ex:b.c", "ex:d\\,e", "<http://example.org/#f>", ":", "<rel>", "<#g>", "<>", "<x/y#>"])
LABEL = st.sampled_from(["_:x", "_:y", "_:z.1"])
VALUE = st.sampled_from(
    ["1", "1.5", "-2e3", "true", '"a#b"', "'. ex:x'", '"""a "q" \\""""', "'''l1\n#l2 . '''@en", '"1"^^xsd:int', "()"]
)
VERB = st.sampled_from(["a", "ex:p", "ex:q", "<http://example.org/r>"])


def properties(children: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pair = st.builds(
        lambda verb, values: f"{verb} {' , '.join(values)}", VERB, st.lists(children, min_size=1, max_size=3)
    )
    return st.lists(pair, min_size=1, max_size=3).map(" ;\n ; ".join)


OBJECT = st.recursive(
    NAME | LABEL | VALUE,
    lambda children: (
        properties(children).map("[ {} ]".format) | st.lists(children, max_size=3).map(lambda x: f"({' '.join(x)})")
    ),
    max_leaves=6,
)
STATEMENT = (
    st.builds("{}{} {}.\n".format, COMMENT, NAME | LABEL | st.just("[]"), properties(OBJECT))
    | st.builds("{}[ {} ] .".format, COMMENT, properties(OBJECT))
    | st.builds("{}( {} ) {} . ".format, COMMENT, OBJECT, properties(OBJECT))
    | st.just("@prefix ex: <http://example.org/> .\n")
    | st.just("BASE <other>\n")
)


def hand_written(statements: list[str], last: str) -> str:
    """The statements as a file, with a line end before whatever starts with a comment."""
    lines = [
        "# head\n@base <http://example.org/dir/file> . PREFIX ex: <http://example.org/>\n@prefix : <#>. prefix xsd: <"
        + XSD
        + ">"
    ]
    for statement in [*statements, last]:
        is_directive = statement.lower().startswith(("@prefix", "base"))
        lines.append(statement if is_directive or not statement else "\n" + statement)
    return "\n".join(lines)


@settings(max_examples=150, deadline=None)
@given(st.lists(STATEMENT, max_size=6), COMMENT)
def test_any_hand_written_file_keeps_its_triples_and_comments_and_settles(statements: list[str], last: str) -> None:
    text = hand_written(statements, last)
    once = format_turtle(text)
    assert canonical(read(text)) == canonical(read(once))
    assert once == format_turtle(once)
    for mark in ("# comment <x>", "#another", "# a paragraph", "# and one more", "# head"):
        assert text.count(mark) == once.count(mark)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("@prefix ex: <http://example.org/> .\nex:a ex:p 1 . # trailing\n", 2),
        ("@prefix ex: <http://example.org/> . # trailing\nex:a ex:p 1 .\n", 1),
        ("@prefix ex: <http://example.org/> .\nex:a\n  # inside\n  ex:p 1 .\n", 3),
        ("@prefix ex: <http://example.org/> .\nex:a ex:p 1 ; # inside\n ex:q 2 .\n", 2),
        ("@prefix ex: <http://example.org/> .\nex:a ex:p [\n# in a node\n] .\n", 3),
        ("@prefix ex: <http://example.org/> .\n\n# about xsd\n@prefix xsd: <http://example.org/> .\n", 3),
        ("@prefix ex: <http://example.org/> .\nex:a ex:p 1.# trailing", 2),
    ],
)
def test_a_comment_that_would_have_to_move_is_refused_with_its_line(text: str, line: int) -> None:
    with pytest.raises(FormatRefused, match=rf"^file\.ttl:{line}: a comment .+ move it to") as refused:
        format_turtle(text, source="file.ttl")
    assert refused.value.line == line
    assert refused.value.message.startswith("a comment")


def test_a_relative_iri_without_a_base_is_refused_with_its_line() -> None:
    with pytest.raises(FormatRefused, match=r"^<input>:2: a relative IRI") as refused:
        format_turtle("# comment\n<a> <b> <c> .\n")
    assert refused.value.line == 2


def test_relative_iris_stay_relative_to_the_base_of_the_file() -> None:
    text = "@base <http://example.org/dir/file> .\n\n<> <p> <#a>, <../up>, <x/y>, <http://example.org/dir/z> .\n"
    expected = """\
@base <http://example.org/dir/file> .

<> <p>
        <#a>,
        <x/y>,
        <z>,
        <http://example.org/up> .
"""
    assert format_turtle(text) == expected
    assert canonical(read(text)) == canonical(read(expected))


def test_a_version_directive_is_refused() -> None:
    with pytest.raises(FormatRefused, match="version directive"):
        format_turtle('VERSION "1.2"\n<http://example.org/a> <http://example.org/p> 1 .\n')


@pytest.mark.parametrize(
    "text", ["<http://example.org/a> <http://example.org/p> .", '<http://example.org/a> <b> "', "ex:a a ex:b ."]
)
def test_a_syntax_error_stays_one(text: str) -> None:
    with pytest.raises(SyntaxError):
        format_turtle(text)


def test_triple_terms_are_refused() -> None:
    with pytest.raises(ValueError, match="triple term"):
        format_turtle("@prefix ex: <http://example.org/> .\n<< ex:a ex:b ex:c >> ex:p 1 .\n")


def test_a_full_stop_with_no_space_around_ends_a_statement() -> None:
    text = '@prefix ex:<http://example.org/>.ex:a.b ex:p"x".ex:b ex:p<http://example.org/o>.ex:c ex:p 1.\n# end\n'
    assert [quad.subject for quad in read(format_turtle(text))] == [ex("a.b"), ex("b"), ex("c")]
    assert format_turtle(text).endswith("\n\n# end\n")


def test_a_file_of_comments_only_is_kept() -> None:
    assert format_turtle("\n# one\n\n\n\n# two  \n") == "# one\n\n# two\n"
    assert format_turtle("") == ""


def test_prefixes_of_a_file_anywhere_in_it() -> None:
    text = "@prefix ex: <http://example.org/> . ex:a ex:b ex:c . PREFIX : <http://example.org/ns#>"
    assert prefixes_of(text) == {"ex": EX, "": "http://example.org/ns#"}


def test_writing_takes_time_in_proportion_to_size() -> None:
    triples = [Triple(ex(f"s{number // 6}"), ex(f"p{number % 6}"), Literal(f"v{number}")) for number in range(40_000)]
    triples += chain(10_000) + rdf_list([BlankNode(f"item{number}") for number in range(10_000)])
    started = time.process_time()
    write_turtle(triples, PREFIXES)
    assert time.process_time() - started < 5  # about 0.7 s; a quadratic step would take minutes
