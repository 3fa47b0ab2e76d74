"""What a page costs: statements of SQL and calls of the store, counted for each request; no page asks once per row."""

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote

import pytest
from conftest import Built
from flask.testing import FlaskClient

from tracktwo.catalog import Reader
from tracktwo.store.embedded import EmbeddedStore
from tracktwo.web.app import create_app
from tracktwo.web.site import Options

MOST = 8
BASE = "https://w3id.org/tracktwo/"
PHAROS = "https://data.pharos.example/"
OWN_PAGES = [
    "/",
    "/about",
    "/search?q=strategic",
    "/suggest?q=yes",
    "/ontology",
    "/shapes",
    "/dataset",
    "/dump/",
    "/limits",
    "/query/",
    "/query/meetings-by-dialogue",
    "/sparql",
    "/browse/person",
    "/browse/meeting",
    "/graph/stimson-report-2022",
    f"/card?iri={quote(BASE + 'id/person/viktor-yesin', safe='')}",
    f"/around?iri={quote(BASE + 'id/person/viktor-yesin', safe='')}",
    *(
        f"/doc/{entity}"
        for entity in (
            "person/viktor-yesin",
            "person/george-w-casey-jr",
            "meeting/us-russia-mil-to-mil-meeting-3",
            "dialogue/us-russia-mil-to-mil",
            "dialogue/elbe-group",
            "institution/stimson-center",
            "rank/ru-colonel-general",
            "topic/arms-control",
            "publication/joint-threat-assessment-2011",
            "state/russia",
        )
    ),
]
FOREIGN_PAGES = ["/", "/vocab", "/rules", "/islands", "/about/ship/values"]
#: Other people's blank nodes are fetched level by level: pages with how deep their nodes are nested.
NESTED_PAGES = {"/about/ship/cycle": 3, "/about/route/lists": 7}
METHODS = ("describe", "graph", "size", "answer", "match")


@contextmanager
def counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The look-ups while the block runs; each is also made."""
    made: list[str] = []
    run = Reader.run

    def counting_run(self: Reader, statement: str, values: object) -> object:
        made.append(" ".join(statement.split())[:80])
        return run(self, statement, values)  # type: ignore[arg-type]  # whatever it was called with

    with monkeypatch.context() as patch:
        patch.setattr(Reader, "run", counting_run)
        for name in METHODS:
            original = getattr(EmbeddedStore, name)

            def counting(*given: object, _name: str = name, _original: object = original, **more: object) -> object:
                made.append(f"store.{_name}")
                return _original(*given, **more)  # type: ignore[operator]  # a method of the store

            patch.setattr(EmbeddedStore, name, counting)
        yield made


@pytest.fixture(scope="module")
def own_client(own: Built) -> Iterator[FlaskClient]:
    yield from client(own)


@pytest.fixture(scope="module")
def foreign_client(foreign: Built) -> Iterator[FlaskClient]:
    yield from client(foreign)


def client(built: Built) -> Iterator[FlaskClient]:
    app = create_app(Options(built.folder, "http://127.0.0.1:8000/"))
    found = app.test_client()
    found.get("/", headers={"Accept": "text/html"})  # what a process learns once
    yield found
    app.extensions["follower"].close()


@pytest.mark.parametrize(
    ("name", "path"),
    [*(("own_client", path) for path in OWN_PAGES), *(("foreign_client", path) for path in FOREIGN_PAGES)],
)
def test_a_page_makes_few_look_ups(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, name: str, path: str
) -> None:
    client: FlaskClient = request.getfixturevalue(name)
    with counted(monkeypatch) as made:
        answer = client.get(path, headers={"Accept": "text/html"})
    assert answer.status_code == 200
    assert len(made) <= MOST, "\n".join(made)


@pytest.mark.parametrize(("path", "levels"), NESTED_PAGES.items())
def test_nested_nodes_cost_one_look_up_for_each_level(
    monkeypatch: pytest.MonkeyPatch, foreign_client: FlaskClient, path: str, levels: int
) -> None:
    with counted(monkeypatch) as made:
        answer = foreign_client.get(path, headers={"Accept": "text/html"})
    assert answer.status_code == 200
    assert len(made) <= MOST + levels, "\n".join(made)


def test_what_counts_counts(own_client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    with counted(monkeypatch) as made:
        own_client.get("/doc/person/viktor-yesin", headers={"Accept": "text/html"})
    assert len(made) > 3
    assert "store.describe" in made
