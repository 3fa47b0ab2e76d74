"""Where a query is wrong, to the character, and what stands there."""

import pyoxigraph as ox
import pytest

from tracktwo.store import fault

PREFIXES = {"tt": "http://example.org/tt#", "rdfs": "http://www.w3.org/2000/01/rdf-schema#"}

#: Broken queries; `⟦` stands before the fault. Behind each, some of what is said.
FAULTS: list[tuple[str, str]] = [
    ("SELECT ?x\nWHERE {\n FILTER(?x = ⟦)\n ?a ?b ?c\n}\nLIMIT 3", "“)” can't stand here"),
    ("⟦SELCT ?x\nWHERE {\n ?s ?p ?o\n}\nLIMIT 10", "“SELCT”"),
    ("SELECT ?x\nWHERE {\n ?s ?p ?o .\n}⟦}\nLIMIT 3", "“}”"),
    ("SELECT ?x\nWHERE {\n FILTER(REGEX(?x⟦))\n ?a ?b ?c\n}\nLIMIT 3", "“)”"),
    ("SELECT ?x\nWHERE {\n ?s ?p ?o\n FILTER(⟦foo(?s))\n ?a ?b ?c .\n}\nORDER BY ?x\n", "“foo”"),
    ("SELECT ?x\nWHERE {\n ?s ?p ⟦.\n ?a ?b ?c .\n}\nORDER BY ?x\n", "“.”"),
    ("SELECT ?x\nWHERE {\n ?s ?p ?o .\n ⟦OPTIONL { ?a ?b ?c }\n ?a ?b ?c .\n}\n", "“OPTIONL”"),
    ("SELECT ?x⟦,?y\nWHERE {\n ?s ?p ?o .\n}", "“,”"),
    ("SELECT ?x\nWHERE {\n ?s ?p ?o .\n\n⟦LIMIT 3", "“LIMIT”"),
    ("⟦PREFX a: <urn:b:>\nSELECT ?x\nWHERE {\n ?s ?p ?o .\n}", "“PREFX”"),
    ("PREFIX ⟦a <urn:b:>\nSELECT ?x\nWHERE {\n ?s ?p ?o .\n}", "“a”"),
    ("SELECT ?x\nWHERE {\n ?a ?b ?c\n}\nLIMIT ⟦x\nOFFSET 3", "“x”"),
    ("SELECT * { ?s ?p ?o } LIMIT ⟦-1", "“-”"),
    ("SELECT * { GRAPH ⟦{ ?s ?p ?o } }", "“{”"),
    ("ASK { ?s ?p ?o } ⟦garbage", "“garbage”"),
    ("SELECT * {?s ?p ?o FILTER NOT ⟦EXIST {?a ?b ?c}}", "“EXIST”"),
    ("SELECT ?s { ?s ?p ?o FILTER(?s =⟦= ?o) }", "“=”"),
    ("SELECT ?s WHERE ⟦?s ?p ?o", "“?s”"),
    ("SELECT ?s { ?s ?p ?o . } ⟦UNION { ?a ?b ?c }", "“UNION”"),
    ("CONSTRUCT { ?s ?p ?o ⟦FILTER(1) } WHERE {}", "“FILTER”"),
    ("SELECT ?s { ?s ?p ?o } LIMIT 5 ⟦LIMIT 6", "“LIMIT”"),
    ('SELECT ?é { "日本語😀" ?p ⟦}', "“}”"),
    ("SELECT * {\r\n\t?s ?p ⟦}", "“}”"),
    ('SELECT * { ?s ?p "x"^^⟦}', "“}”"),
    ("SELECT * { ?s ?p ?o FILTER(?o > 1.5e3 && ?o <⟦) }", "“)”"),
    # names
    ("SELECT * { ?s ⟦foo:bar ?o }", "the prefix “foo:” is not declared"),
    ("SELECT * {\n ?s a tt:A .\n ?s\n  ⟦rdfss:label ?o }", "the prefix “rdfss:” is not declared"),
    ('SELECT * {?s ?p "x"^^⟦xsd:integer}', "the prefix “xsd:” is not declared"),
    ("SELECT ?x\nWHERE {\n ?s ⟦<http://a b> ?o .\n ?a ?b ?c\n}\nLIMIT 3", "“<http://a b>” is no IRI"),
    ("SELECT ?s { ?s ⟦<http://example.org/%zz> ?o }", "is no IRI"),
    # strings
    ('SELECT ?x\nWHERE {\n ?s ?p ⟦"abc .\n ?a ?b ?c .\n}\nORDER BY ?x\n', "the string that begins here is not closed"),
    ("SELECT ?s { ?s ?p ⟦'a\nb' }", "the string that begins here is not closed"),
    ('SELECT * { ?s ?p ⟦"""a\n }\n', "the string that begins here is not closed"),
    # the whole
    ("SELECT * {\n ?s ?p ?o⟦\n\n", "the query ends before it is complete"),
    ("DESCRIBE⟦", "the query ends before it is complete"),
    ("⟦# nothing", "the query ends before it is complete"),
    # what the engine says of SELECT, without a place
    ("SELECT ⟦?x (COUNT(?y) AS ?n)\nWHERE {\n ?s ?p ?o .\n}\nGROUP BY ?s\nORDER BY ?x\nLIMIT 5", "“?x” is neither"),
    ("SELECT (COUNT(?x) AS ?n) ⟦?y {?x a ?y}", "“?y” is neither grouped by nor inside an aggregate"),
    ("SELECT ?a ⟦?b ?c\nWHERE { ?a ?b ?c } GROUP BY ?a", "“?b”"),
    ("SELECT (⟦?o AS ?x) { ?s ?p ?o } GROUP BY ?s", "“?o” is neither"),
    ("SELECT * { ?a ?b ?c { SELECT ?s ⟦?p { ?s ?p ?o } GROUP BY ?s } }", "“?p”"),
    ("SELECT (1 AS ?x)\n (2 AS ⟦?x) {}", "“?x” is selected twice"),
    ("SELECT ⟦* { ?s ?p ?o } GROUP BY ?s", "“*” can't be selected with GROUP BY"),
    # variables
    (
        "SELECT ?x\nWHERE {\n ?s ?p ?o .\n BIND(1 AS ?x)\n BIND(2 AS ⟦?x)\n ?a ?b ?c .\n}\nORDER BY ?x\n",
        "“?x” has a value here already",
    ),
    ("SELECT * { { BIND(1 AS ?y) } ?s ?p ?o . BIND(1 AS ⟦?y)}", "“?y” has a value here already"),
    # code points
    ("SELECT * { ?\\u0061 rdfs:l\\u0061bel ?b .\n ?\\u0061 ?\\u0062 ⟦}", "“}”"),
    ("SELECT * { ?\\u0061 ?\\u0062\\u0063 ⟦}", "“}”"),
]


