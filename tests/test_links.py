"""IRIs and URLs: what an IRI's page is called leads back to the IRI, and only what is safe becomes a link."""

import re
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from conftest import FOREIGN, OWN, Built
from hypothesis import assume, given
from hypothesis import strategies as st
from pyoxigraph import NamedNode

from tracktwo import publication as publications
from tracktwo.links import Links, clickable, is_valid_iri

PUBLICATIONS = [publications.load(OWN), publications.load(FOREIGN)]
ROOTS = ["http://127.0.0.1:8000/", "https://example.org/", "https://example.org/data/track/"]

LAYOUTS = [Links(publication.base_iri, url, publication.documents) for publication in PUBLICATIONS for url in ROOTS]
OWN_LINKS, FOREIGN_LINKS = (
    Links(publication.base_iri, ROOTS[2], publication.documents) for publication in PUBLICATIONS
)

#: What an IRI's path may hold as it is (RFC 3987 section 2.2), but for `#`, `?` and `/`.
PLAIN = "abcXYZ019-._~!$&'()*+,;=:@"
ASCII_ENCODED = ["%2F", "%2f", "%20", "%25", "%3F", "%23", "%22", "%5B", "%41"]
BEYOND_ENCODED = ["%CE%BB", "%ce%bb", "%E7%81%AF", "%FF", "%C3", "%F0%9F%97%BC"]
BEYOND = st.characters(min_codepoint=0xA0, max_codepoint=0x1FFFD, exclude_categories=["Cs", "Cn", "Co"])


