"""How a representation becomes a response: validators, `Vary`, links, caching, CORS, compression, errors.

One place for what every route owes its clients, so that no route can forget it.
"""

import functools
import hashlib
import json
import re
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from urllib.parse import unquote, urlencode

from flask import Request, Response, g, render_template, request
from werkzeug.exceptions import HTTPException
from werkzeug.http import parse_date

from tracktwo import errors
from tracktwo.formats import (
    ERROR_FORMATS,
    HTML,
    JSON_OBJECT,
    OPENSEARCH,
    PROBLEM_JSON,
    SUGGESTIONS,
    TEXT,
    Format,
    negotiate,
)
from tracktwo.web.language import Interface, interface
from tracktwo.web.site import Site

#: Which status tells which error.
STATUS: dict[type[errors.TracktwoError], HTTPStatus] = {
    errors.NotFound: HTTPStatus.NOT_FOUND,
    errors.NotAcceptable: HTTPStatus.NOT_ACCEPTABLE,
    errors.BadRequest: HTTPStatus.BAD_REQUEST,
    errors.QueryError: HTTPStatus.BAD_REQUEST,
    errors.Forbidden: HTTPStatus.FORBIDDEN,
    errors.UnsupportedMedia: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    errors.TooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    errors.QueryTimeout: HTTPStatus.GATEWAY_TIMEOUT,
    errors.QueryTooBig: HTTPStatus.INSUFFICIENT_STORAGE,
    errors.Busy: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.StoreUnavailable: HTTPStatus.BAD_GATEWAY,
    errors.ReleaseError: HTTPStatus.SERVICE_UNAVAILABLE,
}

#: What a page calls each status; machines get HTTP's own phrase.
_PHRASES: dict[HTTPStatus, errors.Sentence] = {
    HTTPStatus.BAD_REQUEST: errors.Sentence("Bad request"),
    HTTPStatus.FORBIDDEN: errors.Sentence("Forbidden"),
    HTTPStatus.NOT_FOUND: errors.Sentence("Not found"),
    HTTPStatus.METHOD_NOT_ALLOWED: errors.Sentence("Method not allowed"),
    HTTPStatus.NOT_ACCEPTABLE: errors.Sentence("Not acceptable"),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: errors.Sentence("Content too large"),
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: errors.Sentence("Unsupported media type"),
    HTTPStatus.INTERNAL_SERVER_ERROR: errors.Sentence("Internal server error"),
    HTTPStatus.BAD_GATEWAY: errors.Sentence("Bad gateway"),
    HTTPStatus.SERVICE_UNAVAILABLE: errors.Sentence("Service unavailable"),
    HTTPStatus.GATEWAY_TIMEOUT: errors.Sentence("Gateway timeout"),
    HTTPStatus.INSUFFICIENT_STORAGE: errors.Sentence("Insufficient storage"),
}

