"""The SPARQL 1.1 Protocol: which requests are one query, and which are refused for what they do, not what they say."""

import re
import time
from urllib.parse import quote, urlencode

import pyoxigraph
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from tracktwo.errors import BadRequest, Forbidden, TooLarge, TracktwoError, UnsupportedMedia
from tracktwo.formats import CSV, JSON, JSON_LD, N_TRIPLES, RDF_FORMATS, RDF_XML, RESULT_FORMATS, TURTLE, XML
from tracktwo.querytext import graphs_in, has_star, iris_in, is_volatile, spelt_out, star_replaced
from tracktwo.sparql import DIRECT, FORM, UPDATE, Request, Rules, check_reach, has_query, read
from tracktwo.store import Query

ASK = "ASK { ?s ?p ?o }"
PREFIXES = {"ex": "http://example.org/", "": "http://example.org/none#", "service": "http://example.org/service#"}
RULES = Rules(1000, PREFIXES)
#: Endpoints at ports that the engine connects to on no account: nothing is asked when it parses these queries.
ELSEWHERE = "http://127.0.0.1:7/sparql"
ALLOWED = "http://127.0.0.1:9/sparql"


def get(*pairs: tuple[str, str], accept: str | None = None) -> Request:
    return Request("GET", urlencode(pairs), "", b"", accept)


def form(*pairs: tuple[str, str], url: str = "", kind: str = FORM) -> Request:
    return Request("POST", url, kind, urlencode(pairs).encode(), None)


def direct(text: str | bytes, url: str = "", kind: str = DIRECT) -> Request:
    return Request("POST", url, kind, text if isinstance(text, bytes) else text.encode(), None)


# --- forms of a request (SPARQL 1.1 Protocol section 2.1) ------------------------------------------------------------


@pytest.mark.parametrize(
    "request_",
    [
        get(("query", ASK)),
        get(("query", ASK), ("unknown", "x")),
        Request("HEAD", urlencode({"query": ASK}), "", b"", None),
        Request("GET", "query=" + quote(ASK), "", b"", None),
        form(("query", ASK)),
        form(("query", ASK), kind="application/x-www-form-urlencoded; charset=UTF-8"),
        form(("query", ASK), kind="Application/X-WWW-Form-Urlencoded"),
        form(url=urlencode({"query": ASK})),
        direct(ASK),
        direct(ASK, kind='application/sparql-query; charset="utf-8"'),
    ],
)
def test_a_query_may_come_in_any_of_the_protocols_forms(request_: Request) -> None:
    assert has_query(request_)
    assert ASK == read(request_, RULES).text


def test_text_beyond_ascii_arrives_whole() -> None:
    text = "SELECT * { ?s ?p 'λ 灯 🗼 + % & = \n' }"
    for request_ in (get(("query", text)), form(("query", text)), direct(text)):
        assert text == read(request_, RULES).text


@pytest.mark.parametrize(
    "request_",
    [
        get(),
        get(("default-graph-uri", "http://example.org/g")),
        get(("format", "json")),
        Request("HEAD", "", "", b"", None),
    ],
)
def test_a_get_without_a_query_asks_nothing(request_: Request) -> None:
    assert not has_query(request_)


@pytest.mark.parametrize(
    "request_",
    [
        get(),
        get(("query", "")),
        get(("query", " \n")),
        get(("query", ASK), ("query", ASK)),
        form(("query", ASK), url=urlencode({"query": ASK})),
        direct(ASK, url=urlencode({"query": ASK})),
        direct(""),
        form(),
        Request("GET", "query=%FF", "", b"", None),
        Request("POST", "", FORM, b"query=%C3%28", None),
        direct(b"ASK { ?s ?p '\xff' }"),
        Request("GET", "&".join(["x=1"] * 20_000), "", b"", None),
    ],
    ids=[
        "none",
        "empty",
        "blank",
        "two",
        "two places",
        "body and URL",
        "empty body",
        "empty form",
        "no UTF-8 in the URL",
        "no UTF-8 in the form",
        "no UTF-8 in the body",
        "too many",
    ],
)
def test_what_is_not_one_query_is_a_bad_request(request_: Request) -> None:
    with pytest.raises(BadRequest) as caught:
        read(request_, RULES)
    assert "\n" not in caught.value.message