def segments(*pieces: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """A path below a base: plain characters, slashes, and the pieces given."""
    return st.lists(st.one_of(st.sampled_from(PLAIN), st.just("/"), *pieces), min_size=1, max_size=12).map("".join)


#: Characters beyond ASCII are either all themselves or all percent-encoded: a URL cannot tell which each one was.
NAMES = st.one_of(
    segments(st.sampled_from(ASCII_ENCODED), BEYOND), segments(st.sampled_from([*ASCII_ENCODED, *BEYOND_ENCODED]))
)


def below_root(links: Links, url: str) -> str:
    """The raw path below the site's root that a client sends for a URL of the site."""
    assert url.startswith(links.root)
    return url[len(links.root) :].partition("#")[0]


def is_iri(text: str) -> bool:
    try:
        NamedNode(text)
    except ValueError:
        return False
    return True


def answers(links: Links, url: str) -> list[str]:
    return list(links.candidates(below_root(links, url)))


def test_both_publications_have_a_layout_of_their_own() -> None:
    assert [{"id/": "doc/"}, {"thing/": "about/"}] == [dict(publication.documents) for publication in PUBLICATIONS]
    assert 6 == len(LAYOUTS)


# --- there and back --------------------------------------------------------------------------------------------------


@given(st.sampled_from(LAYOUTS), NAMES)
def test_the_path_of_an_iri_leads_back_to_it(links: Links, name: str) -> None:
    iri = links.base_iri + name
    assume(is_iri(iri))
    path = links.path(iri)
    assert path.isascii()
    assert iri in answers(links, path)


@given(st.sampled_from(LAYOUTS), NAMES)
def test_the_page_of_a_thing_leads_back_to_it(links: Links, name: str) -> None:
    thing = links.base_iri + next(iter(links.documents)) + name
    assume(is_iri(thing))
    assert links.is_thing(thing)
    assert thing in [links.thing_of(candidate) for candidate in answers(links, links.url(thing))]


@given(st.sampled_from(LAYOUTS), segments(st.sampled_from(["%2F", "%20", "%25", "%3F", "%CE%BB", "%E7%81%AF"])))
def test_an_iri_is_found_by_a_path_with_its_characters_decoded(links: Links, name: str) -> None:
    iri = links.base_iri + name
    assume(is_iri(iri))
    decoded = re.sub(r"(?:%[89A-F][0-9A-F])+", lambda run: unquote(run.group()), links.path(iri))
    assert iri in answers(links, decoded)


@given(st.sampled_from(LAYOUTS), st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_any_path_has_candidates_and_they_are_below_the_base(links: Links, raw: str) -> None:
    found = list(links.candidates(raw))
    assert links.base_iri + raw == found[0]
    assert len(found) == len(set(found))
    assert [] == [candidate for candidate in found if not candidate.startswith(links.base_iri)]


@given(segments(st.sampled_from([*ASCII_ENCODED, *BEYOND_ENCODED])))
def test_an_encoded_slash_is_never_taken_for_a_slash(raw: str) -> None:
    for candidate in OWN_LINKS.candidates(raw):
        rest = candidate.removeprefix(OWN_LINKS.base_iri)
        assert raw.rstrip("/").count("/") == rest.rstrip("/").count("/")


@given(st.sampled_from(LAYOUTS), NAMES)
def test_a_thing_and_its_document_are_one_to_one(links: Links, name: str) -> None:
    things, documents = next(iter(links.documents.items()))
    thing, document = links.base_iri + things + name, links.base_iri + documents + name
    assume("#" not in name)
    assert document == links.document(thing)
    assert thing == links.thing_of(document)
    assert document == links.document(document)


@given(st.sampled_from(LAYOUTS), st.text(alphabet=st.characters(exclude_categories=["Cs"]), min_size=1))
def test_an_iri_beyond_the_base_travels_whole_in_the_query(links: Links, rest: str) -> None:
    iri = "urn:" + rest
    url = urlsplit(links.url(iri))
    assert links.root + "describe" == url.path
    assert {"iri": [iri]} == parse_qs(url.query, keep_blank_values=True)
    assert {"iri": [iri], "format": ["ttl"]} == parse_qs(
        urlsplit(links.variant(iri, "ttl")).query, keep_blank_values=True
    )


def test_every_subject_of_a_publication_is_found_by_its_url(each: Built) -> None:
    manifest = each.release.manifest["statistics"]
    subjects = [
        iri
        for iri in {*manifest["classes"], *manifest["properties"], *manifest["graphs"]}
        if iri.startswith(each.publication.base_iri)
    ]
    assert len(subjects) >= 25
    for url in ROOTS:
        links = Links(each.publication.base_iri, url, each.publication.documents)
        assert [] == [iri for iri in subjects if links.document(iri) not in answers(links, links.url(iri))]


# --- examples --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "path"),
    [
        (
            "thing/λιμάνι/Ερμούπολη",
            "about/%CE%BB%CE%B9%CE%BC%CE%AC%CE%BD%CE%B9/%CE%95%CF%81%CE%BC%CE%BF%CF%8D%CF%80%CE%BF%CE%BB%CE%B7",
        ),
        ("thing/harbour/%CE%9D%CE%AC", "about/harbour/%CE%9D%CE%AC"),
        ("thing/route/Syros%2FParos", "about/route/Syros%2FParos"),
        ("thing/route/Piraeus%20Syros", "about/route/Piraeus%20Syros"),
        ("thing/chart/100%25", "about/chart/100%25"),
        ("thing/ship/St_John's_(old),_light", "about/ship/St_John's_(old),_light"),
        ("thing/berth//7", "about/berth//7"),
        ("thing/ship/Delos#engine", "about/ship/Delos#engine"),
        ("islands#Σύρος", "islands#%CE%A3%CF%8D%CF%81%CE%BF%CF%82"),
        ("vocab#Place", "vocab#Place"),
        ("catalogue/search?no=2&lang=el", "catalogue/search?no=2&lang=el"),
        ("named/φως", "named/%CF%86%CF%89%CF%82"),
        ("thing/", "thing/"),  # nothing is named: no thing
        ("", ""),
    ],
)
def test_an_iri_has_its_page_below_the_path_prefix(name: str, path: str) -> None:
    assert "/data/track/" + path == FOREIGN_LINKS.url(FOREIGN_LINKS.base_iri + name)


def test_a_path_that_was_sent_decoded_or_encoded_still_names_the_iri() -> None:
    base = FOREIGN_LINKS.base_iri
    assert base + "about/λιμάνι" in FOREIGN_LINKS.candidates("about/λιμάνι")
    assert base + "about/λιμάνι" in FOREIGN_LINKS.candidates("about/%CE%BB%CE%B9%CE%BC%CE%AC%CE%BD%CE%B9")
    assert base + "about/(7)" in FOREIGN_LINKS.candidates("about/%287%29")
    assert base + "about/a%20b" in FOREIGN_LINKS.candidates("about/a b")
    assert base + "catalogue/" in FOREIGN_LINKS.candidates("catalogue")
    assert base + "catalogue" in FOREIGN_LINKS.candidates("catalogue/")


def test_what_was_sent_comes_before_what_it_may_mean() -> None:
    assert FOREIGN_LINKS.base_iri + "a%20b" == next(FOREIGN_LINKS.candidates("a%20b"))


def test_pages_variants_and_absolute_urls_stand_below_the_path_prefix() -> None:
    links = OWN_LINKS
    document = links.base_iri + "doc/x"
    assert "/data/track/" == links.root == links.site()
    assert "/data/track/sparql?query=ASK+%7B%7D" == links.site("sparql", query="ASK {}", format="")
    assert "/data/track/doc/x.ttl" == links.variant(document, "ttl")
    assert "https://example.org/data/track/doc/x.ttl" == links.full(links.variant(document, "ttl"))
    assert "https://example.org/data/track/dump/a.gz" == links.absolute("dump/a.gz")
    assert links.full(links.site("sparql")) == links.absolute("sparql")


def test_a_site_at_the_root_of_its_host_has_no_prefix() -> None:
    links = Links(OWN_LINKS.base_iri, "https://example.org/", {"id/": "doc/"})
    assert "/doc/x" == links.url(links.base_iri + "id/x")
    assert "https://example.org/doc/x" == links.full("/doc/x")


def test_only_iris_that_begin_with_the_base_are_ours() -> None:
    links = OWN_LINKS
    assert links.is_ours(links.base_iri)
    assert links.is_ours(links.base_iri + "id/x")
    assert not links.is_ours(links.base_iri.rstrip("/"))
    assert not links.is_ours(links.base_iri.upper())
    assert not links.is_thing("http://example.org/id/x")
    assert links.thing_of("http://example.org/doc/x") is None
    assert "http://example.org/doc/x" == links.document("http://example.org/doc/x#y")


# --- what may be clicked ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "iri",
    [
        "http://example.org/",
        "https://example.org/?a=b",
        "HTTPS://example.org/",
        "mailto:ann@example.org",
        "urn:isbn:9780000000002",
        "https://example.org/φάρος",
    ],
)
def test_web_mail_and_urn_are_clickable(iri: str) -> None:
    assert clickable(iri)


