"""Media types and how one is chosen: pyoxigraph's registry put in order, HTML added, and negotiation.

Choosing follows RFC 9110 section 12.5.1: quality, then how specific the range is, then our own order.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from pyoxigraph import QueryResultsFormat, RdfFormat

_REMEMBERED = 500  # characters of a header that is not read again each time; no client of renown sends more


@dataclass(frozen=True)
class Format:
    """One representation: `name` for settings and links, `suffix` of its URLs, registered media type, aliases."""

    name: str
    title: str
    suffix: str
    media_type: str
    aliases: tuple[str, ...] = ()
    rdf: RdfFormat | None = None
    results: QueryResultsFormat | None = None

    @property
    def content_type(self) -> str:
        """The value of `Content-Type`: text is marked as UTF-8."""
        return f"{self.media_type}; charset=utf-8" if self.media_type.startswith("text/") else self.media_type

    @property
    def iri(self) -> str:
        """The format's IRI in the W3C list of file formats."""
        registered = self.rdf or self.results
        local = registered.iri.rpartition("/")[2] if registered else "HTML"
        return f"http://www.w3.org/ns/formats/{local}"


def _rdf(rdf: RdfFormat, *aliases: str) -> Format:
    return Format(rdf.file_extension, rdf.name, rdf.file_extension, rdf.media_type, aliases, rdf=rdf)


def _results(name: str, results: QueryResultsFormat, *aliases: str) -> Format:
    return Format(
        name, results.name, results.file_extension, results.media_type.split(";")[0], aliases, results=results
    )


HTML = Format("html", "HTML", "html", "text/html", ("application/xhtml+xml",))
TURTLE = _rdf(RdfFormat.TURTLE, "application/x-turtle", "application/turtle", "text/n3", "text/rdf+n3")
N_TRIPLES = _rdf(RdfFormat.N_TRIPLES, "text/plain")
JSON_LD = _rdf(RdfFormat.JSON_LD, "application/json")
RDF_XML = _rdf(RdfFormat.RDF_XML, "application/xml", "text/xml")
TRIG = _rdf(RdfFormat.TRIG, "application/x-trig")
N_QUADS = _rdf(RdfFormat.N_QUADS, "text/x-nquads", "text/nquads")

#: RDF representations, ours first: `*/*` and no `Accept` mean Turtle.
RDF_FORMATS: tuple[Format, ...] = (TURTLE, JSON_LD, N_TRIPLES, RDF_XML, TRIG, N_QUADS)

#: Every representation of a document.
DOCUMENT_FORMATS: tuple[Format, ...] = (*RDF_FORMATS, HTML)

JSON = _results("json", QueryResultsFormat.JSON, "application/json", "text/json")
XML = _results("xml", QueryResultsFormat.XML, "application/xml", "text/xml")
CSV = _results("csv", QueryResultsFormat.CSV)
TSV = _results("tsv", QueryResultsFormat.TSV)

#: Representations of the answer to SELECT and ASK.
RESULT_FORMATS: tuple[Format, ...] = (JSON, XML, CSV, TSV)

ASK_FORMATS: tuple[Format, ...] = (JSON, XML, CSV, TSV)

JSON_OBJECT = Format("object", "JSON", "json", "application/json", ("text/json",))
SUGGESTIONS = Format("suggestions", "Suggestions", "json", "application/x-suggestions+json")
OPENSEARCH = Format("opensearch", "OpenSearch", "xml", "application/opensearchdescription+xml")
SITEMAP = Format("sitemap", "Sitemap", "xml", "application/xml")
SPARQL_QUERY = Format("query", "SPARQL query", "rq", "application/sparql-query")
PROBLEM_JSON = Format(
    "problem",
    "Problem details",
    "json",
    "application/problem+json",
    tuple(
        dict.fromkeys(
            media_type
            for row in (*RDF_FORMATS, *RESULT_FORMATS)
            for media_type in (row.media_type, *row.aliases)
            if media_type.startswith("application/")
        )
    ),
)
TEXT = Format(
    "text",
    "Plain text",
    "txt",
    "text/plain",
    tuple(row.media_type for row in (TURTLE, CSV, TSV)),
)

