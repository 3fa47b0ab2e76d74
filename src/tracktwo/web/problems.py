"""Errors as responses: one shape, in the format that the client likes best (RFC 9457)."""

import json
import re
from collections.abc import Callable
from http import HTTPStatus
from urllib.parse import unquote

from flask import Response, g, render_template, request
from werkzeug.exceptions import HTTPException

from tracktwo import errors
from tracktwo.formats import ERROR_FORMATS, HTML, PROBLEM_JSON, TEXT, negotiate
from tracktwo.sparql import DIRECT, FORM
from tracktwo.web.headers import NO_STORE, add_links
from tracktwo.web.language import said, spoken

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
    HTTPStatus.REQUEST_URI_TOO_LONG: errors.Sentence("URL too long"),
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: errors.Sentence("Unsupported media type"),
    HTTPStatus.INTERNAL_SERVER_ERROR: errors.Sentence("Internal server error"),
    HTTPStatus.BAD_GATEWAY: errors.Sentence("Bad gateway"),
    HTTPStatus.SERVICE_UNAVAILABLE: errors.Sentence("Service unavailable"),
    HTTPStatus.GATEWAY_TIMEOUT: errors.Sentence("Gateway timeout"),
    HTTPStatus.INSUFFICIENT_STORAGE: errors.Sentence("Insufficient storage"),
}

#: The refusals that `/limits` explains, each at the anchor `status-` and its number.
EXPLAINED: dict[HTTPStatus, str] = {
    **{
        STATUS[kind]: kind.__doc__ or ""
        for kind in (
            errors.BadRequest,
            errors.Forbidden,
            errors.NotAcceptable,
            errors.TooLarge,
            errors.UnsupportedMedia,
            errors.StoreUnavailable,
            errors.Busy,
            errors.QueryTimeout,
            errors.QueryTooBig,
        )
    },
    HTTPStatus.METHOD_NOT_ALLOWED: "The endpoint has no such method; Allow tells those that it has.",
    HTTPStatus.REQUEST_URI_TOO_LONG: (
        "A URL may have 65,000 characters; send a longer query by POST. This answer comes without a body, from the "
        "server in front."
    ),
}

#: What the endpoint takes as a body (RFC 5789 section 3.1 for POST's like, HTTP QUERY section 3).
ACCEPTED: dict[str, str] = dict.fromkeys(("Accept-Query", "Accept-Post"), ", ".join((DIRECT, FORM)))


def problem(error: Exception, page: Callable[..., str] | None = None) -> Response:
    """The response to an error; a fault of our own is told without its insides.

    `page` makes the HTML, given `error` and `status`. Where no format fits, the response lists those that would, in its
    body and as links (RFC 9110 section 15.5.7).
    """
    status, message, hint = _told(error)
    format_ = negotiate(request.headers.get("Accept"), ERROR_FORMATS) or TEXT
    if format_ is HTML and page is not None:
        body = page(error=error, status=status)
    elif format_ is HTML:
        words = _words() if status is HTTPStatus.NOT_FOUND else ""
        body = render_template("error.html", status=status, message=message, hint=hint, words=words, canonical="")
    elif format_ is PROBLEM_JSON:
        body = json.dumps(_problem_json(error, status, message, hint), ensure_ascii=False) + "\n"
    else:
        body = f"{status.value} {status.phrase}\n{message}\n{hint}".rstrip() + "\n"
    response = Response(body, status=status, content_type=format_.content_type)
    response.headers["Cache-Control"] = NO_STORE
    response.vary.add("Accept")
    spoken(response, format_.media_type)
    if isinstance(error, errors.Busy):
        response.headers["Retry-After"] = str(error.retry_after)
    if isinstance(error, errors.UnsupportedMedia):
        response.headers.extend(ACCEPTED)
    if isinstance(error, HTTPException) and "Allow" in (headers := dict(error.get_headers())):
        response.headers["Allow"] = headers["Allow"]
    if isinstance(error, errors.NotAcceptable):
        add_links(response, [variant for variant in g.get("variants", ()) if variant.type in error.offered])
    return response


def phrase(status: HTTPStatus) -> str:
    """A status in words, for a reader."""
    return said(_PHRASES.get(status, status.phrase))[0]


def _words() -> str:
    """The words that end what was asked for, to search for where nothing is published under it."""
    last = re.split(r"[/#]", unquote(request.args.get("iri") or request.path).rstrip("/#"))[-1]
    return " ".join(re.findall(r"[^\W_]+", re.sub(r"\.\w{2,6}$", "", last)))


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
    explained = request.path == "/sparql" and status in EXPLAINED
    kind = site.links.absolute(f"limits#status-{status.value}") if site and explained else "about:blank"
    content: dict[str, object] = {"type": kind, "title": status.phrase, "status": status.value, "detail": message}
    if hint:
        content["hint"] = hint
    if isinstance(error, errors.QueryError) and error.line is not None:
        content |= {"line": error.line, "column": error.column}
    if isinstance(error, errors.NotAcceptable):
        content["offered"] = list(error.offered)
    return content
