"""What every client may rely on, whatever it asks: negotiation, validators, caching, links, CORS, errors, safety."""

import gzip
import hashlib
import html
import json
import re
from html.parser import HTMLParser
from urllib.parse import parse_qsl, quote, urlencode

import pytest
import serving
from serving import CHROME, HTML, JSON_LD, N_QUADS, N_TRIPLES, RDF_XML, TRIG, TURTLE, VARIANTS, Site, kind, links, vary

own_site = serving.own_site

PERSON = "https://w3id.org/tracktwo/id/person/pavel-s-zolotarev"
THING, DOCUMENT = "/id/person/pavel-s-zolotarev", "/doc/person/pavel-s-zolotarev"
BEYOND = "/describe?iri=" + quote("http://xmlns.com/foaf/0.1/Person", safe="")
RDF_TYPE, PERSON_CLASS = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type", "http://xmlns.com/foaf/0.1/Person"
CARD = "/card?iri=" + quote(PERSON, safe="")
PROBLEM = "application/problem+json"

#: Documents that come in every format, and what may stand in the place of LABEL is asked of the site.
DOCUMENTS = [DOCUMENT, "/ontology", "/shapes", "/graph/stimson-report-2022", BEYOND, "/.well-known/genid/LABEL"]
DESCRIPTIONS = ["/dataset", "/.well-known/void", "/sparql"]
PAGES = ["/", "/browse", "/browse/CLASS", "/dump/"]
FILES = [
    "/dump/dataset.nq.gz",
    "/dump/dataset.nq.gz.sha256",
    "/static/site.css",
    "/static/icon.svg",
    "/robots.txt",
    "/sitemap.xml",
]
QUERIES = ["/sparql?query=ASK%20%7B%7D", "/sparql?query=SELECT%20*%20%7B%20%3Fs%20a%20%3Fc%20%7D%20LIMIT%2050"]
REDIRECTS = [THING, THING + "/", DOCUMENT + "/", "/ontology/"]
ERRORS = {
    "/nothing/here": 404,
    "/id/person/nobody": 404,
    "/doc/person/nobody": 404,
    "/doc/person/nobody.ttl": 404,
    "/describe": 404,
    "/describe?iri=not-an-iri": 404,
    "/describe?iri=" + quote("http://example.org/nothing/said", safe=""): 404,
    "/.well-known/genid/nothing": 404,
    "/browse/Nothing": 404,
    "/dump/nothing.nq.gz": 404,
    "/static/nothing.css": 404,
    "/static/..%2Fapp.py": 404,
    "/dataset.exe": 404,
    "/sparql?query=SELECT": 400,
    "/sparql?query=": 400,
    "/sparql?query=ASK%20%7B%7D&query=ASK%20%7B%7D": 400,
    "/sparql?query=SELECT%20*%20%7B%20SERVICE%20%3Chttp%3A%2F%2F127.0.0.1%3A9%2F%3E%20%7B%7D%20%7D": 403,
    "/sparql?update=CLEAR%20ALL": 403,
}
GOOD = [*DOCUMENTS, *DESCRIPTIONS, *PAGES, *FILES, "/health"]
EVERYTHING = [*GOOD, *QUERIES, *REDIRECTS, *ERRORS]