@pytest.mark.parametrize(
    "kind",
    [
        "",
        "text/plain",
        "application/json",
        "multipart/form-data; boundary=x",
        "application/sparql-query; charset=latin-1",
        "application/x-www-form-urlencoded; charset=utf-16",
    ],
)
def test_another_media_type_is_told(kind: str) -> None:
    with pytest.raises(UnsupportedMedia):
        read(direct(ASK, kind=kind), RULES)


def test_a_query_over_the_limit_is_told() -> None:
    fits = ASK.ljust(1000)
    assert fits == read(direct(fits), RULES).text
    for text in (ASK.ljust(1001), ASK.ljust(999) + "é"):
        with pytest.raises(TooLarge):
            read(direct(text), RULES)


# --- dataset ---------------------------------------------------------------------------------------------------------

GRAPHS = [
    ("default-graph-uri", "http://example.org/a"),
    ("default-graph-uri", "http://example.org/b"),
    ("named-graph-uri", "urn:c"),
]


def dataset(found: Query) -> tuple[object, object]:
    return found.default_graphs, found.named_graphs


def test_no_parameter_names_no_dataset() -> None:
    assert (None, None) == dataset(read(get(("query", ASK)), RULES))


def test_parameters_name_the_dataset_whole() -> None:
    expected = (("http://example.org/a", "http://example.org/b"), ("urn:c",))
    for request_ in (
        get(("query", ASK), *GRAPHS),
        form(("query", ASK), *GRAPHS),
        form(("query", ASK), url=urlencode(GRAPHS)),
        direct(ASK, url=urlencode(GRAPHS)),
    ):
        assert expected == dataset(read(request_, RULES))


def test_what_only_the_other_parameter_names_is_empty() -> None:
    assert (("urn:a",), ()) == dataset(read(get(("query", ASK), ("default-graph-uri", "urn:a")), RULES))
    assert ((), ("urn:a",)) == dataset(read(get(("query", ASK), ("named-graph-uri", "urn:a")), RULES))


@pytest.mark.parametrize("name", ["default-graph-uri", "named-graph-uri"])
@pytest.mark.parametrize(
    "iri", ["", "x", "/x", "http://example.org/a b", "<urn:x>", "http://[", "http://example.org/%zz"]
)
def test_a_graph_that_is_no_absolute_iri_is_a_bad_request(name: str, iri: str) -> None:
    with pytest.raises(BadRequest, match=name):
        read(get(("query", ASK), (name, iri)), RULES)


# --- formats ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("accept", "asked", "results", "graph"),
    [
        (None, None, JSON, TURTLE),
        ("*/*", None, JSON, TURTLE),
        ("text/csv", None, CSV, None),
        ("application/n-triples", None, None, N_TRIPLES),
        ("application/xml", None, XML, RDF_XML),
        ("image/png", None, None, None),
        ("text/csv", "xml", XML, RDF_XML),
        ("text/csv", "", CSV, None),
        (None, "ttl", None, TURTLE),
        (None, "application/sparql-results+json", JSON, None),
        (None, "JSON", JSON, JSON_LD),
    ],
)
def test_formats_are_those_of_the_parameter_else_of_accept(
    accept: str | None, asked: str | None, results: object, graph: object
) -> None:
    pairs = [("query", ASK)] + ([] if asked is None else [("format", asked)])
    found = read(get(*pairs, accept=accept), RULES)
    assert (results, graph) == (found.results, found.graph)


def test_a_format_that_nothing_is_called_is_told_with_all_names() -> None:
    with pytest.raises(BadRequest) as caught:
        read(get(("query", ASK), ("format", "docx")), RULES)
    assert [] == [row.name for row in (*RESULT_FORMATS, *RDF_FORMATS) if row.name not in caught.value.hint]


# --- updates ---------------------------------------------------------------------------------------------------------

