"""What can go wrong, as types: raised deep, rendered once at the edge."""

import difflib
from collections.abc import Callable, Iterable, Sequence

_LONGEST_COMPARED = 80  # characters: comparing is quadratic


class Sentence(str):
    """A sentence that readers meet: in English with its values put in; `template` is what catalogues translate."""

    __slots__ = ("template", "values")
    template: str
    values: dict[str, object]

    def __new__(cls, template: str, **values: object) -> "Sentence":
        made = super().__new__(cls, template % values if values else template)
        made.template, made.values = template, values
        return made

    def translated(self, translate: Callable[[str], str]) -> "Sentence":
        """The same in a catalogue's language; in English where it is not in the catalogue."""
        return Sentence(translate(self.template), **self.values)


class TracktwoError(Exception):
    """Anything that we tell a user in one clear message, never as a traceback."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n{self.hint}" if self.hint else self.message


class SettingError(TracktwoError):
    """A setting is unknown, missing or of the wrong type."""


class InputError(TracktwoError):
    """A file of the publication can't be read as what it should be."""


class NotConforming(TracktwoError):
    """The data violates its shapes: no release is made."""


class ReleaseError(TracktwoError):
    """A release can't be made, found, or opened."""


class NotFound(TracktwoError):
    """Nothing is published under this IRI or URL."""


class NotAcceptable(TracktwoError):
    """No format that we have fits the client's `Accept` (RFC 9110 section 15.5.7)."""

    def __init__(self, message: str, offered: Sequence[str]) -> None:
        super().__init__(message, hint=Sentence("Available: %(formats)s", formats=", ".join(offered)))
        self.offered = tuple(offered)


class BadRequest(TracktwoError):
    """The request breaks the SPARQL 1.1 Protocol, or HTTP."""


class QueryError(TracktwoError):
    """The text is not a SPARQL 1.1 query; `line` and `column` (from 1) say where, if known.

    `prefix` is one that the text uses and nobody has declared.
    """

    def __init__(
        self, message: str, *, line: int | None = None, column: int | None = None, prefix: str = "", hint: str = ""
    ) -> None:
        where = f"line {line}, column {column}: " if line is not None else ""
        super().__init__(where + message, hint=hint)
        self.line = line
        self.column = column
        self.prefix = prefix


class Forbidden(TracktwoError):
    """The query would make the server open a connection or change data."""


class UnsupportedMedia(TracktwoError):
    """The request's body has a media type that the SPARQL 1.1 Protocol does not name."""


class TooLarge(TracktwoError):
    """The request's body is over the limit."""


class QueryTimeout(TracktwoError):
    """A query ran past its deadline and was stopped. A slowly read answer may take longer while no one waits."""


class QueryTooBig(TracktwoError):
    """A query needed more memory, rows or bytes than allowed and was stopped."""


class Busy(TracktwoError):
    """All query workers are taken, or all that one client may have; try again after the time that Retry-After says."""

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


def all_taken(query_seconds: float) -> Busy:
    """What a query is told that has waited too long for another, which may work for so many seconds."""
    return Busy(
        Sentence("All query workers are taken; try again shortly."), retry_after=max(1, round(query_seconds / 4))
    )


class StoreUnavailable(TracktwoError):
    """The store behind us does not answer as it should."""


def nearest(name: str, known: Iterable[str]) -> str:
    """A question after the known name that comes nearest to a wrong one; empty where none comes near."""
    close = difflib.get_close_matches(name[:_LONGEST_COMPARED], list(known), n=1, cutoff=0.5)
    return Sentence("Did you mean “%(name)s”?", name=close[0]) if close else ""
