"""What every response carries, whichever route made it: links, CORS, safety, the release, compression."""

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from flask import Response, g, request

#: The `Cache-Control` of what nobody is to keep; it needs no validators, either.
NO_STORE = "no-store"

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
            "Accept-Query",
            "Accept-Post",
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

#: For answers to preflight requests (Fetch, section 3.2.3), beside the methods.
PREFLIGHT: dict[str, str] = {
    "Access-Control-Allow-Headers": "Accept, Accept-Language, Content-Type, If-None-Match, If-Modified-Since, Range",
    "Access-Control-Max-Age": "86400",
}

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
_SMALL_BYTES = 860  # below one packet, compressing gains nothing
_LONGEST_HREF = 1000  # of a link in the header: proxies take 4 to 8 kB of header in all


@dataclass(frozen=True)
class Link:
    """One typed link, the same in the `Link` header (RFC 8288) and in the page's head."""

    href: str
    rel: str
    type: str = ""
    hreflang: str = ""

    def __str__(self) -> str:
        given = (("rel", self.rel), ("type", self.type), ("hreflang", self.hreflang))
        return f"<{in_ascii(self.href)}>" + "".join(f'; {name}="{value}"' for name, value in given if value)


def add_links(response: Response, links: Sequence[Link]) -> None:
    """Put links into the header, but for those that are too long for it."""
    if short := [str(link) for link in links if len(link.href) <= _LONGEST_HREF]:
        response.headers["Link"] = ", ".join(short)


def finish(response: Response) -> Response:
    """What every response carries, whichever route made it."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if site := getattr(g, "site", None):
        response.headers["Tracktwo-Release"] = site.release.id
    return _compress(response)


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


def in_ascii(url: str) -> str:
    """A URL or IRI for a header field: bytes beyond ASCII percent-encoded."""
    return "".join(
        character
        if " " < character < "\x7f" and character not in '<>"'
        else "".join(f"%{byte:02X}" for byte in character.encode())
        for character in url
    )