UPDATES = [
    "INSERT DATA { <urn:a> <urn:b> <urn:c> }",
    "insert data { <urn:a> <urn:b> <urn:c> }",
    "DELETE WHERE { ?s ?p ?o }",
    f"LOAD <{ELSEWHERE}>",
    f"LOAD SILENT <{ELSEWHERE}> INTO GRAPH <urn:g>",
    "CLEAR ALL",
    "DROP GRAPH <urn:g>",
    "CREATE GRAPH <urn:g>",
    "COPY <urn:a> TO <urn:b>",
    "MOVE <urn:a> TO <urn:b>",
    "ADD <urn:a> TO <urn:b>",
    "WITH <urn:g> DELETE { ?s ?p ?o } WHERE { ?s ?p ?o }",
]
PROLOGUES = [
    "",
    "# SELECT\n",
    "\n\t",
    "PREFIX ex: <urn:x> ",
    "BASE <urn:x> ",
    "PREFIX : <urn:x> # SELECT\nBASE <urn:y>\nPREFIX select: <urn:ASK>\n",
]


def is_refused(text: str) -> bool:
    try:
        read(direct(text), RULES)
    except Forbidden:
        return True
    return False


@pytest.mark.parametrize("prologue", PROLOGUES)
def test_an_update_is_refused_whatever_stands_before_it(prologue: str) -> None:
    assert [] == [text for text in UPDATES if not is_refused(prologue + text)]


@pytest.mark.parametrize(
    "request_",
    [
        form(("update", UPDATES[0])),
        get(("update", UPDATES[0])),
        form(("update", "x"), ("query", ASK)),
        direct(UPDATES[0], kind=UPDATE),
        direct(ASK, kind=UPDATE + "; charset=utf-8"),
    ],
)
def test_a_request_that_says_it_updates_is_refused(request_: Request) -> None:
    assert has_query(request_)
    with pytest.raises(Forbidden):
        read(request_, RULES)


# --- reaching out ----------------------------------------------------------------------------------------------------

CALL_OF_E = "SELECT * { SERVICE e: { ?a ?b ?c } }"
CALL = f"SERVICE <{ELSEWHERE}> {{ ?a ?b ?c }}"