#: On every response. No inline script or style, nothing from elsewhere.
HEADERS: dict[str, str] = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": ", ".join(
        (
            "Link",
            "ETag",
            "Location",
            "Content-Location",
            "Vary",
            "Last-Modified",
            "Retry-After",
            "Tracktwo-Release",
            "Tracktwo-Truncated",
            "Tracktwo-Hint",
        )
    ),
    "Content-Security-Policy": "; ".join(
        (
            "default-src 'none'",
            *(f"{kind}-src 'self'" for kind in ("style", "script", "font", "connect")),
            "img-src 'self' data:",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "strict-origin-when-cross-origin",
}

#: For answers to preflight requests (Fetch, section 3.2.3).
PREFLIGHT: dict[str, str] = {
    "Access-Control-Allow-Methods": "GET, HEAD, POST, QUERY, OPTIONS",
    "Access-Control-Allow-Headers": "Accept, Accept-Language, Content-Type, If-None-Match, If-Modified-Since, Range",
    "Access-Control-Max-Age": "86400",
}

_CACHE = "public, max-age=300"
_COMPRESSED = (
    "text/",
    "application/json",
    "application/problem+json",
    "application/ld+json",
    "application/n-",
    "application/rdf+xml",
    "application/trig",
    "application/sparql-results",
    "application/xml",
    "image/svg+xml",
)
_SPOKEN = (HTML.media_type, JSON_OBJECT.media_type, SUGGESTIONS.media_type, OPENSEARCH.media_type)
_SMALL_BYTES = 860  # below one packet, compressing gains nothing


@dataclass(frozen=True)
class Link:
    """One typed link, the same in the `Link` header (RFC 8288) and in the page's head."""

    href: str
    rel: str
    type: str = ""
    hreflang: str = ""

    def __str__(self) -> str:
        given = (("rel", self.rel), ("type", self.type), ("hreflang", self.hreflang))
        return f"<{_ascii(self.href)}>" + "".join(f'; {name}="{value}"' for name, value in given if value)


@dataclass(frozen=True)
class Representation:
    """What a route found: how to make the body, in which format, and what goes with it.

    `negotiated` says that other formats live at the same URL; `location` is then this variant's own URL.
    """

    format: Format
    body: Callable[[], bytes | str]
    links: Sequence[Link] = ()
    negotiated: bool = False
    location: str = ""
    cache: str = _CACHE
    status: HTTPStatus = HTTPStatus.OK
    extra: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Resource:
    """Something that has several representations: which formats, the absolute URL of each, how to make a body.

    `body` gets the format and all links, which an HTML page shows in its head. `links` are those besides `alternate`;
    `extra` are headers of all formats but HTML. `page` is the absolute URL that negotiates, where that is not the
    variants' own without their suffix.
    """

    formats: Sequence[Format]
    variant: Callable[[Format], str]
    body: Callable[[Format, Sequence[Link]], bytes | str]
    links: Sequence[Link] = ()
    cache: str = _CACHE
    extra: Mapping[str, str] = field(default_factory=dict)
    page: str = ""

    @property
    def alternates(self) -> list[Link]:
        """A link to each format."""
        return [Link(self.variant(format_), "alternate", format_.media_type) for format_ in self.formats]


def represent(site: Site, resource: Resource, format_: Format | None = None) -> Response:
    """A resource in a fixed format, or in the one that the request likes best; raises `NotAcceptable`."""
    g.variants = resource.alternates
    if HTML in resource.formats:
        g.page = resource.page or re.sub(r"\.html$|[?&]format=html$", "", resource.variant(HTML))
    chosen = format_ or negotiate(request.headers.get("Accept"), resource.formats)
    if chosen is None:
        offered = [row.media_type for row in resource.formats]
        raise errors.NotAcceptable(errors.Sentence("None of the formats that you accept is available."), offered)
    own = [link for link in resource.links if chosen is not HTML or link.rel != "canonical"]  # a page has its own
    links = [*own, *resource.alternates]
    location = "" if format_ else resource.variant(chosen)
    extra = {} if chosen is HTML else dict(resource.extra)
    body = functools.partial(resource.body, chosen, links)
    found = Representation(chosen, body, links, format_ is None, location, resource.cache, extra=extra)
    return respond(site, found)


def fixed(suffix: str, formats: Sequence[Format]) -> Format:
    """The format with a suffix; raises `NotFound` where there is none."""
    for format_ in formats:
        if format_.suffix == suffix:
            return format_
    raise errors.NotFound(errors.Sentence("No format has the ending “%(suffix)s”.", suffix=suffix))


def respond(site: Site, found: Representation) -> Response:
    """The response; the body is made only if the client lacks it (RFC 9110 section 13)."""
    etag = _etag(site, found)
    response = Response(status=found.status)
    response.headers["Content-Type"] = found.format.content_type
    response.set_etag(etag)
    response.last_modified = site.release.created
    response.headers["Cache-Control"] = found.cache
    if found.negotiated:
        response.vary.add("Accept")
    if found.location:
        response.headers["Content-Location"] = found.location
    spoken(response, found.format.media_type)
    links = [*found.links, *_of_pages(site)] if found.format is HTML else found.links
    if links:
        response.headers["Link"] = ", ".join(map(str, links))
    response.headers.extend(found.extra)
    if _not_modified(request, etag, site.release.created):
        response.status_code = HTTPStatus.NOT_MODIFIED
        response.vary.add("Accept-Encoding")
        if request.accept_encodings["gzip"] and f"{etag}-gzip" in request.if_none_match.as_set():
            response.set_etag(f"{etag}-gzip")
        del response.headers["Content-Type"]
        return response
    response.set_data(found.body())
    return response


def _of_pages(site: Site) -> list[Link]:
    """The links that every page has; `page.html` shows them in its head."""
    return [
        Link(canonical(site), "canonical"),
        Link(site.links.full(site.links.site("opensearch.xml")), "search", OPENSEARCH.media_type),
        *(Link(url, "alternate", hreflang=language) for language, url in hreflangs(site)),
    ]


def canonical(site: Site) -> str:
    """The absolute URL of the page that is asked for (RFC 6596), in the language that the request names, if any.

    It is where the page is served, as `hreflang` has to be; what the page is about is cited by its IRI (`cite-as`).
    """
    return dict(languages(site)).get(site.links.language) or _page(site)


def hreflangs(site: Site) -> list[tuple[str, str]]:
    """The page in each language, and the one that leaves the language to the reader's browser."""
    spoken_in = languages(site)
    return [*spoken_in, ("x-default", _page(site))] if spoken_in else []


def languages(site: Site) -> list[tuple[str, str]]:
    """The page that is asked for in each language: (language, absolute URL); none where there is but one."""
    if len(site.publication.languages) < 2:
        return []
    page = _page(site)
    start = page + ("&" if "?" in page else "?")
    return [(language, start + urlencode({"lang": language})) for language in site.publication.languages]


def without_language(query: str) -> str:
    """A URL's query without the last `lang`, which is ours; an IRI may have one of its own before it."""
    parts = query.split("&")
    ours = [number for number, part in enumerate(parts) if part.startswith("lang=")][-1:]
    return "&".join(part for number, part in enumerate(parts) if number not in ours)


def _page(site: Site) -> str:
    """The absolute URL of the page that is asked for, without a language and in no fixed format."""
    if page := g.get("page"):
        return str(page)
    path = request.environ.get("tracktwo.raw_path") or request.path
    query = request.query_string.decode("latin-1")
    kept = without_language(query) if site.links.language else query
    return site.links.absolute(path.lstrip("/")) + (f"?{kept}" if kept else "")


def spoken(response: Response, media_type: str) -> None:
    """Say which language a page is in, and that it follows from what the reader's browser asks for."""
    site = getattr(g, "site", None)
    if site is None or media_type not in _SPOKEN:
        return
    response.headers["Content-Language"] = site.language
    if not site.links.language and len(site.publication.languages) > 1:
        response.vary.add("Accept-Language")


def redirect(url: str, status: HTTPStatus, links: Sequence[Link] = (), *, negotiated: bool = False) -> Response:
    """A redirect with a short body that holds the link."""
    response = Response(f"{status.phrase}: {url}\n", status=status, content_type=TEXT.content_type)
    response.headers["Location"] = _ascii(url)
    response.headers["Cache-Control"] = _CACHE
    if negotiated:
        response.vary.add("Accept")
    if links:
        response.headers["Link"] = ", ".join(map(str, links))
    return response


def problem(error: Exception) -> Response:
    """An error in the format that the client likes best (RFC 9457); a fault of our own is told without its insides."""
    status, message, hint = _told(error)
    format_ = negotiate(request.headers.get("Accept"), ERROR_FORMATS) or TEXT
    if format_ is HTML:
        words = _words() if status is HTTPStatus.NOT_FOUND else ""
        body = render_template("error.html", status=status, message=message, hint=hint, words=words, canonical="")
    elif format_ is PROBLEM_JSON:
        body = json.dumps(_problem_json(error, status, message, hint), ensure_ascii=False) + "\n"
    else:
        body = f"{status.value} {status.phrase}\n{message}\n{hint}".rstrip() + "\n"
    response = Response(body, status=status, content_type=format_.content_type)
    response.headers["Cache-Control"] = "no-store"
    response.vary.add("Accept")
    spoken(response, format_.media_type)
    if isinstance(error, errors.Busy):
        response.headers["Retry-After"] = str(error.retry_after)
    if isinstance(error, HTTPException) and "Allow" in (headers := dict(error.get_headers())):
        response.headers["Allow"] = headers["Allow"]
    links = getattr(g, "variants", ())
    if isinstance(error, errors.NotAcceptable) and links:
        response.headers["Link"] = ", ".join(map(str, links))
    return response


def said(text: str) -> tuple[str, str]:
    """What an error says, for a reader: (the text, its language), in the page's language where the catalogue has it."""
    spoken_in: Interface = g.get("interface") or interface("en")
    sentence = text if isinstance(text, errors.Sentence) else errors.Sentence(text)
    translated = sentence.translated(spoken_in.gettext) if text else sentence
    return str(translated), "en" if translated == text else spoken_in.language


def phrase(status: HTTPStatus) -> str:
    """A status in words, for a reader."""
    return said(_PHRASES.get(status, status.phrase))[0]


def _words() -> str:
    """The words that end what was asked for, to search for where nothing is published under it."""
    last = re.split(r"[/#]", unquote(request.args.get("iri") or request.path).rstrip("/#"))[-1]
    return " ".join(re.findall(r"[^\W_]+", re.sub(r"\.\w{2,6}$", "", last)))


def finish(response: Response) -> Response:
    """What every response carries, whichever route made it."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if site := getattr(g, "site", None):
        response.headers["Tracktwo-Release"] = site.release.id
    return _compress(response)


def _told(error: Exception) -> tuple[HTTPStatus, str, str]:
    if isinstance(error, errors.TracktwoError):
        return (
            STATUS.get(type(error), HTTPStatus.INTERNAL_SERVER_ERROR),
            error.message if not isinstance(error, errors.QueryError) else str(error.args[0]),
            error.hint,
        )
    if isinstance(error, HTTPException) and error.code:
        return HTTPStatus(error.code), error.description or "", ""
    return (
        HTTPStatus.INTERNAL_SERVER_ERROR,
        errors.Sentence("The server failed at this request. The fault is ours, and it is logged."),
        "",
    )


def _problem_json(error: Exception, status: HTTPStatus, message: str, hint: str) -> dict[str, object]:
    site = getattr(g, "site", None)
    explained = site and request.path == "/sparql" and status != HTTPStatus.NOT_ACCEPTABLE
    kind = site.links.absolute(f"limits#status-{status.value}") if site and explained else "about:blank"
    content: dict[str, object] = {"type": kind, "title": status.phrase, "status": status.value, "detail": message}
    if hint:
        content["hint"] = hint
    if isinstance(error, errors.QueryError) and error.line is not None:
        content |= {"line": error.line, "column": error.column}
    if isinstance(error, errors.NotAcceptable):
        content["offered"] = list(error.offered)
    return content


def _etag(site: Site, found: Representation) -> str:
    """Strong: the release is immutable, so release, code, URL and variant fix every byte."""
    key = "\n".join(
        (
            site.release.folder.name,
            g.assets,
            request.full_path,
            request.root_path,
            site.links.public_url,
            found.format.name,
            found.location,
            site.language if found.format.media_type in _SPOKEN else "",
        )
    )
    return hashlib.sha256(key.encode()).hexdigest()[:20]


def _not_modified(asked: Request, etag: str, created: datetime) -> bool:
    """`If-None-Match` first, `If-Modified-Since` only without it (RFC 9110 section 13.2.2)."""
    if asked.if_none_match:
        tags = {tag.removesuffix("-gzip") for tag in asked.if_none_match.as_set(include_weak=True)}
        return bool(asked.if_none_match.star_tag) or etag in tags
    since = parse_date(asked.headers.get("If-Modified-Since", ""))
    return since is not None and created <= since


def _compress(response: Response) -> Response:
    """Compress with gzip what is worth it and wanted; each coding has an entity tag of its own."""
    kind = response.mimetype or ""
    if response.direct_passthrough or not kind.startswith(_COMPRESSED) or "Content-Encoding" in response.headers:
        return response
    response.vary.add("Accept-Encoding")
    if not request.accept_encodings["gzip"] or (
        response.content_length is not None and response.content_length < _SMALL_BYTES
    ):
        return response
    tag, _ = response.get_etag()
    if tag:
        response.set_etag(f"{tag}-gzip")
    response.headers["Content-Encoding"] = "gzip"
    if response.is_streamed:
        response.headers.pop("Content-Length", None)
        response.response = _gzipped(response.response)  # type: ignore[arg-type]  # bytes, since we made it
    else:
        packer = zlib.compressobj(6, zlib.DEFLATED, 31)
        response.set_data(packer.compress(response.get_data()) + packer.flush())
    return response


def _gzipped(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """A gzip stream that lets each chunk leave at once while they are small, so that the first row is not held back."""
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    sent = 0
    for chunk in chunks:
        packed = packer.compress(chunk)
        if sent < 4:
            packed += packer.flush(zlib.Z_SYNC_FLUSH)
            sent += 1
        if packed:
            yield packed
    yield packer.flush()


def _ascii(url: str) -> str:
    """A URL or IRI for a header field: bytes beyond ASCII percent-encoded."""
    return "".join(
        character
        if " " < character < "\x7f" and character not in '<>"'
        else "".join(f"%{byte:02X}" for byte in character.encode())
        for character in url
    )
