"""The code's layers: imports go down only, each library has its one place, no word of the domain stands in the code."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import ROOT
from pyoxigraph import NamedNode, RdfFormat, parse

from tracktwo import publication as publications

PACKAGE = ROOT / "src" / "tracktwo"
EDITOR = ROOT / "src" / "editor" / "src"

#: The layer of each module; a package speaks for all its modules.
LAYERS: dict[str, int] = {
    "web": 4,
    "cli": 4,
    "__main__": 4,
    "release": 3,
    "entity": 2,
    "drawing": 2,
    "fields": 2,
    "footnotes": 2,
    "neighbours": 2,
    "view": 2,
    "sparql": 2,
    "description": 2,
    "explain": 2,
    "hints": 2,
    "pictures": 2,
    "provenance": 2,
    "vocabulary": 2,
    "store": 1,
    "search": 1,  # in the catalogue's file
    "facets": 1,  # likewise
    "catalog": 1,  # as the store: what a release knows, read from a file
    "__init__": 0,
    "dates": 0,
    "diagram": 0,
    "errors": 0,
    "formats": 0,
    "identifiers": 0,
    "links": 0,
    "namespaces": 0,
    "publication": 0,
    "querytext": 0,
    "question": 0,
    "serialise": 0,
    "terms": 0,
    "turtle": 0,
}

#: Where a library that is not everybody's may be imported.
HOMES: dict[str, tuple[str, ...]] = {
    "flask": ("web",),
    "werkzeug": ("web",),
    "jinja2": ("web",),
    "granian": ("web.server",),
    "click": ("cli",),
    "rich": ("cli",),
    "platformdirs": ("cli",),
    "rdflib": ("release.validate",),
    "pyshacl": ("release.validate",),
    "reasonable": ("release.infer",),
    "SPARQLWrapper": ("store.remote",),
    "sqlite3": ("catalog", "release.index"),
    "anyascii": ("search",),
    "pyoxigraph": ("",),
}

#: What a layer may not know, by what it would have to import for that.
HTTP = ("http.server", "http.cookies", "socketserver", "wsgiref", "asyncio")
FILES = ("pathlib", "os", "io", "shutil", "tempfile", "sqlite3", "importlib.resources")
ENGINE = ("pyoxigraph.parse", "pyoxigraph.serialize", "pyoxigraph.Store", "pyoxigraph.Dataset", "pyoxigraph.RdfFormat")
UNKNOWN: dict[int, tuple[str, ...]] = {4: ENGINE, 3: HTTP, 2: (*HTTP, *FILES), 1: HTTP, 0: HTTP}

VAGUE = ("utils", "util", "helpers", "common", "core", "manager", "service", "base", "misc")

SUFFIXES = (".py", ".html", ".css", ".js", ".rq", ".svg")

#: Names of the ontology that are ordinary words of code, each with what it means there.
ORDINARY: dict[str, str] = {
    "bears": "a plain verb",
    "event": "a threading.Event",
    "follows": "a statement follows from others",
    "group": "of properties (sh:group), of click's commands, of a regular expression",
    "measure": "a plain verb",
    "post": "HTTP's POST",
    "publication": "what is published: the code's own first word",
    "rank": "the place in an order",
    "role": "of a folder; ARIA's attribute",
    "serves": "what a server does",
    "source": "who says a statement; a source file",
    "state": "a plain noun",
    "track": "half of the product's name",
}

#: Words of the domain that are no names of terms.
DOMAIN = (
    *(
        "america",
        "american",
        "americans",
        "russia",
        "russian",
        "russians",
        "soviet",
        "usa",
        "washington",
        "moscow",
        "stimson",
        "eastwest",
    ),
    *(
        "admiral",
        "ambassador",
        "armed",
        "army",
        "colonel",
        "general",
        "lieutenant",
        "military",
        "nato",
        "navy",
        "nuclear",
        "veteran",
        "weapon",
    ),
    *("annex", "citizen", "diplomacy", "diplomatic", "host", "moderator", "participant", "speaker", "treaty"),
)

#: Of those, the ones that are ordinary words of code, likewise.
ORDINARY_DOMAIN: dict[str, str] = {"host": "the address that a server listens on"}


def modules() -> dict[str, Path]:
    """Every module by its dotted name below the package."""
    return {
        ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__"): path
        for path in sorted(PACKAGE.rglob("*.py"))
    }


MODULES = modules()


def imported(path: Path) -> Iterator[str]:
    """Everything that a module imports, wherever in it, as `module.name`."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{'.' * node.level}{node.module or ''}.{alias.name}" for alias in node.names)


def own_imports(path: Path) -> set[str]:
    """The modules of ours that a module imports."""
    found = set()
    for name in imported(path):
        if name == "tracktwo" or name.startswith("tracktwo."):
            rest = name.removeprefix("tracktwo").removeprefix(".")
            while rest and rest not in MODULES:
                rest = rest.rpartition(".")[0]
            found.add(rest or "__init__")
    return found


def layer(module: str) -> int:
    """The layer of a module; one that the table lacks, which a test of its own tells, counts as the lowest."""
    return LAYERS.get(module.partition(".")[0], 0)


def within(name: str, places: tuple[str, ...]) -> bool:
    return any(not place or name == place or name.startswith(place + ".") for place in places)


def test_there_are_modules_to_look_at() -> None:
    assert len(MODULES) >= 35
    assert sum(len(own_imports(path)) for path in MODULES.values()) >= 100