#: Ways to say SERVICE that the engine understands, as (what it is, query).
CALLS: dict[str, str] = {
    "plain": f"SELECT * {{ {CALL} }}",
    "silent": f"SELECT * {{ SERVICE SILENT <{ELSEWHERE}> {{ ?a ?b ?c }} }}",
    "lower case": f"SELECT * {{ service <{ELSEWHERE}> {{ ?a ?b ?c }} }}",
    "mixed case": f"SELECT * {{ SeRvIcE sIlEnT <{ELSEWHERE}> {{ ?a ?b ?c }} }}",
    "no space": f"SELECT*{{SERVICE<{ELSEWHERE}>{{?a ?b ?c}}}}",
    "a variable": "SELECT * { VALUES ?x { <urn:x> } SERVICE ?x { ?a ?b ?c } }",
    "a prefixed name": "PREFIX e: <http://127.0.0.1:7/> SELECT * { SERVICE e:sparql { ?a ?b ?c } }",
    "in CONSTRUCT": f"CONSTRUCT {{ ?a ?b ?c }} WHERE {{ {CALL} }}",
    "in ASK": f"ASK {{ {CALL} }}",
    "in DESCRIBE": f"DESCRIBE ?a {{ {CALL} }}",
    "nested": f"SELECT * {{ {{ SELECT * {{ OPTIONAL {{ {CALL} }} }} }} }}",
    "in EXISTS": f"SELECT * {{ FILTER EXISTS {{ {CALL} }} }}",
    "after a comment": f"SELECT * {{ # a comment\n{CALL} }}",
    "a comment inside": f"SELECT * {{ SERVICE # SILENT\n <{ELSEWHERE}> {{ ?a ?b ?c }} }}",
    "after a number": f"SELECT * {{ ?s ?p 1{CALL} }}",
    "after a decimal": f"SELECT * {{ ?s ?p 1.{CALL} }}",
    "after a string": f"SELECT * {{ ?s ?p ''{CALL} }}",
    "after a long string": f"SELECT * {{ ?s ?p '''it's \\''''{CALL} }}",
    "after a string with an escape": f'SELECT * {{ ?s ?p "\\\\"{CALL} }}',
    "after a language tag": f"SELECT * {{ ?s ?p 'x'@en.{CALL} }}",
    "after a variable": f"SELECT * {{ ?s ?p ?o.{CALL} }}",
    "after an IRI": f"SELECT * {{ ?s ?p <urn:#'>{CALL} }}",
    "after less than": f"SELECT * {{ FILTER(1 <2) {CALL} FILTER(2> 1) }}",
    "after an IRI with a space beyond ASCII": f"SELECT * {{ ?s <http://example.org/\u00a0#> ?o . {CALL} }}",
    "after an ideographic space": f"SELECT * {{ ?s <http://example.org/\u3000'> ?o . {CALL} ?s ?p '' }}",
    "after a name without a local part": f"SELECT * {{ ?s ?p ex:.{CALL} }}",
    "after an escaped number sign": f"SELECT * {{ ?s ex:a\\#b ?o . {CALL} }}",
    "between escaped quotes": f"SELECT * {{ ?s ex:a\\'b ?o . {CALL} ?s ex:a \"'\" }}",
    "after a name with a hyphen": f"SELECT * {{ ?s ex:a-b ex:c- . {CALL} }}",
    "after a joiner": f"SELECT * {{ ?s ?p ex:a\u200d#b\n . {CALL} }}",
    "after a string like a declaration": f"SELECT * {{ ?s ?p 'PREFIX a: <', 'BASE <' . {CALL} }}",
    "after a comment like a declaration": f"SELECT * {{ # PREFIX a: <\n{CALL} }}",
    "after a name like a declaration": f"PREFIX prefix: <urn:x> SELECT * {{ ?s prefix:base <urn:y> . {CALL} }}",
    "after a declaration without a space": f"PREFIX a:<urn:x>SELECT*{{{CALL}}}",
    "before a name without a space": "PREFIX : <http://127.0.0.1:7/> SELECT * { SERVICE:x { ?a ?b ?c } }",
    "like a name that is declared": "PREFIX service: <urn:x> PREFIX : <http://127.0.0.1:7/> SELECT * { service:x { } }",
    "run together": f"SELECT * {{ SERVICESILENT<{ELSEWHERE}> {{ ?a ?b ?c }} }}",
    "run together with a name": "PREFIX : <http://127.0.0.1:7/> SELECT * { SERVICESILENT:x { ?a ?b ?c } }",
    "after a truth value without a space": f"SELECT * {{ ?s ?p true{CALL} }}",
    "after an exponent without a space": f"SELECT * {{ ?s ?p 1e5{CALL} }}",
    "after a line separator in a comment": f"SELECT * {{ # a\u2028b\n{CALL} }}",
}
ESCAPED = {
    "a letter": f"SELECT * {{ \\u0053ERVICE <{ELSEWHERE}> {{ ?a ?b ?c }} }}",
    "all letters": "SELECT * { "
    + "".join(f"\\U{ord(letter):08x}" for letter in "SERVICE")
    + f" <{ELSEWHERE}> {{ ?a ?b ?c }} }}",
    "the end of a comment": f"SELECT * {{ # \\u000a {CALL}\n }}",
    "the end of a string": f"SELECT * {{ ?s ?p '\\u0027 . {CALL} ?s ?p '' }}",
    "an update": f"\\u004COAD <{ELSEWHERE}>",
}


def parses(text: str) -> bool:
    """Does the engine take the text for a query? Nothing of it is run."""
    try:
        pyoxigraph.Store().query(text, prefixes=PREFIXES)
    except SyntaxError:
        return False
    except (OSError, RuntimeError, ValueError):
        pass  # it was understood and tried
    return True


def test_the_engine_understands_every_call_tried_here() -> None:
    assert len(CALLS) >= 30
    assert [] == [name for name, text in CALLS.items() if not parses(text)]


@pytest.mark.parametrize("text", CALLS.values(), ids=CALLS)
def test_a_query_that_reaches_out_is_refused_however_it_is_written(text: str) -> None:
    with pytest.raises(Forbidden):
        read(direct(text), RULES)


@pytest.mark.parametrize("text", ESCAPED.values(), ids=ESCAPED)
def test_a_keyword_spelt_with_code_points_is_refused(text: str) -> None:
    with pytest.raises(Forbidden):
        read(direct(text), RULES)


