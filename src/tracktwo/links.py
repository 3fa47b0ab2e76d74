"""Identifiers and places: an IRI names, a URL is where the site serves it. Every URL of the site is built here.

Documents carry IRIs; what a person clicks is a URL below the site's root. Both directions are pure
functions of the publication's base IRI, its document paths and the site's root path.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import quote, unquote, urlencode, urlsplit

from pyoxigraph import NamedNode

#: Characters of an IRI's path that stand in a URL as they are (RFC 3986 pchar, "/" and "%").
_SAFE = "%/:@!$&'()*+,;=~-._?"
_CLICKABLE = ("http", "https", "mailto", "urn")
_CONTROL = re.compile(r"[\x00-\x20\x7f]")


@dataclass(frozen=True)
class Links:
    """The URL space of one site.

    `base_iri` begins every IRI, `public_url` is the absolute URL (ending in `/`) that serves it, `documents`
    maps paths of things to paths of their documents, such as `{"id/": "doc/"}`. `language` is what pages are asked for
    in; empty leaves it to the reader's browser.
    """

    base_iri: str
    public_url: str
    documents: Mapping[str, str]
    language: str = ""

    @property
    def root(self) -> str:
        """The site's root as a path, `/` or `/prefix/`."""
        return urlsplit(self.public_url).path or "/"

    def site(self, path: str = "", /, **query: str | Sequence[str]) -> str:
        """The URL path of a page of the site, such as `site("sparql", query="ASK {}")`; a parameter may have values."""
        wanted = {name: value for name, value in (query | self._language).items() if value}
        return self.root + path + ("?" + urlencode(wanted, doseq=True) if wanted else "")

    @property
    def neutral(self) -> "Links":
        """The same without a language, for URLs of data and for those that leave it to the reader's browser."""
        return replace(self, language="")

    def asset(self, name: str, version: str) -> str:
        """The URL path of a static file, which may be kept for ever under its version."""
        return f"{self.root}static/{name}?{urlencode({'v': version})}"

    def absolute(self, path: str = "") -> str:
        """The absolute public URL of a path below the root."""
        return self.public_url + path

    def full(self, path: str) -> str:
        """The absolute URL of one of our URL paths, for headers: a client may have come by another address."""
        return self.public_url + path[len(self.root) :]

    def is_ours(self, iri: str) -> bool:
        """Does the IRI lie under the base?"""
        return iri.startswith(self.base_iri)

    def spellings(self, iri: str) -> list[str]:
        """The IRI, then others that somebody may have meant by it: `https` for `http`, another encoding or slash."""
        scheme, _, rest = iri.partition(":")
        twin = {"http": "https", "https": "http"}.get(scheme)
        return [f"{name}:{form}" for form in _spellings(rest) for name in (scheme, twin) if name]

    def is_thing(self, iri: str) -> bool:
        """Does the IRI lie on a path whose things have documents of their own (and so answer 303)?"""
        return self._thing_path(iri) is not None

    def document(self, iri: str) -> str:
        """The IRI of the document that describes `iri`: its own for documents and terms, none beyond the base."""
        plain = iri.partition("#")[0]
        path = self._thing_path(plain)
        if path is None:
            return plain
        return self.base_iri + self.documents[path] + plain[len(self.base_iri) + len(path) :]

    def thing_of(self, document: str) -> str | None:
        """The thing whose document this is, where documents and things have separate paths."""
        for thing, path in self.documents.items():
            if document.startswith(self.base_iri + path):
                return self.base_iri + thing + document[len(self.base_iri) + len(path) :]
        return None

    def url(self, iri: str) -> str:
        """Where a page about `iri` is served, as a path from the site's root."""
        plain, hash_, fragment = iri.partition("#")
        if not self.is_ours(iri):
            return self.site("describe", iri=iri)
        path = self.path(self.document(plain))
        query = ("&" if "?" in path else "?") + urlencode(self._language) if self._language else ""
        return path + query + hash_ + quote(fragment, safe=_SAFE)

    def path(self, iri: str, suffix: str = "") -> str:
        """The URL path at which the site answers for an IRI under the base, with the suffix of one format."""
        return self.root + quote(iri[len(self.base_iri) :], safe=_SAFE) + (f".{suffix}" if suffix else "")

    def variant(self, document: str, suffix: str) -> str:
        """The URL path of one format of a document; beyond the base, a parameter of `/describe`."""
        if self.is_ours(document):
            return self.path(document, suffix)
        return self.neutral.site("describe", iri=document, format=suffix)

    def candidates(self, raw_path: str) -> Iterator[str]:
        """The IRIs that a raw URL path (below the root, still percent-encoded) may mean, the likeliest first.

        Exactly as sent, then other spellings; `%2F` is never taken for `/`.
        """
        return (self.base_iri + form for form in _spellings(raw_path))

    @property
    def _language(self) -> dict[str, str]:
        return {"lang": self.language} if self.language else {}

    def _thing_path(self, iri: str) -> str | None:
        if not self.is_ours(iri):
            return None
        rest = iri[len(self.base_iri) :]
        return next((path for path in self.documents if rest.startswith(path) and len(rest) > len(path)), None)


def clickable(iri: str) -> bool:
    """May this IRI of the data become a link? Only http(s), mailto and urn, and nothing with control characters."""
    return urlsplit_scheme(iri) in _CLICKABLE and not _CONTROL.search(iri)


def urlsplit_scheme(iri: str) -> str:
    """The scheme of an IRI in lower case, empty where there is none."""
    return iri.partition(":")[0].lower() if ":" in iri else ""


def _spellings(path: str) -> list[str]:
    """The spellings of a path, as it is first.

    With upper-case hex; with characters beyond ASCII decoded; wholly decoded but for reserved ones; percent-encoded;
    and then each with its trailing slash gone, or one added.
    """
    upper = re.sub(r"%[0-9A-Fa-f]{2}", lambda found: found[0].upper(), path)
    decoded = _decode_all(upper)
    forms = (path, _decode_unicode(path), upper, _decode_unicode(upper), decoded, quote(decoded, safe=_SAFE))
    slashed = (form[:-1] if form.endswith("/") else form + "/" for form in forms)
    return list(dict.fromkeys((*forms, *slashed)))


def _decode_unicode(path: str) -> str:
    """Percent-encoded characters beyond ASCII as themselves; the ASCII ones stay encoded."""
    return re.sub(r"(?:%[89A-Fa-f][0-9A-Fa-f])+", lambda run: _decoded(run.group()), path)


def _decoded(run: str) -> str:
    try:
        return unquote(run, errors="strict")
    except UnicodeDecodeError:
        return run


def _decode_all(path: str) -> str:
    """Everything decoded that is not a reserved `%2F`, `%25`, `%23` or `%3F`."""
    pieces = re.split(r"(%2[Ff35]|%3[Ff])", path)
    return "".join(piece if index % 2 else _decoded(piece) for index, piece in enumerate(pieces))


def is_valid_iri(text: str) -> bool:
    """Is this an absolute IRI by RFC 3987, as the store sees it?"""
    try:
        NamedNode(text)
    except ValueError:
        return False
    return re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", text) is not None