#: `Accept` as clients send it, and the format that each then gets.
ACCEPTS = {
    "curl, wget": ("*/*", "ttl"),
    "an empty header": ("", "ttl"),
    "an asterisk alone (java.net)": ("text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2", "html"),
    "Chrome": (CHROME, "html"),
    "Firefox": ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "html"),
    "Safari": ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "html"),
    "Internet Explorer": ("image/gif, image/jpeg, image/pjpeg, text/html, */*", "html"),
    "lynx": ("text/html, text/plain, text/sgml, text/css, application/xhtml+xml, */*;q=0.01", "html"),
    "Googlebot": (
        "text/html,application/xhtml+xml,application/signed-exchange;v=b3,application/xml;q=0.9,*/*;q=0.8",
        "html",
    ),
    "rdflib for Turtle": ("text/turtle,application/x-turtle,*/*;q=0.1", "ttl"),
    "rdflib for RDF/XML": ("application/rdf+xml,*/*;q=0.1", "rdf"),
    "Jena": (
        "text/turtle,application/n-triples;q=0.9,application/ld+json;q=0.8,application/rdf+xml;q=0.7,*/*;q=0.3",
        "ttl",
    ),
    "RDF4J": (
        "application/trig;q=0.8, text/turtle;q=0.8, application/n-quads, application/rdf+xml;q=0.5, */*;q=0.1",
        "nq",
    ),
    "OWL API, Protégé": (
        "application/rdf+xml, application/xml; q=0.7, text/xml; q=0.6, text/plain; q=0.1, */*; q=0.09",
        "rdf",
    ),
    "Comunica": (
        "application/n-quads,application/trig;q=0.95,application/ld+json;q=0.9,application/n-triples;q=0.8,"
        "text/turtle;q=0.6,application/rdf+xml;q=0.5,text/n3;q=0.35,text/html;q=0.2,application/xhtml+xml;q=0.18",
        "nq",
    ),
    "rapper": (
        "application/n-triples, text/plain;q=0.1, application/rdf+xml, text/rdf;q=0.6, text/turtle;q=0.9, "
        "application/x-turtle;q=0.9, */*;q=0.1",
        "nt",
    ),
    "jsonld.js": ("application/ld+json, application/json", "jsonld"),
    "pyld": ('application/ld+json;profile="http://www.w3.org/ns/json-ld#compacted", application/json;q=0.5', "jsonld"),
    "OpenRefine": ("application/rdf+xml, text/turtle;q=0.9, text/rdf+n3;q=0.9, application/json;q=0.2", "rdf"),
    "a charset": ("text/turtle;charset=utf-8", "ttl"),
    "a quoted comma": ('application/ld+json;profile="a,b;q=0"', "jsonld"),
    "capitals and blanks": ("Text/TURTLE ; Q=1 , TEXT/html ; q=0.2", "ttl"),
    "a type's subtypes": ("application/*", "jsonld"),
    "quality before order": ("text/turtle;q=0.3, application/rdf+xml;q=0.7", "rdf"),
    "the more specific range": ("*/*;q=1, text/turtle;q=0.1, application/ld+json;q=0.2", "nt"),
    "q=0 of the first": ("text/turtle;q=0, */*", "jsonld"),
    "q=0 of HTML": ("text/html;q=0, text/*", "ttl"),
    "q=0.000": ("application/ld+json;q=0.000, application/*;q=0.5", "nt"),
    "an old name of Turtle": ("application/x-turtle", "ttl"),
    "N3": ("text/n3", "ttl"),
    "plain JSON": ("application/json", "jsonld"),
    "plain XML": ("application/xml", "rdf"),
    "XML as text": ("text/xml", "rdf"),
    "plain text": ("text/plain", "nt"),
    "XHTML": ("application/xhtml+xml", "html"),
    "nonsense beside a type": ("foo, text/turtle;q=x, ;;;", "ttl"),
    "only nonsense": ("nonsense", "ttl"),
}
UNACCEPTABLE = ["image/png", "text/turtle;q=0", "application/pdf, image/*", "*/*;q=0", "text/html;q=0, text/csv"]


@pytest.fixture(scope="module")
def places(own_site: Site) -> dict[str, str]:
    """A blank node's label and the name of a class, which only the site knows."""
    quads = gzip.decompress(own_site.get("/dump/dataset.nq.gz").content).decode()
    label = re.search(r"^_:(\w+) ", quads, re.MULTILINE)
    class_ = re.search(r'href="/browse/([^"]+)"', own_site.get("/", HTML).text)
    assert label
    assert class_
    return {"LABEL": label[1], "CLASS": class_[1]}


def filled(path: str, places: dict[str, str]) -> str:
    return path.replace("LABEL", places["LABEL"]).replace("CLASS", places["CLASS"])


