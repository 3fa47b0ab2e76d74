"""Negotiation by RFC 9110 section 12.5.1: quality, then how specific, then our own order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracktwo.formats import (
    ASK_FORMATS,
    CSV,
    DOCUMENT_FORMATS,
    ERROR_FORMATS,
    HTML,
    JSON,
    JSON_LD,
    N_QUADS,
    N_TRIPLES,
    PROBLEM_JSON,
    RDF_FORMATS,
    RDF_XML,
    RESULT_FORMATS,
    TEXT,
    TRIG,
    TSV,
    TURTLE,
    XML,
    Format,
    named,
    negotiate,
)

OFFERS: tuple[tuple[Format, ...], ...] = (
    RDF_FORMATS,
    DOCUMENT_FORMATS,
    RESULT_FORMATS,
    ASK_FORMATS,
    ERROR_FORMATS,
    (*RESULT_FORMATS, *DOCUMENT_FORMATS),
)

CHROME = (
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,"
    "application/signed-exchange;v=b3;q=0.7"
)
FIREFOX = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
OLD_FIREFOX = "text/html,application/xhtml+xml,application/xml;q=0.9,image/png,image/svg+xml,*/*;q=0.8"
JENA = "application/ld+json;q=0.8,text/turtle,application/n-triples;q=0.9,application/rdf+xml;q=0.7,*/*;q=0.3"
RDFLIB = "text/turtle, application/rdf+xml;q=0.9, application/xhtml+xml;q=0.5"

#: (`Accept`, what is chosen of the formats of a document)
DOCUMENT_CASES: tuple[tuple[str | None, Format | None], ...] = (
    (None, TURTLE),
    ("", TURTLE),
    ("   ", TURTLE),
    ("*/*", TURTLE),
    ("*", TURTLE),
    # What clients send
    (CHROME, HTML),
    (FIREFOX, HTML),
    (OLD_FIREFOX, HTML),
    (JENA, TURTLE),
    (RDFLIB, TURTLE),
    ("application/xhtml+xml", HTML),
    ("application/rdf+xml, */*;q=0.1", RDF_XML),
    # Quality
    ("text/turtle;q=0.5, text/html;q=0.6", HTML),
    ("text/turtle;q=0.6, text/html;q=0.5", TURTLE),
    ("text/html;q=0.9, application/n-quads", N_QUADS),
    ("text/html;q=0.001", HTML),
    ("text/html; q=0.5 , application/trig ;q=0.7", TRIG),
    ("TEXT/HTML;Q=0.5", HTML),
    # Refusal
    ("text/turtle;q=0, */*", JSON_LD),
    ("text/turtle;q=0.0, */*;q=0.5", JSON_LD),
    ("text/turtle;q=0", None),
    ("*/*;q=0", None),
    ("*/*;q=0, text/html", HTML),
    ("text/*;q=0, */*", JSON_LD),
    ("text/*;q=0, text/html, */*;q=0.1", HTML),
    ("image/png", None),
    ("image/*", None),
    ("application/pdf, image/*;q=0.5", None),
    # How specific: a range counts for a format only where no closer one speaks of it
    ("text/*, text/turtle;q=0.1", HTML),
    ("*/*, text/turtle;q=0.1", JSON_LD),
    ("application/*;q=0.9, */*;q=0.1", JSON_LD),
    ("*/*;q=0.9, application/*;q=0.1", TURTLE),
    ("application/*, application/ld+json;q=0.2", N_TRIPLES),
    ("text/*", TURTLE),
    ("application/*", JSON_LD),
    ("*/*, text/html", HTML),  # equal quality: what is named is wanted more than what is allowed
    # Between equals, our order
    ("text/html, text/turtle", TURTLE),
    ("application/n-triples, application/ld+json", JSON_LD),
    # Aliases
    ("application/x-turtle", TURTLE),
    ("text/n3", TURTLE),
    ("text/rdf+n3", TURTLE),
    ("application/json", JSON_LD),
    ("application/xml", RDF_XML),
    ("text/xml", RDF_XML),
    ("text/plain", N_TRIPLES),
    ("text/x-nquads", N_QUADS),
    ("application/json;q=0, application/ld+json", JSON_LD),
    ("application/ld+json;q=0, application/json", None),
    ("application/json;q=0, */*", TURTLE),
    # Parameters never exclude
    ("text/turtle;charset=utf-8", TURTLE),
    ('text/turtle; charset="UTF-8"', TURTLE),
    ("text/html;level=1", HTML),
    ("application/trig;version=1.1;q=0.4, text/html;q=0.3", TRIG),
    ('application/ld+json;profile="http://www.w3.org/ns/json-ld#compacted"', JSON_LD),
    ('application/ld+json;profile="a,b;q=0";q=0.5, text/html;q=0.4', JSON_LD),
    ('application/ld+json;profile="say \\"q=0\\", x", text/html;q=0.4', JSON_LD),
    # Malformed parts are passed over, the rest stands
    ("text/html;", HTML),
    (",,text/html,,", HTML),
    ("text/html/5, application/trig", TRIG),
    ("/html, application/trig", TRIG),
    ("text/, application/trig", TRIG),
    ("html, application/trig;q=0.1", TRIG),
    ("text/html;q=high", HTML),
    ("text/html;q=", HTML),
    ("text/html;q=nan", HTML),
    ("text/html;q=7", HTML),
    ("text/html;q=-1, application/trig;q=0.1", TRIG),
    # Nothing usable counts as nothing said
    (",", TURTLE),
    ("html", TURTLE),
    ("text/", TURTLE),
    ('"', TURTLE),
)


@pytest.mark.parametrize(
    ("accept", "expected"), DOCUMENT_CASES, ids=[str(accept) or "empty" for accept, _ in DOCUMENT_CASES]
)
def test_a_document_is_served_as_accept_asks(accept: str | None, expected: Format | None) -> None:
    assert expected == negotiate(accept, DOCUMENT_FORMATS)


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (None, JSON),
        ("*/*", JSON),
        ("application/sparql-results+json", JSON),
        ("application/json", JSON),
        ("application/sparql-results+xml", XML),
        ("application/xml", XML),
        ("text/csv", CSV),
        ("text/csv; charset=utf-8; header=present", CSV),
        ("text/tab-separated-values", TSV),
        ("text/*", CSV),
        ("text/csv;q=0.2, application/sparql-results+json;q=0.1", CSV),
        ("application/sparql-results+json;q=0, */*", XML),
        ("text/turtle", None),
        (FIREFOX, XML),
    ],
)
def test_rows_are_served_as_accept_asks(accept: str | None, expected: Format | None) -> None:
    assert expected == negotiate(accept, RESULT_FORMATS)


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (None, PROBLEM_JSON),
        ("application/problem+json", PROBLEM_JSON),
        ("application/json", PROBLEM_JSON),
        ("application/ld+json", PROBLEM_JSON),
        (CHROME, HTML),
        ("text/plain", TEXT),
        ("text/turtle", TEXT),
        ("text/csv", TEXT),
        ("application/n-triples", PROBLEM_JSON),
        ("application/sparql-results+json", PROBLEM_JSON),
        ("application/sparql-results+xml", PROBLEM_JSON),
        ("application/rdf+xml", PROBLEM_JSON),
        ("application/n-quads", PROBLEM_JSON),
        ("application/xml", PROBLEM_JSON),
    ],
)
def test_an_error_is_served_as_accept_asks(accept: str | None, expected: Format | None) -> None:
    assert expected == negotiate(accept, ERROR_FORMATS)


# --- any header at all -----------------------------------------------------------------------------------------------

MEDIA_TYPES = sorted({name for offer in OFFERS for format_ in offer for name in (format_.media_type, *format_.aliases)})
RANGES = st.sampled_from(
    [*MEDIA_TYPES, "*/*", "text/*", "application/*", "image/*", "image/png", "application/octet-stream"]
)
QUALITIES = st.sampled_from([None, 0.0, 0.001, 0.25, 0.5, 0.999, 1.0])
PARAMETERS = st.sampled_from(["", ";charset=utf-8", ';profile="a,b;q=0"', "; level=1 "])
SPOKEN = st.lists(st.tuples(RANGES, PARAMETERS, QUALITIES), min_size=1, max_size=6, unique_by=lambda part: part[0])


def header(spoken: list[tuple[str, str, float | None]]) -> str:
    return ", ".join(
        f"{media_range}{parameters}" + ("" if quality is None else f";q={quality}")
        for media_range, parameters, quality in spoken
    )


def closeness(media_range: str, format_: Format) -> int:
    """How closely a range speaks of a format: by its type, an alias, its kind, as any other, not at all."""
    if media_range == format_.media_type:
        return 4
    if media_range in format_.aliases:
        return 3
    if media_range.endswith("/*") and media_range != "*/*" and format_.media_type.startswith(media_range[:-1]):
        return 2
    return 1 if media_range == "*/*" else 0


def wanted(spoken: list[tuple[str, str, float | None]], format_: Format) -> float:
    """A format's quality: that of the closest ranges that speak of it, 0 where none does (RFC 9110 section 12.5.1)."""
    best = max(closeness(media_range, format_) for media_range, _, _ in spoken)
    qualities = [
        1.0 if quality is None else quality
        for media_range, _, quality in spoken
        if closeness(media_range, format_) == best
    ]
    return max(qualities) if best else 0.0


