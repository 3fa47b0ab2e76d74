"""What machines take whole: dumps with checksums, the dataset's description, the sitemap."""

from collections.abc import Sequence
from http import HTTPStatus
from xml.sax.saxutils import escape

from flask import Blueprint, Response, g, render_template, request, send_file

from tracktwo import description
from tracktwo.errors import NotFound, Sentence
from tracktwo.formats import DOCUMENT_FORMATS, HTML, Format
from tracktwo.release import dump
from tracktwo.web.respond import Link, Representation, Resource, fixed, represent, respond
from tracktwo.web.site import Site

routes = Blueprint("downloads", __name__)

_SITEMAP_URLS = 50_000  # the protocol's limit for one file


@routes.get("/dump/")
def dumps() -> Response:
    """The list of dumps."""
    site: Site = g.site
    return respond(
        site,
        Representation(
            HTML,
            lambda: render_template(
                "dumps.html",
                head=[],
                files=site.release.manifest["dumps"],
                statistics=site.release.manifest["statistics"],
            ),
        ),
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
        etag=f"{site.release.folder.name}-{name}",
        last_modified=site.release.created,
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
        return dump.triples(format_, triples, site.publication.prefixes)

    resource = Resource(DOCUMENT_FORMATS, lambda format_: site.links.absolute(f"dataset.{format_.suffix}"), body)
    return represent(site, resource, fixed(suffix, DOCUMENT_FORMATS) if suffix else None)


@routes.get("/sitemap.xml")
def sitemap() -> Response:
    """All documents for crawlers, or the parts of the list where they are too many for one file."""
    site: Site = g.site
    count = site.catalog.document_count()
    part = request.args.get("part", type=int)
    if part is None and count > _SITEMAP_URLS:
        parts = range((count + _SITEMAP_URLS - 1) // _SITEMAP_URLS)
        entries = "".join(
            f"<sitemap><loc>{escape(site.links.absolute(f'sitemap.xml?part={number}'))}</loc></sitemap>\n"
            for number in parts
        )
        return _xml(f'<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n{entries}</sitemapindex>\n')
    documents = site.catalog.documents((part or 0) * _SITEMAP_URLS, _SITEMAP_URLS)
    modified = f"{site.release.created:%Y-%m-%d}"
    urls = (site.links.full(site.links.path(iri)) for iri in documents)
    entries = "".join(f"<url><loc>{escape(url)}</loc><lastmod>{modified}</lastmod></url>\n" for url in urls)
    return _xml(f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n{entries}</urlset>\n')


def _xml(content: str) -> Response:
    return Response(
        '<?xml version="1.0" encoding="UTF-8"?>\n' + content,
        status=HTTPStatus.OK,
        content_type="application/xml",
        headers={"Cache-Control": "public, max-age=300"},
    )