class Head(HTMLParser):
    """The `link` elements of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[serving.Link] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "link" and values["rel"] not in ("stylesheet", "icon"):
            self.links.append(serving.Link(values["href"], values["rel"], values.get("type", "")))


# Things, documents, terms: rows 1 to 3


def test_a_thing_is_303_to_its_document(own_site: Site) -> None:
    response = own_site.get(THING)
    assert (303, own_site.url[:-1] + DOCUMENT) == (response.status_code, response.headers["location"])
    assert own_site.url[:-1] + DOCUMENT in response.text
    assert len(response.content) < 500
    assert "accept" in vary(response)


def test_a_303_names_the_document_and_its_variants(own_site: Site) -> None:
    found = links(own_site.get(THING))
    assert [own_site.url[:-1] + DOCUMENT] == [link.href for link in found if link.rel == "describedby"]
    assert {VARIANTS[suffix]: f"{own_site.url[:-1]}{DOCUMENT}.{suffix}" for suffix in VARIANTS} == {
        link.type: link.href for link in found if link.rel == "alternate"
    }


@pytest.mark.parametrize("accept", [None, "*/*", CHROME, TURTLE, "image/png"])
def test_a_thing_is_303_whatever_is_accepted(own_site: Site, accept: str | None) -> None:
    assert own_site.get(THING, accept).status_code == 303


def test_a_hash_document_describes_every_term(own_site: Site) -> None:
    data = own_site.get("/ontology", N_TRIPLES).text
    page = own_site.get("/ontology", HTML).text
    terms = set(re.findall(r"^<https://w3id.org/tracktwo/ontology#([^>]+)> ", data, re.MULTILINE))
    assert len(terms) > 90
    assert terms == set(re.findall(r' id="([^"]+)"', page)) & terms


@pytest.mark.parametrize("path", [*DOCUMENTS, *DESCRIPTIONS])
@pytest.mark.parametrize("suffix", VARIANTS)
def test_content_location_is_the_variant_itself(own_site: Site, places: dict[str, str], path: str, suffix: str) -> None:
    response = own_site.get(filled(path, places), VARIANTS[suffix])
    assert (200, VARIANTS[suffix]) == (response.status_code, kind(response))
    variant = own_site.get(own_site.below(response.headers["content-location"]))
    assert (200, VARIANTS[suffix]) == (variant.status_code, kind(variant))
    assert response.content == variant.content


@pytest.mark.parametrize("path", [DOCUMENT, "/ontology", "/shapes", "/graph/stimson-report-2022", "/dataset"])
@pytest.mark.parametrize("suffix", VARIANTS)
def test_a_suffix_serves_one_type_whatever_is_accepted(own_site: Site, path: str, suffix: str) -> None:
    for accept in (None, "*/*", CHROME, RDF_XML, "image/png", f"{VARIANTS[suffix]};q=0"):
        response = own_site.get(f"{path}.{suffix}", accept)
        assert (200, VARIANTS[suffix]) == (response.status_code, kind(response)), accept
        assert "accept" not in vary(response)
        assert "content-location" not in response.headers


@pytest.mark.parametrize("path", [*DOCUMENTS, *DESCRIPTIONS])
def test_every_alternate_is_served_as_its_type(own_site: Site, places: dict[str, str], path: str) -> None:
    alternates = [link for link in links(own_site.get(filled(path, places))) if link.rel == "alternate"]
    assert sorted(VARIANTS.values()) == sorted(link.type for link in alternates)
    for link in alternates:
        response = own_site.get(own_site.below(link.href), "image/png")
        assert (200, link.type) == (response.status_code, kind(response)), link


# Choosing: rows 4 to 8


@pytest.mark.parametrize("client", ACCEPTS)
def test_a_client_gets_what_it_prefers(own_site: Site, client: str) -> None:
    accept, suffix = ACCEPTS[client]
    response = own_site.get(DOCUMENT, accept)
    assert (200, VARIANTS[suffix]) == (response.status_code, kind(response))


def test_without_accept_the_document_is_turtle(own_site: Site) -> None:
    assert kind(own_site.get(DOCUMENT)) == TURTLE


def test_accept_in_several_fields_is_one_list(own_site: Site) -> None:
    fields = "Host: x\r\nAccept: image/png\r\nAccept: text/html;q=0.1\r\nConnection: close\r\n"
    lines = f"GET {DOCUMENT} HTTP/1.1\r\n{fields}\r\n"
    head, _, _ = own_site.raw(lines.encode()).partition(b"\r\n\r\n")
    assert b" 200 " in head.splitlines()[0]
    assert b"content-type: text/html; charset=utf-8" in head.lower()


@pytest.mark.parametrize("suffix", VARIANTS)
def test_text_is_marked_as_utf_8(own_site: Site, suffix: str) -> None:
    response = own_site.get(f"{DOCUMENT}.{suffix}")
    text = VARIANTS[suffix].startswith("text/")
    assert VARIANTS[suffix] + ("; charset=utf-8" if text else "") == response.headers["content-type"]
    assert "Павел" in response.content.decode() or suffix in ("nt", "nq", "jsonld", "rdf")


@pytest.mark.parametrize("path", [*DOCUMENTS, *DESCRIPTIONS])
@pytest.mark.parametrize("accept", UNACCEPTABLE)
def test_406_lists_the_variants_in_body_and_link(
    own_site: Site, places: dict[str, str], path: str, accept: str
) -> None:
    response = own_site.get(filled(path, places), accept)
    assert response.status_code == 406
    assert sorted(VARIANTS.values()) == sorted(link.type for link in links(response) if link.rel == "alternate")
    assert all(media_type in response.text for media_type in VARIANTS.values())
    assert "accept" in vary(response)


@pytest.mark.parametrize("path", [*DOCUMENTS, *DESCRIPTIONS])
def test_vary_names_accept_wherever_formats_are_negotiated(own_site: Site, places: dict[str, str], path: str) -> None:
    place = filled(path, places)
    whole = own_site.get(place, TURTLE)
    for response in (
        whole,
        own_site.get(place, TURTLE, if_none_match=whole.headers["etag"]),
        own_site.get(place, "image/png"),
    ):
        assert "accept" in vary(response), response.status_code
    assert "accept-encoding" in vary(whole)


# Validators: row 9


@pytest.mark.parametrize("path", [*DOCUMENTS, *DESCRIPTIONS])
def test_entity_tags_are_strong_and_differ_by_variant(own_site: Site, places: dict[str, str], path: str) -> None:
    tags = {}
    for suffix, media_type in VARIANTS.items():
        for coding in ("identity", "gzip"):
            response = own_site.get(filled(path, places), media_type, accept_encoding=coding)
            assert re.fullmatch(r'"[\x21\x23-\x7e]+"', response.headers["etag"])
            tags[suffix, response.headers.get("content-encoding", "identity")] = response.headers["etag"]
    assert len(tags) >= len(VARIANTS)
    assert len(tags) == len(set(tags.values()))


@pytest.mark.parametrize("path", [path for path in GOOD if path not in ("/health", "/robots.txt", "/sitemap.xml")])
def test_a_validator_saves_the_transfer(own_site: Site, places: dict[str, str], path: str) -> None:
    whole = own_site.get(filled(path, places))
    tag, modified = whole.headers["etag"], whole.headers["last-modified"]
    for method in ("GET", "HEAD"):
        for conditions in (
            {"if_none_match": tag},
            {"if_none_match": f'"other", {tag}'},
            {"if_none_match": f"W/{tag}"},
            {"if_none_match": "*"},
            {"if_modified_since": modified},
            {"if_none_match": tag, "if_modified_since": "Mon, 01 Jan 2001 00:00:00 GMT"},
        ):
            response = own_site.ask(method, filled(path, places), None, None, **conditions)
            assert response.status_code == 304, conditions
            assert response.content == b""
            for name in ("etag", "cache-control", "vary", "content-location"):  # RFC 9110 section 15.4.5
                assert whole.headers.get(name) == response.headers.get(name), name


@pytest.mark.parametrize("path", [path for path in GOOD if path not in ("/health", "/robots.txt", "/sitemap.xml")])
def test_what_is_not_current_is_sent_whole(own_site: Site, places: dict[str, str], path: str) -> None:
    whole = own_site.get(filled(path, places))
    for conditions in (
        {"if_none_match": '"other"'},
        {"if_modified_since": "Mon, 01 Jan 2001 00:00:00 GMT"},
        {"if_modified_since": "yesterday"},
        {"if_none_match": '"other"', "if_modified_since": whole.headers["last-modified"]},
    ):
        response = own_site.get(filled(path, places), **conditions)
        assert (200, whole.content) == (response.status_code, response.content), conditions


def test_the_tag_of_another_variant_saves_nothing(own_site: Site) -> None:
    page = own_site.get(DOCUMENT, HTML).headers["etag"]
    assert own_site.get(DOCUMENT, TURTLE, if_none_match=page).status_code == 200


def test_tags_are_the_same_in_all_processes(own_site: Site) -> None:
    tags = set()
    for _ in range(12):  # a new connection each time, so that both processes get some
        head = own_site.raw(f"HEAD {DOCUMENT} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        found = re.search(rb'(?im)^etag: ("[^"]+")', head)
        assert found
        tags.add(found[1])
    assert len(tags) == 1


def test_gzip_has_a_tag_of_its_own_and_revalidates(own_site: Site) -> None:
    plain = own_site.get("/ontology", TURTLE)
    packed = own_site.get("/ontology", TURTLE, accept_encoding="gzip")
    assert packed.headers["content-encoding"] == "gzip"
    assert plain.content == packed.content  # the client unpacks
    assert int(packed.headers["content-length"]) < int(plain.headers["content-length"]) / 3
    again = own_site.get("/ontology", TURTLE, accept_encoding="gzip", if_none_match=packed.headers["etag"])
    assert (304, packed.headers["etag"]) == (again.status_code, again.headers["etag"])
    assert {"accept", "accept-encoding"} <= vary(again)


@pytest.mark.parametrize("coding", ["identity", "gzip", "gzip;q=0", "br", "gzip;q=0.5, identity;q=0.1", "*"])
def test_a_304_names_the_tag_of_the_coding_that_would_be_sent(own_site: Site, coding: str) -> None:
    tags = [own_site.get("/ontology", TURTLE, accept_encoding=name).headers["etag"] for name in ("identity", "gzip")]
    whole = own_site.get("/ontology", TURTLE, accept_encoding=coding)
    again = own_site.get("/ontology", TURTLE, accept_encoding=coding, if_none_match=", ".join(tags))
    assert (304, whole.headers["etag"]) == (again.status_code, again.headers["etag"])


@pytest.mark.parametrize("coding", ["gzip;q=0", "br", "identity", "deflate, br;q=0.9"])
def test_who_does_not_accept_gzip_gets_none(own_site: Site, coding: str) -> None:
    response = own_site.get("/ontology", TURTLE, accept_encoding=coding)
    assert "content-encoding" not in response.headers
    assert "accept-encoding" in vary(response)


@pytest.mark.parametrize("path", EVERYTHING)
@pytest.mark.parametrize("accept", [None, CHROME])
def test_a_coding_changes_nothing_but_the_bytes_on_the_way(
    own_site: Site, places: dict[str, str], path: str, accept: str | None
) -> None:
    place = filled(path, places)
    plain, packed = own_site.get(place, accept), own_site.get(place, accept, accept_encoding="gzip, deflate, br, zstd")
    assert (plain.status_code, plain.content) == (packed.status_code, packed.content)
    left_out = {"date", "etag", "content-length", "content-encoding", "transfer-encoding"}
    assert {name: value for name, value in plain.headers.items() if name not in left_out} == {
        name: value for name, value in packed.headers.items() if name not in left_out
    }


@pytest.mark.parametrize("path", EVERYTHING)
@pytest.mark.parametrize("accept", [None, CHROME])
def test_head_has_the_headers_of_get(own_site: Site, places: dict[str, str], path: str, accept: str | None) -> None:
    place = filled(path, places)
    get, head = own_site.get(place, accept), own_site.head(place, accept)
    streamed = {"date", "transfer-encoding", "content-length"} if "transfer-encoding" in get.headers else {"date"}
    assert get.status_code == head.status_code
    assert head.content == b""
    assert {name: value for name, value in get.headers.items() if name not in streamed} == {
        name: value for name, value in head.headers.items() if name not in streamed
    }


@pytest.mark.parametrize("path", ["/", "/about", "/limits", "/dump/", "/around?iri=" + quote(PERSON, safe="")])
def test_a_page_without_data_is_406_for_who_takes_no_page(own_site: Site, path: str) -> None:
    refused = own_site.get(path, TURTLE)
    assert refused.status_code == 406
    assert [(HTML, own_site.url[:-1] + path)] == [(link.type, link.href) for link in links(refused)]
    for other in (None, "*/*", CHROME):
        response = own_site.get(path, other)
        assert (200, HTML) == (response.status_code, kind(response))
        assert "accept" in vary(response)


@pytest.mark.parametrize(
    "path",
    [
        DOCUMENT + "?lang=ru",
        BEYOND + "&lang=ru",
        "/browse/CLASS?all=x&lang=ru",
        "/search?q=meeting&start=25&lang=ru",
        "/sparql?lang=ru",
        "/query/?lang=ru",
        "/why?lang=ru&" + urlencode({"subject": PERSON, "property": RDF_TYPE, "object": PERSON_CLASS}),
    ],
)
def test_the_location_of_a_page_is_that_very_page(own_site: Site, places: dict[str, str], path: str) -> None:
    page = own_site.get(filled(path, places), CHROME)
    assert (200, "ru") == (page.status_code, page.headers["content-language"])
    location = own_site.below(page.headers["content-location"])
    assert set(parse_qsl(path.partition("?")[2])) <= set(parse_qsl(location.partition("?")[2]))
    variant = own_site.get(location, TURTLE)
    assert (200, page.content) == (variant.status_code, variant.content)


def test_a_format_that_nothing_has_is_refused(own_site: Site) -> None:
    response = own_site.get(BEYOND + "&format=zzz", CHROME)
    assert response.status_code == 400
    assert "zzz" in response.text


# Caching and the release: rows 9 and 10


@pytest.mark.parametrize("path", ["/robots.txt", "/sitemap.xml", "/opensearch.xml", "/vocabulary", CARD])
def test_a_small_file_has_validators_too(own_site: Site, path: str) -> None:
    whole = own_site.get(path)
    for condition in ({"if_none_match": whole.headers["etag"]}, {"if_modified_since": whole.headers["last-modified"]}):
        assert own_site.get(path, **condition).status_code == 304


@pytest.mark.parametrize("path", [*EVERYTHING, "/health"])
def test_every_response_names_the_release(own_site: Site, places: dict[str, str], path: str) -> None:
    release = own_site.get("/health").text.strip()
    assert re.fullmatch(r"\d{4}-\d\d-\d\d-[0-9a-f]{12}", release)
    for accept in (None, CHROME):
        assert release == own_site.get(filled(path, places), accept).headers["tracktwo-release"]


@pytest.mark.parametrize("path", [*DOCUMENTS, *DESCRIPTIONS, *PAGES, *FILES[:4], "/sitemap.xml"])
def test_what_is_published_may_be_cached(own_site: Site, places: dict[str, str], path: str) -> None:
    for accept in (None, CHROME):
        response = own_site.get(filled(path, places), accept)
        assert re.search(r"\bpublic, max-age=[1-9]\d*", response.headers.get("cache-control", "(none)"))


@pytest.mark.parametrize("path", ERRORS)
@pytest.mark.parametrize("accept", [None, CHROME])
def test_errors_are_not_stored(own_site: Site, path: str, accept: str | None) -> None:
    response = own_site.get(path, accept)
    assert ERRORS[path] == response.status_code
    assert response.headers["cache-control"] == "no-store"


# Links: row 11


@pytest.mark.parametrize("path", DOCUMENTS)
def test_a_document_is_linked(own_site: Site, places: dict[str, str], path: str) -> None:
    found = {link.rel for link in links(own_site.get(filled(path, places)))}
    assert {"canonical", "alternate", "describes", "license", "collection", "cite-as"} <= found
    assert "type" in found or "/genid/" in path  # a cell of a list has no type


def test_the_links_of_a_document_lead_where_they_say(own_site: Site) -> None:
    found = {link.rel: link.href for link in links(own_site.get(DOCUMENT)) if link.rel != "alternate"}
    assert found["canonical"] == "https://w3id.org/tracktwo/doc/person/pavel-s-zolotarev"
    assert found["describes"] == PERSON
    assert found["cite-as"] == PERSON
    assert found["collection"] == "https://w3id.org/tracktwo/dataset"
    assert found["license"] == "https://creativecommons.org/publicdomain/zero/1.0/"


@pytest.mark.parametrize("path", [*DOCUMENTS, *DESCRIPTIONS, "/"])
def test_the_page_has_the_links_of_its_header(own_site: Site, places: dict[str, str], path: str) -> None:
    response = own_site.get(filled(path, places), HTML)
    assert len(links(response)) >= 2
    assert sorted(links(response), key=str) == sorted(Head(response.text).links, key=str)


BASE = "https://w3id.org/tracktwo/"
TRANSLATED = [
    *("/", "/about", "/dataset", "/dump/", "/search?q=Yesin", "/query/", "/query/meetings-by-dialogue", DOCUMENT),
    *("/ontology", BEYOND, "/browse/meeting?isHeldAs=virtual", "/around?iri=" + quote(PERSON, safe="")),
    "/links?" + urlencode({"iri": f"{BASE}id/state/russia", "property": f"{BASE}ontology#isOnSideOf"}),
    "/why?" + urlencode({"subject": PERSON, "property": RDF_TYPE, "object": PERSON_CLASS}),
]


def hreflangs(text: str) -> dict[str, str]:
    found = re.findall(r'<link rel="alternate" href="([^"]*)" hreflang="([^"]*)">', text)
    return {language: html.unescape(url) for url, language in found}


@pytest.mark.parametrize("path", TRANSLATED)
def test_each_language_of_a_page_is_canonical_by_itself(own_site: Site, path: str) -> None:
    """RFC 6596; search engines want each language to name itself, and all of them alike, the neutral one among them."""
    said = hreflangs(own_site.get(path, HTML).text)
    assert ["en", "ru", "x-default"] == list(said)
    for url in said.values():
        assert url.startswith(own_site.url)
        response = own_site.get(own_site.below(url), HTML)
        assert response.status_code == 200
        assert [url] == [link.href for link in links(response) if link.rel == "canonical"]
        assert said == hreflangs(response.text)
        assert f'<meta property="og:url" content="{html.escape(url)}">' in response.text


def test_one_format_of_a_page_has_the_pages_canonical_url(own_site: Site) -> None:
    for path in (DOCUMENT + ".html", "/describe?iri=http%3A%2F%2Fxmlns.com%2Ffoaf%2F0.1%2FPerson&format=html"):
        found = {link.rel: link.href for link in links(own_site.get(path, HTML)) if link.rel != "alternate"}
        assert found["canonical"] == own_site.url[:-1] + re.sub(r"\.html$|&format=html$", "", path)


# Looking up: row 12, of names in ASCII (the foreign site has the rest)


@pytest.mark.parametrize(
    ("spelt", "true"),
    [
        (THING + "/", THING),
        (DOCUMENT + "/", DOCUMENT),
        ("/ontology/", "/ontology"),
        ("/dataset/", "/dataset"),
        ("/%69d/person/pavel-s-zolotarev", THING),
        ("/id/person/pavel%2Ds%2Dzolotarev", THING),
        ("/id/person/pavel%2ds%2dzolotarev", THING),
        ("/doc/person/pavel%2Ds-zolotarev", DOCUMENT),
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_another_spelling_redirects_to_the_true_one(own_site: Site, spelt: str, true: str, method: str) -> None:
    response = own_site.ask(method, spelt)
    assert response.status_code in (301, 308)
    assert own_site.url[:-1] + true == response.headers["location"]


@pytest.mark.parametrize(
    "path", ["/id%2Fperson%2Fpavel-s-zolotarev", "/id/person%2Fpavel-s-zolotarev", "/ID/person/pavel-s-zolotarev"]
)
def test_an_encoded_slash_or_another_case_is_another_name(own_site: Site, path: str) -> None:
    assert own_site.get(path).status_code == 404


def test_a_described_iri_of_ours_leads_to_its_document(own_site: Site) -> None:
    for iri in (PERSON, PERSON.replace("https:", "http:"), PERSON + "/", PERSON.replace("-", "%2D")):
        response = own_site.get("/describe?iri=" + quote(iri, safe=""))
        assert response.status_code in (301, 302, 303, 307, 308), iri
        assert own_site.below(response.headers["location"]) in (THING, DOCUMENT), iri


def test_a_parameter_that_nobody_asked_for_changes_nothing(own_site: Site) -> None:
    response = own_site.get(DOCUMENT + "?utm_source=x&fbclid=1", TURTLE)
    assert (200, own_site.get(DOCUMENT, TURTLE).content) == (response.status_code, response.content)


# CORS: row 13


@pytest.mark.parametrize("path", [*EVERYTHING, "/health"])
def test_any_origin_may_read_every_response(own_site: Site, places: dict[str, str], path: str) -> None:
    response = own_site.get(filled(path, places), origin="https://elsewhere.example")
    assert response.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in response.headers
    exposed = {name.strip().lower() for name in response.headers["access-control-expose-headers"].split(",")}
    assert {"link", "etag", "location", "content-location", "vary", "tracktwo-release", "tracktwo-truncated"} <= exposed


@pytest.mark.parametrize("path", [*EVERYTHING, "/health"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_preflight_is_204(own_site: Site, places: dict[str, str], path: str, method: str) -> None:
    response = own_site.ask(
        "OPTIONS",
        filled(path, places),
        origin="https://elsewhere.example",
        access_control_request_method=method,
        access_control_request_headers="content-type, accept",
    )
    assert (response.status_code, response.content) == (204, b"")
    assert response.headers["access-control-allow-origin"] == "*"
    assert method in re.split(r",\s*", response.headers["access-control-allow-methods"])
    assert {"accept", "content-type"} <= set(
        re.split(r",\s*", response.headers["access-control-allow-headers"].lower())
    )
    assert int(response.headers["access-control-max-age"]) > 0


# Errors: row 23


@pytest.mark.parametrize("path", ERRORS)
@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        (CHROME, HTML),
        (PROBLEM, PROBLEM),
        ("application/json", PROBLEM),
        (JSON_LD, PROBLEM),
        ("text/plain", "text/plain"),
        ("*/*", PROBLEM),
        (None, PROBLEM),
    ],
)
def test_an_error_has_the_shape_that_is_accepted(own_site: Site, path: str, accept: str | None, wanted: str) -> None:
    response = own_site.get(path, accept)
    assert (ERRORS[path], wanted) == (response.status_code, kind(response))
    assert "accept" in vary(response)
    if wanted == PROBLEM:
        told = response.json()
        assert ERRORS[path] == told["status"]
        assert {"type", "title", "detail"} <= told.keys()
        assert told["detail"]
    else:
        assert str(ERRORS[path]) in response.text


@pytest.mark.parametrize("accept", [TURTLE, N_TRIPLES, RDF_XML, TRIG, N_QUADS, "image/png", "text/csv"])
def test_an_error_is_never_labelled_as_data(own_site: Site, accept: str) -> None:
    response = own_site.get("/nothing/here", accept)
    assert response.status_code == 404
    assert kind(response) in (PROBLEM, HTML, "text/plain")


@pytest.mark.parametrize(
    "path", [THING, DOCUMENT, DOCUMENT + ".ttl", "/", "/dataset", "/dump/", "/ontology", "/health", "/nothing/here"]
)
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "PROPFIND", "TRACE"])
def test_another_method_is_405_with_what_is_allowed(own_site: Site, path: str, method: str) -> None:
    response = own_site.ask(method, path, "text/plain", b"x")
    assert response.status_code == 405
    assert {"GET", "HEAD"} <= set(re.split(r",\s*", response.headers["allow"]))
    assert not {"POST", "PUT", "DELETE", "PATCH"} & set(re.split(r",\s*", response.headers["allow"]))
    assert response.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "path",
    [
        "/%",
        "/%zz",
        "/%ff%fe",
        "/id/%00",
        "/id/a%0d%0ax",
        "/id/..%2f..",
        "/../../etc/passwd",
        "/./id",
        "/" + "a" * 6000,
        "/%F0%9F%92%A9",
        "/id/" + "%2F" * 500,
    ],
)
def test_a_strange_path_is_not_found_and_no_fault(own_site: Site, path: str) -> None:
    response = own_site.get(path, CHROME)
    assert response.status_code in (400, 404, 414)
    assert {"text/html"} == {kind(response)}


def test_the_absolute_form_of_a_target_is_understood(own_site: Site) -> None:
    request = f"GET {own_site.url[:-1]}{DOCUMENT} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
    assert b" 200 " in own_site.raw(request.encode()).splitlines()[0]  # RFC 9112 section 3.2.2


# Safety: row 24


@pytest.mark.parametrize("path", [*EVERYTHING, "/health"])
def test_every_response_forbids_scripts_and_sniffing(own_site: Site, places: dict[str, str], path: str) -> None:
    for accept in (None, CHROME):
        response = own_site.get(filled(path, places), accept)
        policy = dict(
            part.strip().partition(" ")[::2] for part in response.headers["content-security-policy"].split(";")
        )
        assert policy["default-src"] == "'none'"
        assert {"'self'", "'none'"} >= {
            policy.get(name, "'none'") for name in ("script-src", "style-src", "connect-src", "form-action")
        }
        assert (policy["base-uri"], policy["frame-ancestors"]) == ("'none'", "'none'")
        assert response.headers["x-content-type-options"] == "nosniff"


def test_markup_in_a_url_comes_back_escaped(own_site: Site) -> None:
    for path in (
        "/<script>alert(1)</script>",
        "/describe?iri=x:<script>alert(1)</script>",
        "/sparql?query=%3Cscript%3Ealert(1)%3C/script%3E",
        "/sparql?query=%3C/textarea%3E%3Cscript%3E",
    ):
        assert "<script>" not in own_site.get(path, CHROME).text


# Files


def test_a_dump_matches_its_checksum(own_site: Site) -> None:
    names = sorted(set(re.findall(r'href="/dump/(dataset\.\w+\.gz)"', own_site.get("/dump/", HTML).text)))
    assert len(names) == 5
    for name in names:
        said, told = own_site.get(f"/dump/{name}.sha256").text.split()
        content = own_site.get(f"/dump/{name}").content
        assert (name, hashlib.sha256(content).hexdigest()) == (told, said)


def test_a_dump_is_a_file_and_not_a_coding(own_site: Site) -> None:
    response = own_site.get("/dump/dataset.nq.gz", accept_encoding="gzip")
    assert kind(response) == "application/gzip"
    assert "content-encoding" not in response.headers
    assert int(response.headers["content-length"]) == len(response.content)


def test_a_dump_can_be_resumed(own_site: Site) -> None:
    whole = own_site.get("/dump/dataset.nq.gz")
    rest = own_site.get("/dump/dataset.nq.gz", range="bytes=1000-", if_range=whole.headers["etag"])
    assert (206, whole.content[1000:]) == (rest.status_code, rest.content)
    assert f"bytes 1000-{len(whole.content) - 1}/{len(whole.content)}" == rest.headers["content-range"]
    other = own_site.get("/dump/dataset.nq.gz", range="bytes=1000-", if_range='"other"')
    assert (200, whole.content) == (other.status_code, other.content)
    beyond = own_site.get("/dump/dataset.nq.gz", range=f"bytes={len(whole.content) + 5}-")
    assert beyond.status_code == 416


def test_the_sitemap_lists_every_document_once(own_site: Site) -> None:
    urls = re.findall(r"<loc>(.*?)</loc>", own_site.get("/sitemap.xml").text)
    assert len(urls) > 300
    assert len(urls) == len(set(urls))
    assert own_site.url[:-1] + DOCUMENT in urls


@pytest.mark.parametrize("part", ["1", "7", "-1", "99999999999999999999", "x", ""])
def test_a_part_that_the_sitemap_lacks_is_404(own_site: Site, part: str) -> None:
    assert own_site.get(f"/sitemap.xml?part={part}").status_code == 404
    assert own_site.get("/sitemap.xml?part=0").content == own_site.get("/sitemap.xml").content


def test_problem_details_of_a_query_say_line_and_column(own_site: Site) -> None:
    told = json.loads(own_site.query("SELECT *\nWHERE { ?s ?p }").content)
    assert (told["status"], told["line"]) == (400, 2)
    assert told["column"] > 1