@given(st.text(), st.sampled_from(OFFERS))
def test_any_header_gives_an_offered_format_or_none(accept: str, offered: tuple[Format, ...]) -> None:
    assert negotiate(accept, offered) in (*offered, None)


@given(st.text(alphabet='atex/+*;,q=." \\0159'), st.sampled_from(OFFERS))
def test_any_header_of_telling_characters_gives_an_offered_format_or_none(
    accept: str, offered: tuple[Format, ...]
) -> None:
    assert negotiate(accept, offered) in (*offered, None)


@given(SPOKEN, st.sampled_from(OFFERS))
def test_what_is_chosen_is_wanted_most(
    spoken: list[tuple[str, str, float | None]], offered: tuple[Format, ...]
) -> None:
    chosen = negotiate(header(spoken), offered)
    qualities = {format_: wanted(spoken, format_) for format_ in offered}
    assert max(qualities.values()) == (0.0 if chosen is None else qualities[chosen])


@given(SPOKEN, st.sampled_from(OFFERS))
def test_the_order_of_ranges_says_nothing(
    spoken: list[tuple[str, str, float | None]], offered: tuple[Format, ...]
) -> None:
    assert negotiate(header(spoken), offered) == negotiate(header(spoken[::-1]), offered)


# --- the table itself ------------------------------------------------------------------------------------------------


