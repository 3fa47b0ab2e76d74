"""The SPARQL 1.1 Protocol without IO: what a request asks for, and what of it is refused.

Whether the text is a query, and which form it has, the engine says; here only what must be known before that:
exactly one query, a dataset, acceptable formats, and no text that would reach out or write.
"""

import re
import threading
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from tracktwo import querytext
from tracktwo.errors import BadRequest, Forbidden, TooLarge, UnsupportedMedia
from tracktwo.formats import HTML, RDF_FORMATS, RESULT_FORMATS, Format, named, negotiate
from tracktwo.links import is_valid_iri
from tracktwo.store import Query

FORM = "application/x-www-form-urlencoded"
DIRECT = "application/sparql-query"
UPDATE = "application/sparql-update"

_PARAMETERS = ("query", "update", "default-graph-uri", "named-graph-uri", "format")

#: What clients call our formats; a media type here serves rows and triples alike.
_NAMES = {
    "json": "application/json",
    "xml": "application/xml",
    "turtle": "ttl",
    "n3": "ttl",
    "n-triples": "nt",
    "ntriples": "nt",
    "n-quads": "nq",
    "nquads": "nq",
    "json-ld": "jsonld",
    "rdf+xml": "rdf",
    "rdfxml": "rdf",
}

_UPDATES = ("INSERT", "DELETE", "LOAD", "CLEAR", "CREATE", "DROP", "COPY", "MOVE", "ADD", "WITH")
_REACHING = re.compile("|".join(("SERVICE", *_UPDATES)), re.IGNORECASE)


@dataclass(frozen=True)
class Request:
    """What arrived: method, the URL's raw query string, the body, its type and coding, `Accept`, whom it counts for."""

    method: str
    query_string: str
    content_type: str
    body: bytes
    accept: str | None
    client: str = ""
    gone: threading.Event = field(default_factory=threading.Event, compare=False)
    arrived: float = field(default_factory=time.monotonic, compare=False)
    coding: str = ""


def has_query(request: Request) -> bool:
    """Does the request ask anything? A GET without parameters asks for the service description."""
    return request.method not in ("GET", "HEAD") or any(
        name in ("query", "update") for name, _ in _decoded(request.query_string.encode())
    )


@dataclass(frozen=True)
class Rules:
    """What a query may be: its text's bytes, our prefixes, and the endpoints that it may ask in turn."""

    query_bytes: int
    prefixes: Mapping[str, str]
    services: Collection[str] = ()


def read(request: Request, rules: Rules) -> Query:
    """The one query of a request (SPARQL 1.1 Protocol section 2.1).

    Raises `BadRequest`, `UnsupportedMedia`, `TooLarge`, or `Forbidden`.
    """
    pairs, direct = _parts(request)
    values: dict[str, list[str]] = {name: [value for key, value in pairs if key == name] for name in _PARAMETERS}
    if values["update"]:
        raise Forbidden("This endpoint answers queries; it takes no updates.")
    texts = values["query"] + direct
    if len(texts) != 1:
        raise BadRequest(
            f"A request needs exactly one query; this one has {len(texts)}.", hint="SPARQL 1.1 Protocol, section 2.1"
        )
    if not texts[0].strip():
        raise BadRequest("The query is empty.")
    if len(texts[0].encode()) > rules.query_bytes:
        raise TooLarge(f"The query is over {rules.query_bytes} bytes.")
    federated = check_reach(texts[0], rules.prefixes, rules.services)
    results, graph = _formats(request.accept, values["format"])
    return Query(
        texts[0],
        _graphs(values, "default-graph-uri"),
        _graphs(values, "named-graph-uri"),
        results,
        graph,
        request.client,
        federated,
        request.gone,
        request.arrived,
    )


