"""What can be told of a SPARQL query from its text alone: words, IRIs, the endpoints and graphs that it names.

No parser: the engine is the only judge of what a query means. But the tokens are those of the grammar (SPARQL 1.1
section 19.8), read in one pass, so that nothing hides in what only looks like a string, a comment or a name. The engine
needs no space around a keyword, so a run of letters says every keyword that it holds.
"""

import functools
import itertools
import re
import threading
from collections.abc import Iterator, Mapping

_LETTER = (
    "A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02ff\u0370-\u037d\u037f-\u1fff\u200c\u200d\u2070-\u218f\u2c00-\u2fef"
    "\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufffd\U00010000-\U000effff"
)
_NAME = _LETTER + "0-9_\u00b7\u0300-\u036f\u203f\u2040"
_LOCAL = rf"(?:[{_NAME}:]|%[0-9A-Fa-f]{{2}}|\\[_~.\-!$&'()*+,;=/?\#@%])"


@functools.cache
def _token() -> re.Pattern[str]:
    """Every character belongs to exactly one token; what has no end ends with the text, so nothing is read twice.

    Compiled when first asked for: query workers start sooner without.
    """
    return re.compile(
        rf"""
          (?P<comment>  \#[^\n\r]*+ )
        | (?P<iri>      <[^\x00-\x20<>"{{}}|^`]*+> )
        | (?P<string>   \"{{3}} (?:[^"\\]|\\.|\"(?!\"\"))*+ (?:\"{{3}})?+ | '{{3}} (?:[^'\\]|\\.|'(?!''))*+ (?:'{{3}})?+
                      | " (?:[^"\\\n\r]|\\.)*+ "?+ | ' (?:[^'\\\n\r]|\\.)*+ '?+ )
        | (?P<variable> [?$] [{_NAME}]++ )
        | (?P<tag>      @ [A-Za-z]++ (?:-[A-Za-z0-9]++)*+ )
        | (?P<run>      (?: [{_LETTER}_] (?:[{_NAME}-]|\.(?=[{_NAME}.:-]))*+ )?+ )
          (?P<local>    : (?: {_LOCAL} (?:{_LOCAL}|-|\.(?=[{_NAME}:%\\.-]))*+ )?+ )?+
        """,
        re.VERBOSE | re.DOTALL,
    )


_CLOSED = re.compile(
    r"""\"{3}(?:[^"\\]|\\.|\"(?!\"\"))*+\"{3}|'{3}(?:[^'\\]|\\.|'(?!''))*+'{3}|(?!\"{3}|'{3}).*""", re.DOTALL
)
_ESCAPE = re.compile(r"\\u([0-9A-Fa-f]{4})|\\U([0-9A-Fa-f]{8})")

#: Words that make an answer differ from one run to the next: functions (SPARQL 1.1 section 17.4), other endpoints.
_VOLATILE = ("NOW", "RAND", "UUID", "STRUUID", "BNODE", "SERVICE")

Token = tuple[str, str]

_SHORT_TEXT = 10_000  # characters; the tokens of a longer text take much room
_READING = threading.Lock()  # many long texts at once would take it all at once, and no one would be done sooner


def unescaped(text: str) -> str:
    """Code point escapes replaced (SPARQL 1.1 section 19.2), which may spell a keyword."""
    return _ESCAPE.sub(lambda escape: chr(min(int(escape[1] or escape[2], 16), 0x10FFFF)), text)


def tokens(text: str) -> list[Token]:
    """(kind, text) of each token but comments and space: `run` a bare word, `name` a prefixed one, `sign` the rest."""
    if len(text) <= _SHORT_TEXT:
        return _kept_tokens(text)
    with _READING:
        return _read_tokens(text)


def _read_tokens(text: str) -> list[Token]:
    found: list[Token] = []
    position, token = 0, _token()
    while position < len(text):
        match = token.match(text, position)
        assert match is not None, "the last alternative may be empty"
        if match.end() == position:
            if not text[position].isspace():
                found.append(("sign", text[position]))
            position += 1
            continue
        if match.lastgroup != "comment":
            found.append(("name" if match["local"] is not None else str(match.lastgroup), match.group()))
        position = match.end()
    return found


_kept_tokens = functools.lru_cache(16)(_read_tokens)