def test_media_types_and_suffixes_are_unambiguous_among_what_is_offered() -> None:
    assert len(OFFERS) == 6
    for offered in OFFERS:
        assert len(offered) == len({format_.media_type for format_ in offered})
        assert len(offered) == len({format_.suffix for format_ in offered})
        assert len(offered) == len({format_.name for format_ in offered})


def test_no_alias_is_another_formats_media_type() -> None:
    for offered in OFFERS[:-2]:
        aliases = [alias for format_ in offered for alias in format_.aliases]
        assert len(aliases) == len(set(aliases))
        assert set() == set(aliases) & {format_.media_type for format_ in offered}


def test_every_format_goes_by_its_name_suffix_media_type_and_aliases() -> None:
    asked = 0
    for offered in (RDF_FORMATS, DOCUMENT_FORMATS, RESULT_FORMATS):
        for format_ in offered:
            for name in (
                format_.name,
                format_.suffix,
                format_.media_type,
                *format_.aliases,
                f" {format_.name.upper()} ",
            ):
                asked += 1
                assert format_ is named(name, offered)
    assert asked >= 80


def test_a_name_that_no_format_has_is_none() -> None:
    assert named("docx", DOCUMENT_FORMATS) is None
    assert named("", DOCUMENT_FORMATS) is None


def test_text_is_marked_as_utf_8_and_the_rest_is_not() -> None:
    marked = {format_.name: format_.content_type for format_ in (*DOCUMENT_FORMATS, *RESULT_FORMATS)}
    assert len(marked) == 11
    assert "text/turtle; charset=utf-8" == marked["ttl"]
    assert "text/html; charset=utf-8" == marked["html"]
    assert "application/ld+json" == marked["jsonld"]
    assert "application/n-triples" == marked["nt"]


def test_every_format_has_an_iri_of_the_w3c_list() -> None:
    iris = {format_.iri for format_ in (*DOCUMENT_FORMATS, *RESULT_FORMATS)}
    assert len(iris) == 11
    assert [] == sorted(iri for iri in iris if not iri.startswith("http://www.w3.org/ns/formats/"))
