"""The web application, wired: one function shows the whole."""

import hashlib
import logging
from collections.abc import Callable, Iterator
from http import HTTPStatus
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

import pyoxigraph
from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException

from tracktwo.errors import TracktwoError, all_taken
from tracktwo.formats import DOCUMENT_FORMATS
from tracktwo.links import clickable
from tracktwo.web import browsing, documents, downloads, linking, pages, query, questions, searching, why
from tracktwo.web.headers import PREFLIGHT, finish
from tracktwo.web.language import canonical, chosen, hreflangs, interface, languages, own_name, said, territory
from tracktwo.web.problems import ACCEPTED, phrase, problem
from tracktwo.web.respond import redirect
from tracktwo.web.site import Follower, Options

log = logging.getLogger(__name__)

_TITLES = {format_.media_type: format_.title for format_ in DOCUMENT_FORMATS}


def create_app(options: Options) -> Flask:
    """The site of the releases in `options`, as a WSGI application."""
    app = Flask("tracktwo.web", static_folder=None)
    app.url_map.merge_slashes = False  # `a//b` and `a/b` are two IRIs
    app.url_map.strict_slashes = False
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.tests["clickable"] = clickable
    app.jinja_env.filters["number"] = _spoken("number")
    app.jinja_env.filters["day"] = _spoken("day")
    app.jinja_env.filters["said"] = said
    app.jinja_env.filters["phrase"] = phrase
    app.jinja_env.policies["json.dumps_kwargs"] = {"ensure_ascii": False, "sort_keys": False}
    app.jinja_env.add_extension("jinja2.ext.i18n")
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]  # the extension adds it
        _spoken("gettext"), _spoken("ngettext"), newstyle=True
    )
    follower = Follower(options)
    assets = _digest(files("tracktwo"))
    app.extensions["follower"] = follower

    @app.before_request
    def open_site() -> Response | None:
        site = follower.site()
        named = request.args.get("lang", "")
        language = chosen(site.publication.languages, named, request.accept_languages)
        g.site = site.in_language(language, pinned=named == language)
        g.interface = interface(language)
        g.assets = assets
        g.root = g.site.links.root
        if request.method == "OPTIONS":
            return _options()
        if "tracktwo.busy" in request.environ:
            raise all_taken(g.site.publication.limits.query_seconds)
        return _without_slash()

    @app.context_processor
    def everywhere() -> dict[str, Any]:
        site = getattr(g, "site", None)
        return {
            "site": site,
            "links": site.links if site else None,
            "asset": lambda name: site.links.asset(name, assets) if site else "",
            "interface": getattr(g, "interface", None) or interface("en"),
            "format_titles": _TITLES,
            "languages": languages(site.links, site.publication.languages) if site else (),
            "canonical": canonical(site.links, site.publication.languages) if site else "",
            "hreflangs": hreflangs(site.links, site.publication.languages) if site else (),
            "own_name": own_name,
            "territory": territory,
        }

    app.after_request(finish)
    app.register_error_handler(TracktwoError, problem)
    app.register_error_handler(HTTPException, problem)
    app.register_error_handler(Exception, _fault)
    for routes in (
        pages.routes,
        query.routes,
        questions.routes,
        searching.routes,
        why.routes,
        browsing.routes,
        linking.routes,
        downloads.routes,
        documents.routes,
    ):  # documents last: it takes every other path
        app.register_blueprint(routes)
    return app


def _spoken(name: str) -> Callable[..., str]:
    """What the interface of the request's language does under a name."""

    def speak(*given: Any) -> str:
        said: str = getattr(getattr(g, "interface", None) or interface("en"), name)(*given)
        return said

    return speak


def _without_slash() -> Response | None:
    """A redirect where a page of ours was asked for with a slash too many."""
    rule = request.url_rule.rule if request.url_rule else ""
    if not rule or request.path == "/" or not request.path.endswith("/") or rule.endswith(("/", ">")):
        return None
    query = "?" + request.query_string.decode("latin-1") if request.query_string else ""
    status = HTTPStatus.MOVED_PERMANENTLY if request.method in ("GET", "HEAD") else HTTPStatus.PERMANENT_REDIRECT
    return redirect(g.site.links.absolute(request.path.strip("/") + query), status)


def _options() -> Response:
    """Preflight and plain OPTIONS, on every route."""
    response = Response(status=HTTPStatus.NO_CONTENT)
    del response.headers["Content-Type"]
    response.headers.extend(PREFLIGHT)
    methods = ", ".join(sorted(request.url_rule.methods or ())) if request.url_rule else "GET, HEAD, OPTIONS"
    response.headers["Allow"] = methods
    if "QUERY" in methods:
        response.headers.extend(ACCEPTED)
    return response


def _fault(error: Exception) -> Response:
    """A fault of ours: logged with all it knows, told without."""
    log.exception("%s %s failed", request.method, request.path, exc_info=error)
    return problem(error)


def _digest(package: Traversable) -> str:
    """What the code is, templates and static files included, so that entity tags change with it."""
    digest = hashlib.sha256(pyoxigraph.__version__.encode())
    for file in _code(package):
        digest.update(file.name.encode() + file.read_bytes())
    return digest.hexdigest()[:10]


def _code(folder: Traversable) -> Iterator[Traversable]:
    """The files of a package, in order, but for compiled ones and the publication that it ships."""
    for item in sorted(folder.iterdir(), key=lambda item: item.name):
        if item.is_file():
            yield item
        elif item.name not in ("__pycache__", "publication"):
            yield from _code(item)