def test_every_module_belongs_to_a_layer_and_no_layer_names_a_module_that_is_not() -> None:
    assert set(LAYERS) == {module.partition(".")[0] for module in MODULES}


@pytest.mark.parametrize("module", MODULES)
def test_imports_go_down_only(module: str) -> None:
    assert [] == sorted(other for other in own_imports(MODULES[module]) if layer(other) > layer(module))


@pytest.mark.parametrize("module", MODULES)
def test_a_library_is_imported_in_its_own_place_only(module: str) -> None:
    assert [] == sorted(
        name for name in imported(MODULES[module]) if not within(module, HOMES.get(name.partition(".")[0], ("",)))
    )


def test_every_library_with_a_place_of_its_own_is_imported_there() -> None:
    used = {name.partition(".")[0] for path in MODULES.values() for name in imported(path)}
    assert set() == set(HOMES) - used - {"jinja2"}


@pytest.mark.parametrize("module", MODULES)
def test_a_layer_does_not_know_what_it_may_not(module: str) -> None:
    assert [] == sorted(name for name in imported(MODULES[module]) if within(name, UNKNOWN[layer(module)]))


def calls(path: Path, name: str) -> bool:
    """Does a module call something by this bare name?"""
    return any(
        isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    )


def test_no_route_makes_a_response_by_itself() -> None:
    """What every response owes is given by `respond`, `redirect`, `problem`; dumps are files with ranges."""
    assert ["web.app", "web.problems", "web.respond"] == [name for name in MODULES if calls(MODULES[name], "Response")]
    assert ["web.downloads"] == [name for name in MODULES if calls(MODULES[name], "send_file")]


def test_there_are_no_relative_imports_to_hide_behind() -> None:
    assert [] == sorted(
        (module, name) for module, path in MODULES.items() for name in imported(path) if name.startswith(".")
    )


def test_no_module_has_a_name_that_says_nothing() -> None:
    parts = [part for module in MODULES for part in module.split(".")]
    assert len(parts) >= 60
    assert [] == sorted(set(parts) & set(VAGUE))


def local_names() -> set[str]:
    """The local names of the terms that the repository's own ontology declares."""
    ontology = {
        quad.subject.value
        for path in sorted((ROOT / "ontology").glob("*.ttl"))
        for quad in parse(path=str(path), format=RdfFormat.TURTLE)
        if isinstance(quad.subject, NamedNode)
    }
    return {iri.partition("/ontology#")[2] for iri in ontology if "/tracktwo/ontology#" in iri}


def slugs() -> set[str]:
    """The names of the repository's own entities in their IRIs."""
    subjects = {
        quad.subject.value
        for path in sorted((ROOT / "data").glob("*.ttl"))
        for quad in parse(path=str(path), format=RdfFormat.TURTLE)
        if isinstance(quad.subject, NamedNode)
    }
    return {iri.rpartition("/")[2] for iri in subjects if "/tracktwo/id/" in iri}


def pieces(name: str) -> list[str]:
    """`isHeldAt` as is, held, at."""
    return [piece.lower() for piece in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)]


def texts() -> dict[Path, str]:
    """All that we wrote to be run: of the editor its sources, not what is bundled of them and of others' code."""
    bundled = set(PACKAGE.glob("web/static/editor*"))
    paths = sorted({*PACKAGE.rglob("*"), *EDITOR.rglob("*")} - bundled)
    return {path: path.read_text(encoding="utf-8") for path in paths if path.suffix in SUFFIXES}


def found(expressions: dict[str, str]) -> list[tuple[str, str, int]]:
    """(word, file, line) of each place in the package where one of the expressions matches whole words."""
    whole = re.compile(
        "|".join(
            rf"(?<![A-Za-z])(?P<_{number}>{text})(?![A-Za-z])" for number, text in enumerate(expressions.values())
        ),
        re.IGNORECASE,
    )
    words = list(expressions)
    return [
        (words[int((match.lastgroup or "_0")[1:])], path.relative_to(ROOT).as_posix(), number)
        for path, text in texts().items()
        for number, line in enumerate(text.splitlines(), start=1)
        for match in whole.finditer(line)
    ]


def test_the_names_of_the_ontology_do_not_stand_in_the_code() -> None:
    names = local_names()
    assert len(names) >= 95
    assert len(texts()) >= 45
    spellings = {
        name: "[-_ ]?".join(pieces(name))
        for name in sorted(names, key=len, reverse=True)
        if name.lower() not in ORDINARY
    }
    assert len(spellings) >= 85
    assert [] == found(spellings)


def test_the_words_of_the_domain_do_not_stand_in_the_code() -> None:
    words = {word: f"{word}s?" for word in DOMAIN if word not in ORDINARY_DOMAIN}
    assert len(words) >= 30
    assert [] == found(words)


def test_the_entities_of_the_data_do_not_stand_in_the_code() -> None:
    names = {slug for slug in slugs() if len(pieces(slug)) > 1}
    assert len(names) >= 150
    base = publications.load(ROOT).base_iri
    assert [] == sorted((name, path.name) for path, text in texts().items() for name in (base, *names) if name in text)


def test_the_words_excused_are_needed() -> None:
    names = {name.lower() for name in local_names()}
    assert set() == set(ORDINARY) - names
    assert set() == set(ORDINARY_DOMAIN) - set(DOMAIN)
    assert {*ORDINARY, *ORDINARY_DOMAIN} == {
        word for word, _, _ in found({word: word for word in (*ORDINARY, *ORDINARY_DOMAIN)})
    }
