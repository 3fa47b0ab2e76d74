"""Where a text stops being a query, and what stands there.

The engine tells the furthest place that it tried, which may be lines behind the fault: it tries a keyword by as many
characters as the keyword has. But where a text is cut behind a token, and nothing but blanks follow, it comes to their
end just when a query may begin so. The first token for which it does not is the fault.
"""

import bisect
import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from itertools import pairwise

from tracktwo.querytext import is_open, placed, spelt_out, undeclared

#: Parses a text and gives the engine's words about what is wrong; none where all is well.
Parse = Callable[[str], str]

_LONGEST_TEXT = 10_000  # characters; of a longer text the engine's place is told as it is
_BLANKS = "\n" + " " * 40  # more than the longest keyword; the line's end ends a string, too
_FORMS = ("SELECT", "ASK", "CONSTRUCT", "DESCRIBE")
_NEVER = "\0"  # no query holds it
_SHOWN = 40  # characters of what stands at the place

#: Signs that are one, and numbers, which `querytext` reads character by character.
_JOINED = re.compile(r"\^\^|&&|\|\||[!<>]=|<<|>>|\{\||\|\}|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_CLOSED = re.compile(r"(\"\"\"|\'\'\'|\"|\')(?:[^\\]|\\.)*?\1", re.DOTALL)

#: What the engine says of a whole query, each with what we say. It does not tell the place.
_OF_SELECT: dict[str, str] = {
    "The SELECT contains a variable that is unbound": "“{}” is neither grouped by nor inside an aggregate",
    "The SELECT contains an expression with a variable that is unbound": "“{}” is neither grouped by nor aggregated",
    "Duplicated variable name in SELECT": "“{}” is selected twice",
    "SELECT * is not authorized with GROUP BY": "“{}” can't be selected with GROUP BY",
}


@dataclass(frozen=True)
class Fault:
    """What is wrong with a query, and where; line and column count from 1. `prefix` is one that is not declared."""

    message: str
    line: int | None = None
    column: int | None = None
    prefix: str = ""


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    start: int

    @property
    def end(self) -> int:
        return self.start + len(self.text)


def find(text: str, said: str, prefixes: Collection[str], parse: Parse) -> Fault:
    """The fault of a text that the engine has refused with these words; prefixes are those that need no declaration."""
    if len(text) > _LONGEST_TEXT:
        return _as_told(said)
    plain, shifts = spelt_out(text)
    message, offset, prefix = _find(plain, prefixes, parse)
    offset += max((less for place, less in shifts if place <= offset), default=0)
    line, column = _line_and_column(text, offset)
    return Fault(message, line, column, prefix)


def _find(text: str, prefixes: Collection[str], parse: Parse) -> tuple[str, int, str]:
    """(what is wrong, the offset, the prefix that is not declared)."""
    tokens = list(_joined(text))
    number = bisect.bisect_left(range(len(tokens)), True, key=lambda n: not _may_begin(text[: tokens[n].end], parse))
    if number == len(tokens):
        return *_of_the_whole(text, tokens, parse), ""
    token = tokens[number]
    prefix = token.text.partition(":")[0]
    if token.kind == "name" and prefix in undeclared(text) - {*prefixes, "_"}:
        return f"the prefix “{prefix}:” is not declared", token.start, prefix
    if token.kind == "string" and not _CLOSED.fullmatch(token.text):
        return "the string that begins here is not closed", token.start, ""
    opening = text.rfind("<", 0, token.end) if token.text.endswith(">") else -1
    if opening >= 0 and _may_begin(f"{text[:opening]}<urn:x>", parse):
        return f"“{_short(text[opening : token.end])}” is no IRI", opening, ""
    if token.text == "}" and (found := _of_the_group(text, tokens[:number], parse)):
        return *found, ""
    return f"“{_short(token.text)}” can't stand here", token.start, ""


def _of_the_whole(text: str, tokens: list[_Token], parse: Parse) -> tuple[str, int]:
    """(what is wrong, the offset) where every token may stand at its place."""
    if is_open(text):
        return "the string that begins here is not closed", tokens[-1].start
    ends = "the query ends before it is complete", tokens[-1].end if tokens else 0
    return _of_select(text, tokens, parse) or ends


def _of_the_group(text: str, tokens: list[_Token], parse: Parse) -> tuple[str, int] | None:
    """(what is wrong, the offset) where the last group, which is still open, may not end as it is."""
    depth, start = 0, len(tokens)
    while start and depth >= 0:
        start -= 1
        depth += {"}": 1, "{": -1}.get(tokens[start].text, 0)
    group = tokens[start + 1 :]
    if again := _bound_again(tokens[start:]):
        return f"“{again.text}” has a value here already", again.start
    if not group or group[0].text.upper() != "SELECT":
        return None
    query = next(token.start for token in tokens if token.text.upper() in _FORMS)  # behind the prologue
    return _of_select(text[:query].ljust(group[0].start) + text[group[0].start : group[-1].end], group, parse)


def _of_select(text: str, tokens: list[_Token], parse: Parse) -> tuple[str, int] | None:
    """(what is wrong, the offset) where what is selected can't be."""
    said = parse(text + _BLANKS)
    for told, message in _OF_SELECT.items():
        if told in said:
            token = _in_select(text, tokens, parse, told)
            return message.format(token.text), token.start
    return None


def _may_begin(start: str, parse: Parse) -> bool:
    """May a query begin so?"""
    whole = start + _BLANKS
    place = re.match(r"error at (\d+):(\d+):", parse(whole + _NEVER))
    return place is None or (int(place[1]), int(place[2])) >= _line_and_column(whole, len(whole))


def _in_select(text: str, tokens: list[_Token], parse: Parse, told: str) -> _Token:
    """The first thing selected without which, and without those behind it, the engine does not say so any more."""
    selected = list(_selected(tokens))
    for token, instead in reversed(selected):
        text = text[: token.start] + instead + text[token.end :]
        if told not in parse(text + _BLANKS):
            return token
    return selected[0][0] if selected else tokens[0]


def _selected(tokens: list[_Token]) -> Iterator[tuple[_Token, str]]:
    """The variables, and the star, of each SELECT clause, each with what is right in its place whatever is wrong."""
    inside, depth, before = False, 0, ""
    for number, token in enumerate(tokens):
        upper = token.text.upper() if token.kind == "run" else token.text
        if upper == "SELECT":
            inside, depth = True, 0
        elif upper in ("WHERE", "FROM", "{"):
            inside = False
        elif inside:
            depth += {"(": 1, ")": -1}.get(token.text, 0)
            fresh = f"?selected_{number}"
            if token.kind == "variable":
                yield token, fresh if before == "AS" else "1" if depth else f"(1 AS {fresh})"
            elif upper == "*" and not depth:
                yield token, f"(1 AS {fresh})"
        before = upper


def _bound_again(tokens: list[_Token]) -> _Token | None:
    """The variable of the first BIND of a group, given with its brace, that the group has bound before."""
    depth, seen = 0, set()
    for before, token in pairwise(tokens):
        depth += {"{": 1, "}": -1}.get(token.text, 0)
        if token.kind == "variable":
            if before.text.upper() == "AS" and not depth and token.text[1:] in seen:
                return token
            seen.add(token.text[1:])
    return None


def _joined(text: str) -> Iterator[_Token]:
    """The tokens, of which those that are one for the grammar are one."""
    end = 0
    for kind, token, start in placed(text):
        if start >= end:
            joined = _JOINED.match(text, start) if kind == "sign" else None
            found = _Token(kind, joined[0] if joined else token, start)
            end = found.end
            yield found


def _as_told(said: str) -> Fault:
    """The engine's own place."""
    place = re.match(r"error at (\d+):(\d+): ", said)
    if place is None:
        return Fault(said)
    known = next((told for told in _OF_SELECT if told in said), "")
    message = known or "not a SPARQL 1.1 query, at this place or shortly before it"
    return Fault(message, int(place[1]), int(place[2]))


def _line_and_column(text: str, offset: int) -> tuple[int, int]:
    before = text[:offset]
    return before.count("\n") + 1, offset - before.rfind("\n")


def _short(text: str) -> str:
    line = text.partition("\n")[0]
    return line if len(line) <= _SHOWN else line[:_SHOWN] + "…"