def check_reach(text: str, prefixes: Mapping[str, str], allowed: Collection[str]) -> bool:
    """Does the query ask other endpoints? Raises `Forbidden` unless all are allowed, and for updates, however spelt.

    The engine's `SERVICE SILENT` would answer one empty solution where the kernel refuses the connection, so the
    text has to be refused as well.
    """
    federated = False
    for form in dict.fromkeys((text, querytext.spelt_out(text)[0], querytext.unescaped(text))):
        if not _REACHING.search(form):  # reading a text token by token takes long where it is long
            continue
        if querytext.is_open(form):
            raise BadRequest("A long string of the query is not closed.")
        words = querytext.words(form)
        if words and words[0] in _UPDATES:
            raise Forbidden("This endpoint answers queries; it takes no updates.")
        if targets := querytext.services_in(form, prefixes):
            federated = True
            if not all(target in allowed for target in targets):
                raise _not_allowed(allowed)
    return federated


def _not_allowed(allowed: Collection[str]) -> Forbidden:
    if not allowed:
        return Forbidden(
            "SERVICE is refused: this server opens no connections for a query.",
            hint="Ask the other endpoint yourself, or use a federating client.",
        )
    return Forbidden("SERVICE is refused but for the endpoints allowed here.", hint="Allowed: " + ", ".join(allowed))


def _parts(request: Request) -> tuple[list[tuple[str, str]], list[str]]:
    """All parameters of URL and body, and the query texts that are bodies themselves."""
    pairs = _decoded(request.query_string.encode())
    if request.method in ("GET", "HEAD"):
        return pairs, []
    kind, charset = _media_type(request.content_type)
    if kind == UPDATE:
        raise Forbidden("This endpoint answers queries; it takes no updates.")
    if kind not in (FORM, DIRECT):
        raise UnsupportedMedia(
            f"A query is sent as {FORM} or {DIRECT}, not as {kind or 'a body without Content-Type'}."
        )
    if request.coding.strip().lower() not in ("", "identity"):
        raise UnsupportedMedia(f"A query is sent as it is, not as {request.coding}.")
    if charset not in ("", "utf-8", "utf8"):
        raise UnsupportedMedia(f"A query is sent in UTF-8, not in {charset}.")
    return (pairs + _decoded(request.body), []) if kind == FORM else (pairs, [_utf8(request.body)])


def _media_type(header: str) -> tuple[str, str]:
    """(media type, charset), both in lower case."""
    kind, *parameters = (part.strip().lower() for part in header.split(";"))
    charset = next(
        (
            value.strip(' "')
            for name, _, value in (part.partition("=") for part in parameters)
            if name.strip() == "charset"
        ),
        "",
    )
    return kind, charset


def _decoded(text: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(text.decode("utf-8"), keep_blank_values=True, errors="strict", max_num_fields=10_000)
    except (UnicodeDecodeError, ValueError) as error:
        raise BadRequest("The parameters are not UTF-8.") from error


def _utf8(body: bytes) -> str:
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadRequest("The query is not UTF-8.") from error


def _graphs(values: Mapping[str, Sequence[str]], name: str) -> tuple[str, ...] | None:
    """The graphs that a parameter names; None where no dataset parameter is there, empty where only the other is."""
    if not values["default-graph-uri"] and not values["named-graph-uri"]:
        return None
    for iri in values[name]:
        if not is_valid_iri(iri):
            raise BadRequest(f"{name} must be an absolute IRI, not “{iri}”.")
    return tuple(values[name])


def _formats(accept: str | None, asked: Sequence[str]) -> tuple[Format | None, Format | None]:
    """The format for rows and the one for triples, by the parameter `format` if that names one, else by `Accept`.

    Clients send names of their own with an `Accept` that says what they mean, so only without one is an unknown name
    an error.
    """
    for name in asked[-1].split(",") if asked else ():
        plain = name.strip().lower().replace(" ", "+")  # a plus that was not encoded
        if named(plain, (HTML,)):
            return negotiate(accept, RESULT_FORMATS), negotiate(accept, RDF_FORMATS)
        wanted = _NAMES.get(plain, plain)
        results, graph = named(wanted, RESULT_FORMATS), named(wanted, RDF_FORMATS)
        if results is not None or graph is not None:
            return results, graph
    if asked and asked[-1] and accept in (None, "", "*/*"):
        known = ", ".join(row.name for row in (*RESULT_FORMATS, *RDF_FORMATS))
        raise BadRequest(f"No format is called “{asked[-1]}”.", hint=f"Known: {known}")
    return negotiate(accept, RESULT_FORMATS), negotiate(accept, RDF_FORMATS)
