"""How a representation becomes a response: validators, `Vary`, caching, links, the body.

One place for what every route owes its clients, so that no route can forget it: whatever a route finds goes through
`respond`, whatever leads elsewhere through `redirect`.
"""

import functools
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus

from flask import Request, Response, g, request
from werkzeug.http import parse_date

from tracktwo import errors
from tracktwo.formats import HTML, OPENSEARCH, TEXT, Format, negotiate
from tracktwo.store import Answer
from tracktwo.web.headers import NO_STORE, Link, add_links, in_ascii
from tracktwo.web.language import SPOKEN, asked, canonical, hreflangs, in_language, spoken
from tracktwo.web.site import Site

#: The `Cache-Control` of what a release fixes.
KEPT = "public, max-age=300"


@dataclass(frozen=True)
class Cut:
    """A page that shows only the beginning of an answer: so much of it as `shown` says, such as `rows=1000`."""

    text: str
    shown: str


#: What a body may be; an answer streams, and says its format itself.
Body = bytes | str | Answer | Cut


@dataclass(frozen=True)
class Representation:
    """What a route found: how to make the body, in which format, and what goes with it.

    The `format` is None where only the answer tells it. `negotiated` says that other formats live at the same URL;
    `location` is then this variant's own URL. `variant` is what the bytes depend on besides release, code, URL, format
    and language. With `NO_STORE` as its `cache` it may differ from one request to the next, and has no validators.
    """

    format: Format | None
    body: Callable[[], Body]
    links: Sequence[Link] = ()
    negotiated: bool = False
    location: str = ""
    variant: str = ""
    cache: str = KEPT
    extra: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Resource:
    """Something that has several representations: which formats, the absolute URL of each, how to make a body.

    `variant` names no language. `body` gets the format and all links, which an HTML page shows in its head. `links` are
    those besides `alternate`; `extra` are headers of all formats but HTML. `page` is the absolute URL that negotiates,
    where that is not the variants' own without their suffix.
    """

    formats: Sequence[Format]
    variant: Callable[[Format], str]
    body: Callable[[Format, Sequence[Link]], Body]
    links: Sequence[Link] = ()
    cache: str = KEPT
    extra: Mapping[str, str] = field(default_factory=dict)
    page: str = ""

    @property
    def alternates(self) -> list[Link]:
        """A link to each format."""
        return [Link(self.variant(format_), "alternate", format_.media_type) for format_ in self.formats]


def represent(site: Site, resource: Resource, format_: Format | None = None) -> Response:
    """A resource in a fixed format, or in the one that the request likes best; raises `NotAcceptable`."""
    if HTML in resource.formats:
        g.page = resource.page or resource.variant(HTML)  # whose languages the page offers
    chosen = format_ or _chosen(resource.formats, resource.alternates)
    own = [link for link in resource.links if chosen is not HTML or link.rel != "canonical"]  # a page has its own
    links = [*own, *resource.alternates]
    location = "" if format_ else resource.variant(chosen)
    if location and chosen is HTML and site.links.language:
        location = in_language(location, site.links.language)
    extra = {} if chosen is HTML else resource.extra
    body = functools.partial(resource.body, chosen, links)
    return respond(site, Representation(chosen, body, links, format_ is None, location, "", resource.cache, extra))


def represent_page(site: Site, body: Callable[[], Body], links: Sequence[Link] = ()) -> Response:
    """What there is as a page only; raises `NotAcceptable` where HTML is not wanted."""
    _chosen((HTML,), [Link(asked(site.links), "alternate", HTML.media_type)])
    return respond(site, Representation(HTML, body, links, negotiated=True))


def _chosen(formats: Sequence[Format], alternates: Sequence[Link]) -> Format:
    """The format that the request likes best; raises `NotAcceptable`, whose response then has the alternates."""
    chosen = negotiate(request.headers.get("Accept"), formats)
    if chosen is None:
        g.variants = alternates
        offered = [row.media_type for row in formats]
        raise errors.NotAcceptable(errors.Sentence("None of the formats that you accept is available."), offered)
    return chosen


