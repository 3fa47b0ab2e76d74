"""What can be told of a SPARQL query from its text alone: words, IRIs, the endpoints and graphs that it names.

No parser: the engine is the only judge of what a query means. But the tokens are those of the grammar (SPARQL 1.1
section 19.8), read in one pass, so that nothing hides in what only looks like a string, a comment or a name. The engine
needs no space around a keyword, so a run of letters says every keyword that it holds.
"""

import functools
import itertools
import re
import threading
from collections.abc import Collection, Iterator, Mapping
from itertools import islice

from pyoxigraph import NamedNode, RdfFormat, parse

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
_PAIR_OR_ESCAPE = re.compile(r"\\\\|" + _ESCAPE.pattern)
_PLAIN = re.compile(rf"[{_NAME}]")

#: Words that make an answer differ from one run to the next: functions (SPARQL 1.1 section 17.4), other endpoints.
_VOLATILE = ("NOW", "RAND", "UUID", "STRUUID", "BNODE", "SERVICE")

Token = tuple[str, str]

_SHORT_TEXT = 10_000  # characters; the tokens of a longer text take much room
_READING = threading.Lock()  # many long texts at once would take it all at once, and no one would be done sooner


def unescaped(text: str) -> str:
    """Code point escapes replaced (SPARQL 1.1 section 19.2), which may spell a keyword."""
    return _ESCAPE.sub(lambda escape: chr(min(int(escape[1] or escape[2], 16), 0x10FFFF)), text)


def spelt_out(text: str) -> tuple[str, list[tuple[int, int]]]:
    """(the text with the letters and digits for which code point escapes stand, where: offset in it, what it is less).

    An engine that knows escapes in strings and IRIs only may get this text: no other character is replaced, so that
    nothing begins or ends where it did not.
    """
    parts: list[str] = []
    shifts: list[tuple[int, int]] = []
    end = less = 0
    for escape in _PAIR_OR_ESCAPE.finditer(text):
        letter = unescaped(escape[0])
        if _PLAIN.fullmatch(letter):
            parts += [text[end : escape.start()], letter]
            end = escape.end()
            less += len(escape[0]) - 1
            shifts.append((end - less, less))
    return "".join((*parts, text[end:])), shifts


def tokens(text: str) -> list[Token]:
    """(kind, text) of each token but comments and space: `run` a bare word, `name` a prefixed one, `sign` the rest."""
    if len(text) <= _SHORT_TEXT:
        return _kept_tokens(text)
    with _READING:
        return _read_tokens(text)


def placed(text: str) -> Iterator[tuple[str, str, int]]:
    """The tokens of a text, each with the offset where it begins."""
    position, token = 0, _token()
    while position < len(text):
        match = token.match(text, position)
        assert match is not None, "the last alternative may be empty"
        if match.end() == position:
            if not text[position].isspace():
                yield "sign", text[position], position
            position += 1
            continue
        if match.lastgroup != "comment":
            yield "name" if match["local"] is not None else str(match.lastgroup), match.group(), position
        position = match.end()


def _read_tokens(text: str) -> list[Token]:
    return [(kind, token) for kind, token, _ in placed(text)]


_kept_tokens = functools.lru_cache(16)(_read_tokens)


def _declarations(found: list[Token]) -> list[list[Token]]:
    """The tokens of each declaration of a prefix or base with which a query begins."""
    sizes, position, declarations = {"PREFIX": 3, "BASE": 2}, 0, []
    while position < len(found) and found[position][0] == "run" and (size := sizes.get(found[position][1].upper())):
        declarations.append(found[position : position + size])
        position += size
    return declarations


def _behind_prologue(found: list[Token]) -> tuple[dict[str, str], list[Token]]:
    """(the prefixes declared, the rest)."""
    declarations = _declarations(found)
    named = [(row[1][1], row[2][1]) for row in declarations if [kind for kind, _ in row] == ["run", "name", "iri"]]
    return {name[:-1]: iri[1:-1] for name, iri in named}, found[sum(map(len, declarations)) :]


def has_star(text: str) -> bool:
    """Does the query select all its variables?"""
    return _star(text) is not None