def _behind_prologue(found: list[Token]) -> tuple[dict[str, str], list[Token]]:
    """(the prefixes declared, the rest)."""
    declared, position = {}, 0
    while position < len(found) and found[position][0] == "run" and found[position][1].upper() in ("PREFIX", "BASE"):
        size = 3 if found[position][1].upper() == "PREFIX" else 2
        if size == 3 and [kind for kind, _ in found[position + 1 : position + 3]] == ["name", "iri"]:
            declared[found[position + 1][1][:-1]] = found[position + 2][1][1:-1]
        position += size
    return declared, found[position:]


def words(text: str) -> list[str]:
    """The bare words behind the prologue, in upper case: keywords and function names."""
    return [word.upper() for kind, word in _behind_prologue(tokens(text))[1] if kind == "run"]


def is_open(text: str) -> bool:
    """Does a long string lack its end? The engine may then read two strings, and so see what we do not."""
    kind, last = next(reversed(tokens(text)), ("", ""))
    return kind == "string" and not _CLOSED.fullmatch(last)


def is_volatile(text: str) -> bool:
    """Does the answer differ from one run to the next: by a function, another endpoint, or blank nodes made anew?"""
    plain = unescaped(text)
    return any(name in word for word in words(plain) for name in _VOLATILE) or _makes_nodes(plain)


def _makes_nodes(text: str) -> bool:
    """Has a CONSTRUCT query blank nodes in its template? Each run labels them anew (SPARQL 1.1 section 16.2.1)."""
    query = itertools.dropwhile(lambda token: token[0] != "run" or "CONSTRUCT" not in token[1].upper(), tokens(text))
    template = itertools.takewhile(lambda token: token != ("sign", "}"), query)
    return any(
        token in (("sign", "["), ("sign", "(")) or (token[0] == "name" and token[1].startswith("_:"))
        for token in template
    )


def iris_in(text: str, prefixes: Mapping[str, str]) -> list[str]:
    """The IRIs that a query names, written out or with a prefix, in order."""
    declared, rest = _behind_prologue(tokens(text))
    found = (_iri(token, {**prefixes, **declared}) for token in rest)
    return list(dict.fromkeys(iri for iri in found if iri))


def undeclared(text: str) -> set[str]:
    """The prefixes that a query uses and does not declare."""
    declared, rest = _behind_prologue(tokens(text))
    return {token.partition(":")[0] for kind, token in rest if kind == "name"} - declared.keys()


def services_in(text: str, prefixes: Mapping[str, str]) -> list[str]:
    """What each SERVICE names: an IRI, or what stands in its place where that is none."""
    return [target for _, target in _after("SERVICE", "SILENT", text, prefixes)]


def graphs_in(text: str, prefixes: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """(graphs of FROM, graphs of FROM NAMED) (SPARQL 1.1 section 13.2)."""
    clauses = list(_after("FROM", "NAMED", text, prefixes))
    return [iri for named, iri in clauses if not named], [iri for named, iri in clauses if named]


def _after(keyword: str, option: str, text: str, prefixes: Mapping[str, str]) -> Iterator[tuple[bool, str]]:
    """(was the option there, what is named) for each occurrence of a keyword and its optional second word."""
    declared, rest = _behind_prologue(tokens(text))
    known = {**prefixes, **declared}
    rest = [("sign", "")] + rest + [("sign", "")] * 2
    for position, (kind, token) in enumerate(rest[:-2]):
        run, colon, local = token.partition(":")
        upper = run.upper()
        if kind == "run" and keyword in upper:
            optional = upper.endswith(option) or rest[position + 1][1].upper().startswith(option)
            glued = rest[position + 1][1].upper().startswith(option + ":")
            if optional and not upper.endswith(option):
                target = ("name", rest[position + 1][1][len(option) :]) if glued else rest[position + 2]
            else:
                target = rest[position + 1]
            yield optional, _iri(target, known) or target[1]
        elif kind == "name" and upper.endswith((keyword, keyword + option)):
            before = rest[position - 1][1].upper() if rest[position - 1][0] == "run" else ""
            if rest[position + 1][1] == "{" and not before.endswith(("GRAPH", "FROM", "NAMED")):
                yield upper.endswith(option), _iri(("name", colon + local), known) or token


def _iri(token: Token, declared: Mapping[str, str]) -> str:
    """The IRI that a token stands for, empty where it stands for none."""
    kind, text = token
    if kind == "iri":
        return text[1:-1]
    prefix, colon, local = text.partition(":")
    return declared[prefix] + re.sub(r"\\(.)", r"\1", local) if kind == "name" and colon and prefix in declared else ""