def fixed(suffix: str, formats: Sequence[Format]) -> Format:
    """The format with a suffix; raises `NotFound` where there is none."""
    for format_ in formats:
        if format_.suffix == suffix:
            return format_
    raise errors.NotFound(errors.Sentence("No format has the ending “%(suffix)s”.", suffix=suffix))


def respond(site: Site, found: Representation) -> Response:
    """The response; the body is made only if the client lacks it (RFC 9110 section 13)."""
    response = Response()
    response.headers["Cache-Control"] = found.cache
    if found.negotiated:
        response.vary.add("Accept")
    if found.location:
        response.headers["Content-Location"] = found.location
    if found.format:
        response.headers["Content-Type"] = found.format.content_type
        spoken(response, found.format.media_type)
    add_links(response, [*found.links, *_of_pages(site)] if found.format is HTML else found.links)
    response.headers.extend(found.extra)
    if found.cache != NO_STORE:
        etag = _etag(site, found)
        response.set_etag(etag)
        response.last_modified = site.release.built
        if _not_modified(request, etag, site.release.built):
            return _unmodified(response, etag)
    _fill(response, found.body())
    return response


def _fill(response: Response, body: Body) -> None:
    """Put the body into the response.

    What is cut is nobody's to keep. A failure on the way of an answer breaks the transfer, so that it can't be taken
    for whole.
    """
    if isinstance(body, Cut):
        response.headers["Tracktwo-Truncated"] = body.shown
        response.headers["Cache-Control"] = NO_STORE
        for name in ("ETag", "Last-Modified"):
            response.headers.pop(name, None)
        body = body.text
    if not isinstance(body, Answer):
        response.set_data(body)
        return
    response.headers["Content-Type"] = body.format.content_type
    if body.whole is not None:
        response.set_data(body.whole)
    else:
        response.response = body.chunks
        response.call_on_close(body.close)


def _unmodified(response: Response, etag: str) -> Response:
    """304 in place of the response, with the entity tag of the coding that the client has."""
    response.status_code = HTTPStatus.NOT_MODIFIED
    response.vary.add("Accept-Encoding")
    if request.accept_encodings["gzip"] and f"{etag}-gzip" in request.if_none_match.as_set():
        response.set_etag(f"{etag}-gzip")
    response.headers.pop("Content-Type", None)
    return response


def _of_pages(site: Site) -> list[Link]:
    """The links that every page has; `page.html` shows them in its head."""
    return [
        Link(canonical(site.links, site.publication.languages), "canonical"),
        Link(site.links.full(site.links.site("opensearch.xml")), "search", OPENSEARCH.media_type),
        *(
            Link(url, "alternate", hreflang=language)
            for language, url in hreflangs(site.links, site.publication.languages)
        ),
    ]


def redirect(url: str, status: HTTPStatus, links: Sequence[Link] = (), *, negotiated: bool = False) -> Response:
    """A redirect with a short body that holds the link."""
    response = Response(f"{status.phrase}: {url}\n", status=status, content_type=TEXT.content_type)
    response.headers["Location"] = in_ascii(url)
    response.headers["Cache-Control"] = KEPT
    if negotiated:
        response.vary.add("Accept")
    add_links(response, links)
    return response


def _etag(site: Site, found: Representation) -> str:
    """Strong: the release is immutable, so release, code, URL and variant fix every byte."""
    key = (
        site.release.build,
        g.assets,
        request.full_path,
        request.root_path,
        site.links.public_url,
        found.format.name if found.format else "",
        found.location,
        found.variant,
        site.language if found.format and found.format.media_type in SPOKEN else "",
    )
    return hashlib.sha256("\n".join(key).encode()).hexdigest()[:20]


def _not_modified(asked: Request, etag: str, built: datetime) -> bool:
    """`If-None-Match` first, `If-Modified-Since` only without it (RFC 9110 section 13.2.2)."""
    if asked.if_none_match:
        tags = {tag.removesuffix("-gzip") for tag in asked.if_none_match.as_set(include_weak=True)}
        return bool(asked.if_none_match.star_tag) or etag in tags
    since = parse_date(asked.headers.get("If-Modified-Since", ""))
    return since is not None and built <= since