@pytest.mark.parametrize(
    "iri",
    [
        *(
            "javascript:alert(1)",
            "JavaScript:alert(1)",
            "java\nscript:alert(1)",
            "java\tscript:alert(1)",
            " javascript:alert(1)",
            "\x01javascript:alert(1)",
        ),
        *(
            "vbscript:x",
            "data:text/html,<script>",
            "file:///etc/passwd",
            "blob:http://example.org/1",
            "ftp://example.org/",
            "tel:+302100000000",
            "about:blank",
        ),
        *("http://example.org/a b", "http://example.org/a\nb", "http://example.org/\x00", "http://example.org/\x7f"),
        *("", ":", "//example.org/", "/etc", "example.org", "_:b0"),
    ],
)
def test_nothing_else_is_clickable(iri: str) -> None:
    assert not clickable(iri)


@given(st.text())
def test_what_is_clickable_has_a_harmless_scheme_and_no_control_character(text: str) -> None:
    assert not clickable(text) or re.fullmatch(r"(?i:https?|mailto|urn):[^\x00-\x20\x7f]*", text)


# --- what is an IRI --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "iri", ["http://example.org/", "urn:x", "https://example.org/φ?a=b#c", "mailto:a@b", "http://[::1]/", "a:"]
)
def test_absolute_iris_are_valid(iri: str) -> None:
    assert is_valid_iri(iri)
    assert is_iri(iri)


@pytest.mark.parametrize(
    "text",
    ["", "x", "/x", "//x", "http", "1a:x", *(f"http://example.org/{character}" for character in ' <>"{}|\\^`\n\x00')],
)
def test_what_is_relative_or_holds_a_forbidden_character_is_no_valid_iri(text: str) -> None:
    assert not is_valid_iri(text)


def test_what_the_store_takes_for_no_iri_is_not_valid() -> None:
    broken = [
        "http://[",
        "http://a/%",
        "http://a/%zz",
        "http://a:port/",
        "http://a#b#c",
        "http://a/[x]",
        "http://a/\ud800",
        "http://a/\ufdd0",
        "http://a/\x85",
    ]
    assert [] == [text for text in broken if is_iri(text)]
    assert [] == [text for text in broken if is_valid_iri(text)]


@given(st.text(alphabet="ahtp:/[]%#?@0F.φ é\u200e\x85", max_size=12).map("x:".__add__))
def test_what_is_valid_is_an_iri_to_the_store(text: str) -> None:
    assert not is_valid_iri(text) or is_iri(text)