def star_replaced(text: str, variables: Collection[str]) -> str:
    """A query with `SELECT *` that names the variables instead, in the order of their first appearance."""
    star = _star(text)
    if star is None or not variables:
        return text
    seen = dict.fromkeys(token[1:] for kind, token in tokens(text) if kind == "variable")
    names = " ".join(f"?{name}" for name in seen if name in variables)
    return f"{text[:star]} {names} {text[star + 1 :]}"


def _star(text: str) -> int | None:
    """The offset of the star of the outermost `SELECT *`, None where there is none."""
    before = len(tokens(text)) - len(_behind_prologue(tokens(text))[1])
    for kind, token, start in islice(placed(text), before, before + 3):
        if token == "*":
            return start
        if kind != "run" or not token.upper().startswith(("SELECT", "DISTINCT", "REDUCED")):
            break
    return None


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


def declared(text: str, prefixes: Mapping[str, str]) -> dict[str, str]:
    """The prefixes that mean something in a query: those that need no declaration, and its own, which win."""
    return {**prefixes, **_behind_prologue(tokens(text))[0]}


def undeclared(text: str) -> set[str]:
    """The prefixes that a query uses and does not declare."""
    declared, rest = _behind_prologue(tokens(text))
    return {token.partition(":")[0] for kind, token in rest if kind == "name"} - declared.keys()


def services_in(text: str, prefixes: Mapping[str, str]) -> list[str]:
    """What each SERVICE names: an IRI, or what stands in its place where that is none."""
    declared, _ = _behind_prologue(tokens(text))
    known = {**prefixes, **declared}
    return [_iri(target, known) or target[1] for _, target in _after("SERVICE", "SILENT", text)]


def graphs_in(text: str, prefixes: Mapping[str, str], base_iri: str = "") -> tuple[list[str], list[str]]:
    """(graphs of FROM, graphs of FROM NAMED) (SPARQL 1.1 section 13.2), none where one of them is no IRI."""
    clauses = list(_after("FROM", "NAMED", text))
    try:
        iris = _resolved(text, [token for _, (_, token) in clauses], prefixes, base_iri)
    except SyntaxError:
        return [], []
    found = list(zip((named for named, _ in clauses), iris, strict=True))
    return [iri for named, iri in found if not named], [iri for named, iri in found if named]


def _resolved(text: str, terms: list[str], prefixes: Mapping[str, str], base_iri: str) -> list[str]:
    """The IRIs that terms of a query stand for, whatever its BASE, its PREFIXes and its escapes.

    The prologue of a query is one of Turtle, too (Turtle section 2.4), so the engine reads them with that.
    """
    if not terms:
        return []
    ours = (f"PREFIX {prefix}: <{iri}>" for prefix, iri in prefixes.items())
    prologue = " ".join((*ours, *(token for row in _declarations(tokens(text)) for _, token in row)))
    statements = (f"[] <urn:x-graph> {term} ." for term in terms)
    quads = parse("\n".join((prologue, *statements)), format=RdfFormat.TURTLE, base_iri=base_iri or None)
    iris = [quad.object.value for quad in quads if isinstance(quad.object, NamedNode)]
    if len(iris) != len(terms):
        raise SyntaxError("what is named is no IRI")
    return iris


def _after(keyword: str, option: str, text: str) -> Iterator[tuple[bool, Token]]:
    """(was the option there, what is named) for each occurrence of a keyword and its optional second word."""
    _, rest = _behind_prologue(tokens(text))
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
            yield optional, target
        elif kind == "name" and upper.endswith((keyword, keyword + option)):
            before = rest[position - 1][1].upper() if rest[position - 1][0] == "run" else ""
            if rest[position + 1][1] == "{" and not before.endswith(("GRAPH", "FROM", "NAMED")):
                yield upper.endswith(option), ("name", colon + local)


def _iri(token: Token, declared: Mapping[str, str]) -> str:
    """The IRI that a token stands for, empty where it stands for none."""
    kind, text = token
    if kind == "iri":
        return text[1:-1]
    prefix, colon, local = text.partition(":")
    return declared[prefix] + re.sub(r"\\(.)", r"\1", local) if kind == "name" and colon and prefix in declared else ""