HARMLESS: dict[str, str] = {
    "a comment": "ASK {} # SERVICE <urn:x> and LOAD",
    "a comment before": "# INSERT SERVICE\nASK {}",
    "a comment with quotes": "ASK { # it's \"SERVICE\n }",
    "a string": 'ASK { ?s ?p \'SERVICE\', "LOAD SERVICE", \'\'\'SERVICE\nINSERT\'\'\', """a "SERVICE" b""" }',
    "a string with escapes": "ASK { ?s ?p 'it\\'s SERVICE', \"\\\"SERVICE\\\\\", '\\\\' }",
    "a string with a number sign": "ASK { ?s ?p '# SERVICE' }",
    "an IRI": "ASK { <http://example.org/SERVICE> <http://example.org/a#SERVICE> <service:SERVICE> }",
    "an IRI with a space beyond ASCII": "ASK { ?s <http://example.org/\u3000SERVICE> ?o }",
    "a graph": "ASK FROM service:a { GRAPH service:b { ?s ?p ?o } }",
    "a prefix": "PREFIX SERVICE: <urn:x> ASK { SERVICE:a service:b ex:SERVICE }",
    "a local part": "ASK { ex:service ex:a.service ex:SERVICE-7 }",
    "a local part with an escape": "ASK { ex:rock\\&service ex:a\\,SERVICE ex:\\~SERVICE }",
    "a local part beyond ASCII": "ASK { ex:a·service ex:é‿SERVICE ex:灯、SERVICE }",
    "a local part percent-encoded": "ASK { ex:%20SERVICE ?p ?o }",
    "an empty prefix": "ASK { :SERVICE ?p ?o }",
    "a variable": "ASK { ?service ?SERVICE $service }",
    "a variable beyond ASCII": "ASK { ?a·SERVICE ?é ?b }",
    "a blank node": "ASK { _:SERVICE ?p _:b.service }",
    "a language tag": "ASK { ?s ?p 'x'@en-SERVICE }",
    "a longer word": "PREFIX services: <urn:x> ASK { ?s services:a ?services }",
    "words of an update": "SELECT ?with (COUNT(*) AS ?add) { ?s ?p 'INSERT' } GROUP BY ?with",
}


@pytest.mark.parametrize("text", HARMLESS.values(), ids=HARMLESS)
def test_a_keyword_in_a_name_a_string_or_a_comment_is_no_keyword(text: str) -> None:
    assert parses(text)
    assert text == read(direct(text), RULES).text


# --- any query at all ------------------------------------------------------------------------------------------------

TELLING = st.sampled_from(
    [
        "SERVICE",
        "service ",
        "SERVICE <urn:x> {",
        "LOAD",
        "INSERT DATA",
        "PREFIX a: <",
        "BASE <",
        "FROM",
        "#",
        "'",
        '"',
        "'''",
        '"""',
        "\\",
        "<",
        ">",
        "{",
        "}",
        "\n",
        ":",
        ".",
        "?",
        " ",
        "é",
        "\u3000",
        "\u00a0",
        "a",
    ]
)
TEXTS = st.lists(st.one_of(TELLING, st.characters(exclude_categories=["Cs"])), max_size=8).map("".join)


def short_string(text: str) -> str:
    return (
        "'"
        + re.sub(r"[\\'\n\r]", lambda found: {"\n": "\\n", "\r": "\\r"}.get(found.group(), "\\" + found.group()), text)
        + "'"
    )


def long_string(text: str) -> str:
    return '"""' + text.replace("\\", "\\\\").replace('"', '\\"') + '"""'


def iri(text: str) -> str:
    return "<http://example.org/" + re.sub(r'[\x00-\x20<>"{}|^`\\%]', "", text) + ">"


def name(text: str) -> str:
    return "ex:" + re.sub(
        r"[_~.\-!$&'()*+,;=/?#@%]",
        lambda found: "\\" + found.group(),
        re.sub(r"[^\w~.\-!$&'()*+,;=/?#@·‿、]", "", text),
    )


