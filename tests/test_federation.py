"""Federated queries for real: a site that may ask one other endpoint, that endpoint, and a port that nobody may ask."""

import contextlib
import socket
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import serving
from conftest import Built, write_publication
from pyoxigraph import Literal, NamedNode, Quad
from serving import Site
from test_stores import oxigraph_server

from tracktwo.errors import TracktwoError
from tracktwo.formats import JSON
from tracktwo.store import Query
from tracktwo.store.embedded import EmbeddedStore
from tracktwo.store.process import Dialect, PoolLimits

LABEL = NamedNode("http://www.w3.org/2000/01/rdf-schema#label")
THERE = [Quad(NamedNode(f"https://there.example/{n}"), LABEL, Literal(f"number {n}")) for n in range(3)]
DIRECT = "application/sparql-query"


@dataclass(frozen=True)
class World:
    """The site, the endpoint that it may ask, and a listener that it may not."""

    site: Site
    allowed: str
    listener: socket.socket

    @property
    def other(self) -> str:
        return f"http://127.0.0.1:{self.listener.getsockname()[1]}/query"

    def untouched(self) -> bool:
        """Has nobody come to the listener?"""
        try:
            self.listener.accept()[0].close()
        except BlockingIOError:
            return True
        return False

    def forbidden(self, query: str) -> str:
        """What is told of a query that is refused in each form of the protocol."""
        for response in (self.site.query(query), self.site.post(query, DIRECT)):
            assert 403 == response.status_code, response.text
        assert self.untouched()
        return str(response.json().get("hint"))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("federation")
    with (
        oxigraph_server(folder / "there", THERE) as allowed,
        socket.create_server(("127.0.0.1", 0)) as listener,
    ):
        listener.setblocking(False)
        settings = f'services = ["{allowed}"]\nlimits = {{ query_seconds = 5.0 }}\n'
        publication = write_publication(folder / "publication", settings=settings)
        with serving.serve(publication.root, folder / "releases") as site:
            yield World(site, allowed, listener)


def names(world: World, query: str) -> list[str]:
    response = world.site.query(query, "text/csv")
    assert 200 == response.status_code, response.text
    return response.text.splitlines()[1:]


def test_rows_of_the_endpoint_that_is_allowed_come_back(world: World) -> None:
    query = f"SELECT ?name WHERE {{ SERVICE <{world.allowed}> {{ ?x rdfs:label ?name }} }} ORDER BY ?name"
    assert ["number 0", "number 1", "number 2"] == names(world, query)


def test_they_are_joined_with_our_own(world: World) -> None:
    query = f"""SELECT ?name ?class WHERE {{
      {{ SELECT ?class WHERE {{ ?class a owl:Class }} LIMIT 1 }}
      SERVICE <{world.allowed}> {{ <https://there.example/2> rdfs:label ?name }} }}"""
    [row] = names(world, query)
    assert row.startswith("number 2,http")


def test_a_federated_answer_is_not_kept_by_caches(world: World) -> None:
    response = world.site.query(f"ASK {{ SERVICE <{world.allowed}> {{ ?x ?p ?o }} }}")
    assert ("no-store", None) == (response.headers["cache-control"], response.headers.get("etag"))
    assert response.json()["boolean"]


def test_another_endpoint_is_refused_and_the_allowed_one_named(world: World) -> None:
    for silent in ("", "SILENT "):
        assert world.allowed in world.forbidden(f"SELECT * WHERE {{ SERVICE {silent}<{world.other}> {{ ?s ?p ?o }} }}")
    both = f"SERVICE <{world.allowed}> {{ ?s ?p ?o }} SERVICE <{world.other}> {{ ?s ?p ?o }}"
    assert world.allowed in world.forbidden(f"SELECT * WHERE {{ {both} }}")


def test_an_endpoint_in_a_variable_is_refused_whatever_it_is(world: World) -> None:
    for url in (world.allowed, world.other):
        world.forbidden(f"SELECT * WHERE {{ VALUES ?there {{ <{url}> }} SERVICE ?there {{ ?s ?p ?o }} }}")


def test_the_allowed_endpoint_may_not_be_written_to(world: World) -> None:
    world.forbidden(f"INSERT {{ <urn:a> <urn:b> ?o }} WHERE {{ SERVICE <{world.allowed}> {{ ?s ?p ?o }} }}")


def test_only_the_workers_of_federated_queries_can_open_sockets(world: World, foreign: Built) -> None:
    """Were the text not refused, the kernel would: the two kinds of queries share no worker."""
    limits = PoolLimits(workers=1, seconds=5, queue_seconds=1, memory_mb=256, result_mb=4, result_rows=100_000)
    store = EmbeddedStore(foreign.release.store, Dialect(foreign.publication.base_iri, {}), limits)
    text = f"ASK {{ SERVICE <{world.allowed}> {{ ?s ?p ?o }} }}"
    with contextlib.closing(store):
        for _ in range(2):
            assert b"true" in store.answer(Query(text, results=JSON, federated=True)).read()
            with pytest.raises(TracktwoError):
                store.answer(Query(text, results=JSON)).read()
            with pytest.raises(TracktwoError):
                store.answer(Query(text.replace(world.allowed, world.other), results=JSON)).read()
    assert world.untouched()


def test_the_command_line_may_ask_the_same_endpoint_and_no_other(world: World) -> None:
    place = ("--publication", world.site.publication, "--releases", world.site.releases)
    query = f"SELECT ?name WHERE {{ SERVICE <{world.allowed}> {{ ?x rdfs:label ?name }} }}"
    done = serving.tracktwo("query", *place, "--format", "csv", "-e", query, check=True)
    assert ["name", "number 0", "number 1", "number 2"] == sorted(done.stdout.splitlines())
    refused = serving.tracktwo("query", *place, "-e", query.replace(world.allowed, world.other))
    assert (1, "") == (refused.returncode, refused.stdout)
    assert world.allowed in refused.stderr
    assert world.untouched()