def parse(text: str) -> str:
    try:
        ox.Store().query(text, prefixes=PREFIXES, base_iri="http://example.org/")
    except SyntaxError as error:
        return str(error.msg)
    return ""


@pytest.mark.parametrize(("marked", "message"), FAULTS)
def test_a_fault_is_told_where_it_is(marked: str, message: str) -> None:
    before, text = marked.partition("⟦")[0], marked.replace("⟦", "")
    found = fault.find(text, parse(text), PREFIXES, parse)
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    assert (line, column) == (found.line, found.column), found
    assert message in found.message


def test_there_are_enough_of_them_and_the_engine_refuses_each() -> None:
    assert len(FAULTS) >= 40
    assert [] == [text for text, _ in FAULTS if not parse(text.replace("⟦", ""))]


def test_an_undeclared_prefix_is_named_and_no_other_word_is_taken_for_one() -> None:
    texts = ("SELECT * { ?s foo:bar ?o }", "SELECT * { ?s <http://a b> ?o }", "SELECT * { ?s ?p }")
    assert ["foo", "", ""] == [fault.find(text, parse(text), PREFIXES, parse).prefix for text in texts]


def test_of_a_long_text_the_engines_place_is_told() -> None:
    text = "SELECT * {\n ?s ?p\n}" + "#" * 10_000
    found = fault.find(text, parse(text), PREFIXES, parse)
    assert found.line
    assert "shortly before" in found.message


def test_a_long_token_is_cut_short() -> None:
    text = "SELECT * { ?s ?p } " + "x" * 500
    assert len(fault.find("ASK {} " + "x" * 500, parse(text), PREFIXES, parse).message) < 100