TERMS = TEXTS.flatmap(
    lambda text: st.sampled_from(
        [short_string(text), long_string(text), iri(text), name(text), "?v" + re.sub(r"[^\w·‿]", "", text)]
    )
)
COMMENTS = TEXTS.map(lambda text: "#" + re.sub(r"[\n\r]", "", text) + "\n")
PATTERNS = st.tuples(TERMS, st.one_of(st.just(" "), COMMENTS)).map(lambda parts: f"?s ?p {parts[0]} .{parts[1]}")


@settings(max_examples=400)
@given(st.lists(PATTERNS, min_size=1, max_size=4))
@example(["?s ?p 'SERVICE' .#SERVICE\n"])
def test_no_text_in_a_string_a_comment_an_iri_or_a_name_is_refused(patterns: list[str]) -> None:
    text = f"SELECT * {{ {''.join(patterns)} }}"
    assume(parses(text))
    assert not check_reach(text, PREFIXES, ())


@settings(max_examples=400)
@given(
    st.lists(PATTERNS, max_size=3),
    st.sampled_from(["SERVICE", "service", "SERVICE SILENT"]),
    st.lists(PATTERNS, max_size=3),
)
def test_no_text_around_it_hides_a_call(before: list[str], call: str, after: list[str]) -> None:
    text = f"SELECT * {{ {''.join(before)} {call} <{ELSEWHERE}> {{}} {''.join(after)} }}"
    assume(parses(text))
    with pytest.raises(Forbidden):
        check_reach(text, PREFIXES, ())


@given(
    TEXTS,
    st.sampled_from([b"", b"query=", b"\xff", b"query=ASK&query="]),
    st.sampled_from([FORM, DIRECT, UPDATE, "", "x;charset"]),
    st.sampled_from(["GET", "POST", "HEAD"]),
)
def test_any_request_is_a_query_or_an_error_of_ours(text: str, start: bytes, kind: str, method: str) -> None:
    body = start + text.encode()
    try:
        found = read(Request(method, body.decode("latin-1"), kind, body, text), RULES)
    except TracktwoError as error:
        assert error.message
    else:
        assert found.text.strip()


SLOW = {
    "a string that does not end": 'SELECT "' + '\\"' * 8000,
    "a long string that does not end": "SELECT '''" + "\\'" * 8000,
    "a word": "SELECT " + "a" * 16_000,
    "a number": "SELECT " + "1" * 16_000,
    "dots": "SELECT " + "." * 16_000,
    "declarations": "PREFIX a:<" * 1_600,
    "angles": "<" * 16_000,
    "quotes": "'\"" * 8000,
    "hyphens": "SELECT " + "a-" * 8000,
}


@pytest.mark.parametrize("text", SLOW.values(), ids=SLOW)
def test_no_text_takes_long_to_judge(text: str) -> None:
    start = time.process_time()
    try:
        check_reach(text, PREFIXES, [ALLOWED])
        is_volatile(text)
        iris_in(text, PREFIXES)
        graphs_in(text, PREFIXES)
    except Forbidden:
        pass
    assert time.process_time() - start < 1


# --- endpoints that are allowed --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        f"SELECT * {{ SERVICE <{ALLOWED}> {{ ?a ?b ?c }} }}",
        f"SELECT * {{ service silent <{ALLOWED}> {{ ?a ?b ?c }} }}",
        "PREFIX e: <http://127.0.0.1:9/> SELECT * { SERVICE e:sparql { ?a ?b ?c } }",
        f"SELECT * {{ SERVICE <{ALLOWED}> {{ SERVICE <{ALLOWED}> {{ ?a ?b ?c }} }} }}",
        f"SELECT * {{ SERVICE # {ELSEWHERE}\n <{ALLOWED}> {{ ?a ?b 'SERVICE <{ELSEWHERE}>' }} }}",
    ],
)
def test_an_allowed_endpoint_may_be_asked(text: str) -> None:
    assert parses(text)
    assert check_reach(text, PREFIXES, [ALLOWED])
    assert read(direct(text), Rules(1000, PREFIXES, [ALLOWED])).federated


