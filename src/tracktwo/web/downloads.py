"""What machines take whole: dumps with checksums, the dataset's description, the sitemap."""

import math
from collections.abc import Iterable, Sequence
from xml.sax.saxutils import escape

from flask import Blueprint, Response, g, render_template, request, send_file

from tracktwo import description, serialise
from tracktwo.errors import NotFound, Sentence
from tracktwo.formats import DOCUMENT_FORMATS, HTML, SITEMAP, Format
from tracktwo.web.headers import Link
from tracktwo.web.respond import Representation, Resource, fixed, represent, represent_page, respond
from tracktwo.web.site import Site

routes = Blueprint("downloads", __name__)

_SITEMAP_URLS = 50_000  # the protocol's limit for one file


@routes.get("/dump/")
def dumps() -> Response:
    """The list of dumps."""
    site: Site = g.site
    manifest = site.release.manifest
    return represent_page(
        site,
        lambda: render_template("dumps.html", head=[], files=manifest["dumps"], statistics=manifest["statistics"]),
    )


@routes.get("/dump/<name>")
def one_dump(name: str) -> Response:
    """One dump, or the checksum beside it; ranges and validators work."""
    site: Site = g.site
    known = {file["name"] for file in site.release.manifest["dumps"]}
    if name.removesuffix(".sha256") not in known:
        raise NotFound(Sentence("There is no dump “%(name)s”.", name=name))
    kind = "text/plain; charset=utf-8" if name.endswith(".sha256") else "application/gzip"
    response = send_file(
        site.release.dumps / name,
        mimetype=kind,
        conditional=True,
        etag=f"{site.release.build}-{name}",
        last_modified=site.release.built,
    )
    response.headers["Cache-Control"] = "public, max-age=300"
    response.headers["Accept-Ranges"] = "bytes"
    return response


@routes.get("/dataset")
@routes.get("/.well-known/void")
@routes.get("/dataset.<suffix>")
def dataset(suffix: str = "") -> Response:
    """The dataset described: VoID and DCAT."""
    site: Site = g.site

    def body(format_: Format, head: Sequence[Link]) -> bytes | str:
        if format_ is HTML:
            return render_template(
                "dataset.html", head=head, manifest=site.release.manifest, publication=site.publication
            )
        triples = description.dataset(site.publication, site.links, site.release.manifest, site.examples)
        return serialise.triples(format_, triples, site.publication.prefixes)

    resource = Resource(DOCUMENT_FORMATS, lambda format_: site.links.absolute(f"dataset.{format_.suffix}"), body)
    return represent(site, resource, fixed(suffix, DOCUMENT_FORMATS) if suffix else None)


@routes.get("/sitemap.xml")
def sitemap() -> Response:
    """All documents for crawlers, or the parts of the list where they are too many for one file."""
    site: Site = g.site
    parts = max(1, math.ceil(site.catalog.document_count() / _SITEMAP_URLS))
    asked = request.args.get("part")
    if asked is None and parts > 1:
        return respond(site, Representation(SITEMAP, lambda: _index(site, parts)))
    if asked is not None and asked not in map(str, range(parts)):
        raise NotFound(f"The sitemap has no part “{asked}”; it has {parts}, from 0.")
    return respond(site, Representation(SITEMAP, lambda: _part(site, int(asked or 0))))


def _index(site: Site, parts: int) -> str:
    """A sitemap of sitemaps."""
    urls = (site.links.absolute(f"sitemap.xml?part={number}") for number in range(parts))
    return _xml("sitemapindex", (f"<sitemap><loc>{escape(url)}</loc></sitemap>" for url in urls))


def _part(site: Site, part: int) -> str:
    """The documents of one part, counted from 0."""
    modified = f"{site.release.created:%Y-%m-%d}"
    documents = site.catalog.documents(part * _SITEMAP_URLS, _SITEMAP_URLS)
    urls = (site.links.full(site.links.path(iri)) for iri in documents)
    return _xml("urlset", (f"<url><loc>{escape(url)}</loc><lastmod>{modified}</lastmod></url>" for url in urls))


def _xml(root: str, entries: Iterable[str]) -> str:
    lines = "".join(f"{entry}\n" for entry in entries)
    namespace = "http://www.sitemaps.org/schemas/sitemap/0.9"
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<{root} xmlns="{namespace}">\n{lines}</{root}>\n'