#: What the site's own files are.
STATIC_FORMATS: tuple[Format, ...] = (
    Format("css", "Style sheet", "css", "text/css"),
    Format("js", "Script", "js", "text/javascript"),
    Format("svg", "Picture", "svg", "image/svg+xml"),
    Format("txt", "Plain text", "txt", "text/plain"),
)

#: Representations of an error (RFC 9457): problem details for whoever asks for data, text for whoever asks for text.
ERROR_FORMATS: tuple[Format, ...] = (PROBLEM_JSON, HTML, TEXT)


def named(name: str, offered: Iterable[Format]) -> Format | None:
    """The format that goes by this name, suffix or media type among those offered."""
    wanted = name.strip().lower()
    for format_ in offered:
        if wanted in (format_.name, format_.suffix, format_.media_type):
            return format_
    return next((format_ for format_ in offered if wanted in format_.aliases), None)


def negotiate(accept: str | None, offered: Sequence[Format]) -> Format | None:
    """The format that serves an `Accept` header best, or None where nothing offered fits.

    Parameters other than `q` never exclude; a malformed range is passed over; a header that holds nothing
    usable counts as absent. With no header, the first format offered.
    """
    asked = (accept or "").strip().lower()
    return (_remembered if len(asked) <= _REMEMBERED else _negotiate)(asked, tuple(offered))


def _negotiate(accept: str, offered: tuple[Format, ...]) -> Format | None:
    ranges = _ranges(accept)
    if not ranges:
        return offered[0]
    best: tuple[float, int] = (0.0, 0)
    chosen = None
    for format_ in offered:
        quality, specificity = _match(ranges, format_)
        if quality > 0 and (quality, specificity) > best:
            best, chosen = (quality, specificity), format_
    return chosen


_remembered = lru_cache(maxsize=4096)(_negotiate)


def _match(ranges: Sequence[tuple[str, float]], format_: Format) -> tuple[float, int]:
    """How well a format is wanted: the quality of the most specific range that names it, and that specificity."""
    best = (0.0, 0)
    for media_range, quality in ranges:
        specificity = _specificity(media_range, format_)
        if specificity > best[1] or (specificity == best[1] and specificity and quality > best[0]):
            best = (quality, specificity)
    return best


def _specificity(media_range: str, format_: Format) -> int:
    if media_range == format_.media_type:
        return 4
    if media_range in format_.aliases:
        return 3
    if media_range == "*/*":
        return 1
    kind, _, subtype = media_range.partition("/")
    return 2 if subtype == "*" and format_.media_type.startswith(kind + "/") else 0


def _ranges(accept: str) -> list[tuple[str, float]]:
    """The media ranges of an `Accept` header with their qualities, malformed ones left out."""
    ranges = []
    for part in _split(accept, ","):
        media_range, *parameters = (piece.strip() for piece in _split(part, ";"))
        media_range = "*/*" if media_range == "*" else media_range
        if media_range.count("/") != 1 or media_range.startswith("/") or media_range.endswith("/"):
            continue
        ranges.append((media_range, _quality(parameters)))
    return ranges


def _split(text: str, separator: str) -> list[str]:
    """Split outside quoted strings."""
    if '"' not in text:
        return text.split(separator)
    parts, start, quoted = [], 0, False
    for index, character in enumerate(text):
        if character == '"' and text[index - 1 : index] != "\\":
            quoted = not quoted
        elif character == separator and not quoted:
            parts.append(text[start:index])
            start = index + 1
    return [*parts, text[start:]]


def _quality(parameters: Iterable[str]) -> float:
    """The value of `q`, between 0 and 1; 1 where there is none, or none that is a number."""
    given = next((value for name, _, value in (row.partition("=") for row in parameters) if name.strip() == "q"), "")
    try:
        quality = float(given)
    except ValueError:
        return 1.0
    return min(max(quality, 0.0), 1.0) if quality == quality else 1.0  # noqa: PLR0124  # only NaN differs from itself