REFUSED: dict[str, str] = {
    "another endpoint": f"SELECT * {{ {CALL} }}",
    "one of two": f"SELECT * {{ SERVICE <{ALLOWED}> {{ {CALL} }} }}",
    "a variable": f"SELECT * {{ VALUES ?x {{ <{ALLOWED}> <{ELSEWHERE}> }} SERVICE ?x {{ ?a ?b ?c }} }}",
    "a longer IRI": f"SELECT * {{ SERVICE <{ALLOWED}/../admin> {{ ?a ?b ?c }} }}",
    "a relative IRI": "BASE <http://127.0.0.1:7/> SELECT * { SERVICE <sparql> { ?a ?b ?c } }",
    "a prefix declared otherwise in a comment": f"PREFIX e: <{ELSEWHERE}>\n# PREFIX e: <{ALLOWED}>\n{CALL_OF_E}",
    "a prefix declared otherwise in a string": f"PREFIX e: <{ELSEWHERE}> "
    f"SELECT * {{ SERVICE e: {{ ?a ?b 'PREFIX e: <{ALLOWED}>' }} }}",
    "a prefix declared twice": f"PREFIX e: <{ALLOWED}> PREFIX e: <{ELSEWHERE}> {CALL_OF_E}",
    "a prefix declared past a comment": f"PREFIX # e:\n e: <{ELSEWHERE}> {CALL_OF_E}",
    "a local part with an escape": f"PREFIX e: <{ALLOWED}> " + CALL_OF_E.replace("e:", "e:\\/..\\/admin"),
    "a second one hidden by an escape": f"SELECT * {{ SERVICE <{ALLOWED}> {{ ?s ex:a\\#b ?o . {CALL} }} }}",
    "a second one hidden by a dot": f"SELECT * {{ SERVICE <{ALLOWED}> {{ ?s ?p ex:.{CALL} }} }}",
    "a second one hidden by a space": f"SELECT * {{ SERVICE <{ALLOWED}> {{ ?s <urn:\u00a0#> ?o . {CALL} }} }}",
}


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED)
def test_no_other_endpoint_may_be_asked_beside_it(text: str) -> None:
    assert parses(text)
    with pytest.raises(Forbidden):
        check_reach(text, PREFIXES, [ALLOWED])


def test_a_prefix_of_ours_that_a_query_declares_anew_is_the_querys() -> None:
    text = f"PREFIX ex: <{ELSEWHERE}> SELECT * {{ SERVICE ex: {{ ?a ?b ?c }} }}"
    with pytest.raises(Forbidden):
        check_reach(text, {"ex": ALLOWED}, [ALLOWED])


# --- what else is read from a text -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "SELECT (NOW() AS ?x) {}",
        "SELECT (rand() AS ?x) {}",
        "ASK { BIND(UUID() AS ?x) }",
        "SELECT (STRUUID() AS ?x) {}",
        "CONSTRUCT { ?x <urn:a> 1 } { BIND(BNODE() AS ?x) }",
    ],
)
def test_a_query_whose_answer_changes_by_itself_is_volatile(text: str) -> None:
    assert parses(text)
    assert is_volatile(text)


@pytest.mark.parametrize("text", [ASK, "ASK { ?now ex:rand 'UUID()' } # NOW()", "SELECT ?uuid { ?s ex:now ?uuid }"])
def test_any_other_query_is_not(text: str) -> None:
    assert not is_volatile(text)


def test_the_iris_of_a_query_are_found_written_out_or_not() -> None:
    text = "PREFIX a: <urn:a:> SELECT * { <urn:x> a:b ex:c . ?s ?p 'ex:no', <urn:x> . # <urn:no>\n }"
    assert ["urn:x", "urn:a:b", "http://example.org/c"] == iris_in(text, PREFIXES)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SELECT * { ?s ?p ?o }", ([], [])),
        (
            "SELECT * FROM <urn:a> from ex:b FROM NAMED <urn:c> WHERE { ?s ?p ?o }",
            (["urn:a", "http://example.org/b"], ["urn:c"]),
        ),
        ("PREFIX ex: <urn:ex:> ASK FROM NAMED ex:b FROM # NAMED\n <urn:a> {}", (["urn:a"], ["urn:ex:b"])),
        ("SELECT ?from $FROM { ?from ex:FROM 'FROM <urn:x>', <urn:FROM> } # FROM <urn:y>", ([], [])),
        ("SELECT*FROM<urn:a>FROMNAMED<urn:b>{}", (["urn:a"], ["urn:b"])),
        ("SELECT * FROM <urn:a> { ?s ex:a\\#b ?o . ?s ex:from ?o }", (["urn:a"], [])),
        (
            "PREFIX g: <urn:g:> # PREFIX g: <urn:no:>\nSELECT * FROM g:a { ?s ?p 'PREFIX g: <urn:no:>' }",
            (["urn:g:a"], []),
        ),
    ],
)
def test_the_graphs_of_from_clauses_are_found(text: str, expected: tuple[list[str], list[str]]) -> None:
    assert parses(text)
    assert expected == graphs_in(text, PREFIXES)


BASE = "http://example.org/base/"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SELECT * FROM <a> FROM </b> {}", ["http://example.org/base/a", "http://example.org/b"]),
        (
            "BASE <http://example.com/x/> ASK FROM <a> FROM <../b> {}",
            ["http://example.com/x/a", "http://example.com/b"],
        ),
        ("BASE <x/> BASE <y/> ASK FROM <a> {}", ["http://example.org/base/x/y/a"]),
        ("BASE <x/> PREFIX g: <g/> BASE <y/> ASK FROM g:a {}", ["http://example.org/base/x/g/a"]),
        ("ASK FROM <urn:\\u0061> FROM ex:\\~b FROM <\\U00000063> {}", ["urn:a", "http://example.org/~b", BASE + "c"]),
        ("ASK FROM <urn:a> FROM ?x {}", []),
        ("ASK FROM <urn:a> FROM nobody:b {}", []),
    ],
)
def test_graphs_are_resolved_as_the_engine_does(text: str, expected: list[str]) -> None:
    assert (expected, []) == graphs_in(text, PREFIXES, BASE)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SELECT * { ?s ?p ?o }", "SELECT  ?s ?p ?o  { ?s ?p ?o }"),
        (
            "prefix a: <urn:*> select distinct * { $b a:* ?a }",
            "prefix a: <urn:*> select distinct  ?b ?a  { $b a:* ?a }",
        ),
        ("SELECT(1*2 AS ?x) { ?a ?b ?c }", None),
        ("SELECT ?a { SELECT * { ?a ?b ?c } }", None),
        ("SELECT (COUNT(*) AS ?n) { ?s ?p ?o }", None),
        ("DESCRIBE * { ?s ?p ?o }", None),
        ("ASK { ?s <urn:p>* ?o }", None),
    ],
)
def test_the_star_of_a_query_is_replaced_by_its_variables_in_order(text: str, expected: str | None) -> None:
    assert (expected is not None) == has_star(text)
    assert (expected or text) == star_replaced(text, {"a", "b", "o", "p", "s"})


@given(st.text(alphabet="\\uU0061\"'<>?ab é\n", max_size=40))
def test_code_points_of_letters_are_spelt_out_and_places_are_known(text: str) -> None:
    plain, shifts = spelt_out(text)
    assert plain == spelt_out(plain)[0] or "\\" in plain
    for offset, letter in enumerate(plain):
        there = offset + max((less for place, less in shifts if place <= offset), default=0)
        assert text[there] == letter or text.startswith("\\", there)


def test_what_could_end_something_is_not_spelt_out() -> None:
    for text in ("'\\u0027'", "<\\u003E>", "'\\\\u0061'", "\\u000a", "\\u0020", "\\uD83D", "\\u003fx", "\\U00110000"):
        assert (text, []) == spelt_out(text)


def test_a_call_that_letters_spell_is_refused_in_what_the_engine_gets() -> None:
    with pytest.raises(Forbidden):
        check_reach(spelt_out(ESCAPED["all letters"])[0], PREFIXES, [ALLOWED])


def test_a_page_may_be_asked_for_by_its_format() -> None:
    assert (JSON, TURTLE) == (lambda found: (found.results, found.graph))(
        read(get(("query", ASK), ("format", "html")), RULES)
    )


def test_a_compressed_body_and_a_byte_order_mark() -> None:
    with pytest.raises(UnsupportedMedia):
        read(Request("POST", "", DIRECT, ASK.encode(), None, coding="gzip"), RULES)
    assert ASK == read(direct("\ufeff" + ASK), RULES).text
