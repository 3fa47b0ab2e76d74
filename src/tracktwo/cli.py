"""The command line. Results go to standard output, progress and messages to standard error.

Exit codes: 0 done, 1 the work failed, 2 wrong usage.
"""

import json
import os
import re
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import update_wrapper
from pathlib import Path
from typing import Any, TypeVar

import click
import platformdirs
from pyoxigraph import NamedNode, QueryBoolean, QueryResultsFormat, parse_query_results
from rich.console import Console
from rich.table import Table

from tracktwo import __version__, hints, publication
from tracktwo.catalog import Catalog
from tracktwo.errors import BadRequest, QueryError, ReleaseError, TooLarge, TracktwoError
from tracktwo.formats import RDF_FORMATS, RESULT_FORMATS, Format, named
from tracktwo.links import Links
from tracktwo.publication import Publication
from tracktwo.release import dump as dumps
from tracktwo.release.build import NEW, SAME_DATA, UNCHANGED, Checked, Outcome, Progress, build, check
from tracktwo.release.history import Release, Releases
from tracktwo.release.validate import Report
from tracktwo.serialise import serialised
from tracktwo.sparql import check_reach
from tracktwo.store import GRAPH, Query, Store
from tracktwo.store.process import Dialect, PoolLimits
from tracktwo.store.remote import RemoteStore
from tracktwo.store.rows import readable
from tracktwo.turtle import FormatRefused, format_turtle
from tracktwo.web.server import run
from tracktwo.web.site import Options, open_store

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True)
class Place:
    """What the common options name: a publication, and the folder of its releases."""

    publication: Publication
    releases: Releases


class Command(click.Command):
    """A command that tells our errors as messages, not as tracebacks."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except TracktwoError as error:
            click.echo(f"tracktwo: {error}", err=True)
            ctx.exit(1)
        except BrokenPipeError:  # the reader of our output has had enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            ctx.exit(1)


class Group(click.Group):
    """A group whose commands are `Command`s."""

    command_class = Command


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"], "auto_envvar_prefix": "TRACKTWO"})
@click.version_option(__version__, prog_name="tracktwo")
def main() -> None:
    """Publish an ontology, RDF data and SHACL shapes as a linked-data site.

    \b
    Example:
      tracktwo serve        build what has changed, then serve it
    """


def _url(_: click.Context, __: click.Parameter, value: str) -> str:
    """Hold that an option is an `http` or `https` URL with a host."""
    if value and not re.fullmatch(r"https?://[^/?#\s]+[^#\s]*", value):
        raise click.BadParameter(f"“{value}” is no http(s) URL with a host.")
    return value


def _root_url(_: click.Context, __: click.Parameter, value: str) -> str:
    """Hold that an option is a URL that paths can be added to."""
    if value and not re.fullmatch(r"https?://[^/?#\s]+(/[^?#\s]*)?", value):
        raise click.BadParameter(f"“{value}” is no http(s) URL with a host and without query or fragment.")
    return value


def _iris(_: click.Context, __: click.Parameter, value: str | tuple[str, ...]) -> str | tuple[str, ...]:
    """Hold that each value is an IRI; a CURIE looks like one, too."""
    for iri in [value] if isinstance(value, str) else value:
        try:
            NamedNode(iri)
        except ValueError as error:
            raise click.BadParameter(f"“{iri}” is no IRI.") from error
    return value


def placed(command: F) -> F:
    """Add the options common to all commands, and hand over the `Place` that they name."""

    def with_place(*args: Any, publication_dir: Path | None, releases_dir: Path | None, **rest: Any) -> Any:
        return command(_place(publication_dir, releases_dir), *args, **rest)

    update_wrapper(with_place, command)
    for option in (
        click.option(
            "--releases",
            "releases_dir",
            type=click.Path(path_type=Path, file_okay=False),
            envvar="TRACKTWO_RELEASES",
            help="Folder of the releases (default: .tracktwo in the publication).",
        ),
        click.option(
            "--publication",
            "publication_dir",
            type=click.Path(path_type=Path, file_okay=False),
            envvar="TRACKTWO_PUBLICATION",
            help="Folder that holds publication.toml (default: the nearest above, else the one in the package).",
        ),
    ):
        option(with_place)
    return with_place  # type: ignore[return-value]  # the same command with two options more


def _place(folder: Path | None, releases: Path | None) -> Place:
    root = publication.find(folder, Path.cwd()).resolve()
    default = (
        Path(platformdirs.user_data_dir("tracktwo")) if root == publication.packaged().resolve() else root / ".tracktwo"
    )
    return Place(publication.load(root), Releases((releases or default).resolve()))


@contextmanager
def _progress() -> Iterator[Progress]:
    """Tell what is being done: one moving line on a terminal, one line each elsewhere."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda sentence: click.echo(sentence, err=True)
        return
    with console.status("") as status:
        yield status.update


_CAME_TO = {
    UNCHANGED: "Nothing has changed.",
    SAME_DATA: "The same data, released anew.",
    NEW: "A new release.",
}


@main.command("build")
@placed
def build_(place: Place) -> None:
    """Make a new release, if anything has changed.

    \b
    Example:
      tracktwo build --publication my-graph
    """
    outcome = _build(place)
    click.echo(outcome.release.id)
    click.echo(_CAME_TO[outcome.change], err=True)


def _build(place: Place) -> Outcome:
    with _progress() as progress:
        outcome = build(place.publication, place.releases, progress)
    for warning in outcome.warnings:
        click.echo(f"warning: {warning}", err=True)
    return outcome


@main.command()
@placed
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "ttl", "json"]),
    default="text",
    show_default=True,
    help="How to write the report.",
)
def validate(place: Place, format_: str) -> None:
    """Parse, infer and hold everything to its shapes; makes no release.

    \b
    Example:
      tracktwo validate --format json
    """
    with _progress() as progress:
        checked = check(place.publication, progress)
    for warning in checked.given.warnings:
        click.echo(f"warning: {warning}", err=True)
    click.echo(_report(checked, format_))
    sys.exit(0 if checked.report.conforms else 1)


def _report(checked: Checked, format_: str) -> str:
    report: Report = checked.report
    if format_ == "ttl":
        return report.turtle
    if format_ == "json":
        return json.dumps(
            {
                "conforms": report.conforms,
                "summary": report.summary,
                "results": [asdict(result) for result in report.results],
            },
            ensure_ascii=False,
            indent=1,
        )
    return "\n\n".join(
        [*map(str, report.results), ("Conforms: " if report.conforms else "Does not conform: ") + report.summary]
    )


@main.command()
@placed
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535), help="Port to listen on.")
@click.option(
    "--public-url",
    callback=_root_url,
    default="",
    help="Where clients reach the site (default: the address listened on).",
)
@click.option(
    "--store",
    "store_url",
    callback=_url,
    default="",
    help="A SPARQL 1.1 endpoint that holds the release, in place of the embedded store.",
)
@click.option("--workers", default=2, show_default=True, type=click.IntRange(1, 64), help="Processes that serve.")
def serve(place: Place, host: str, port: int, public_url: str, store_url: str, workers: int) -> None:
    """Build what has changed, then serve it until stopped.

    \b
    Example:
      tracktwo serve --port 8080 --public-url https://data.example.org/
    """
    _check_port(host, port)
    release = _release_to_serve(place)
    url = public_url.rstrip("/") + "/" if public_url else f"http://{f'[{host}]' if ':' in host else host}:{port}/"
    options = Options(place.releases.folder, url, store_url)
    if store_url:
        _check_store(place, release, options)
    click.echo(f"Serving release {release.id} at {url} (Ctrl-C ends it)", err=True)
    run(options, host, port, workers)


def _release_to_serve(place: Place) -> Release:
    """The newest release that can be had: a build that fails leaves the last one serving."""
    try:
        return _build(place).release
    except TracktwoError as error:
        current = place.releases.current()
        if current is None:
            raise
        click.echo(f"tracktwo: {error}\nThe last release, {current.id}, keeps serving.", err=True)
        return current


def _check_port(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise ReleaseError(
                f"can't listen on {host}, port {port}: {error.strerror}", hint="Choose another with --port or --host."
            ) from error


def _check_store(place: Place, release: Release, options: Options) -> None:
    open_store(place.publication, release, options.store_url).close()


@main.command()
@placed
@click.argument("file", type=click.File("rb"), required=False)
@click.option("-e", "text", help="The query itself, in place of a file.")
@click.option("--endpoint", callback=_url, default="", help="Ask this SPARQL endpoint, not the current release.")
@click.option(
    "--format",
    "format_",
    default="table",
    show_default=True,
    help="table, json, xml, csv, tsv; ttl, nt, jsonld, rdf, trig, nq for triples.",
)
def query(place: Place, file: Any, text: str | None, endpoint: str, format_: str) -> None:
    """Ask the current release, or any endpoint.

    \b
    Example:
      tracktwo query -e 'SELECT ?class (COUNT(*) AS ?members) { ?x a ?class } GROUP BY ?class'
    """
    if (file is None) == (text is None):
        raise click.UsageError("Give a query either as a file (- for standard input) or with -e.")
    results, graph = _query_formats(format_)
    asked = _query_text(os.fsencode(text) if text is not None else file.read(), place.publication.limits.query_bytes)
    # What another endpoint may reach is for that endpoint to say.
    federated = not endpoint and check_reach(asked, place.publication.prefixes, place.publication.services)
    store = _store(place, endpoint)
    try:
        answer = store.answer(Query(asked, results=results, graph=graph, federated=federated))
        if format_ == "table" and answer.kind != GRAPH:
            _print_table(answer.read())
        else:
            for chunk in answer.chunks:
                sys.stdout.buffer.write(chunk)
            sys.stdout.buffer.flush()
    except QueryError as error:
        error.hint = error.hint or hints.unknown_prefix(error.prefix, place.publication.prefixes)
        raise
    finally:
        store.close()
    if not endpoint and (hint := _hint(place, asked)):
        click.echo(f"hint: {hint}", err=True)


def _query_text(given: bytes, limit: int) -> str:
    if len(given) > limit:
        raise TooLarge(f"The query is over {limit} bytes.")
    try:
        return given.decode()
    except UnicodeDecodeError as error:
        raise BadRequest("The query is not UTF-8.") from error


def _hint(place: Place, asked: str) -> str:
    """What can be said about a name in the query that the current release does not know."""
    publication_ = place.publication
    links = Links(publication_.base_iri, publication_.base_iri, publication_.documents)
    catalog = Catalog(_current(place).catalog, publication_.base_iri)
    return hints.unknown_term(asked, catalog, links, publication_.prefixes)


def _query_formats(name: str) -> tuple[Format | None, Format | None]:
    if name == "table":
        return named("json", RESULT_FORMATS), named("ttl", RDF_FORMATS)
    results, graph = named(name, RESULT_FORMATS), named(name, RDF_FORMATS)
    if results is None and graph is None:
        raise click.BadParameter(
            f"“{name}” is none of table, {', '.join(row.name for row in (*RESULT_FORMATS, *RDF_FORMATS))}.",
            param_hint="--format",
        )
    return results, graph


def _store(place: Place, endpoint: str) -> Store:
    """The current release's store, or an endpoint of anybody's, asked as it is."""
    if endpoint:
        return RemoteStore(
            endpoint,
            (),
            "",
            place.publication.skolem_prefix,
            Dialect(place.publication.base_iri, place.publication.prefixes),
            PoolLimits.of(place.publication.limits),
        )
    return open_store(place.publication, _current(place), "")


def _current(place: Place) -> Release:
    release = place.releases.current()
    return release if release is not None else _build(place).release


def _print_table(content: bytes) -> None:
    with readable():
        results = parse_query_results(content, format=QueryResultsFormat.JSON)
        if isinstance(results, QueryBoolean):
            click.echo("yes" if bool(results) else "no")
            return
        names = [variable.value for variable in results.variables]
        rows = [
            ["" if solution[name] is None else str(getattr(solution[name], "value", solution[name])) for name in names]
            for solution in results
        ]
    table = Table(*names)
    for row in rows:
        table.add_row(*row)
    Console(width=None if sys.stdout.isatty() else 200).print(table, markup=False, highlight=False)
    click.echo(f"{len(rows)} row{'' if len(rows) == 1 else 's'}")


@main.command()
@placed
@click.option(
    "--format",
    "format_",
    type=click.Choice([row.name for row in RDF_FORMATS]),
    default="nq",
    show_default=True,
    help="Format of what is written.",
)
@click.option(
    "--graph", "graphs", callback=_iris, multiple=True, metavar="IRI", help="Only this named graph (repeatable)."
)
@click.option(
    "--class",
    "classes",
    callback=_iris,
    multiple=True,
    metavar="IRI",
    help="Only statements about members of this class (repeatable).",
)
@click.option(
    "--merged",
    is_flag=True,
    help="With the merge of all graphs as one graph more, and IRIs for blank nodes: what a remote store needs.",
)
@click.option("--output", type=click.Path(path_type=Path), help="Write to a file in place of standard output.")
def dump(
    place: Place, format_: str, graphs: tuple[str, ...], classes: tuple[str, ...], merged: bool, output: Path | None
) -> None:
    """Write the current release, or a slice of it, as RDF.

    \b
    Example:
      tracktwo dump --format ttl --output everything.ttl
    """
    chosen = named(format_, RDF_FORMATS)
    assert chosen is not None
    quads = dumps.select(_current(place).store, graphs, classes)
    if merged:
        quads = dumps.for_remote_store(quads, place.publication)
    content = serialised(chosen, quads, place.publication.prefixes)
    if output is None:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
    else:
        with _writing(output):
            output.write_bytes(content)
        click.echo(f"{len(quads)} statements in {output}", err=True)


@main.command()
@placed
@click.argument("iri", callback=_iris)
@click.option(
    "--format",
    "format_",
    type=click.Choice([row.name for row in RDF_FORMATS]),
    default="ttl",
    show_default=True,
    help="Format of what is written.",
)
def describe(place: Place, iri: str, format_: str) -> None:
    """Write what the current release says about one IRI.

    \b
    Example:
      tracktwo describe https://data.example.org/id/river/rhine
    """
    chosen = named(format_, RDF_FORMATS)
    assert chosen is not None
    expanded = _expanded(iri, place.publication)
    quads = dumps.about(_current(place).store, expanded)
    if not quads:
        raise TracktwoError(f"nothing is said about <{expanded}>")
    sys.stdout.buffer.write(serialised(chosen, quads, place.publication.prefixes))
    sys.stdout.buffer.flush()


def _expanded(name: str, of: Publication) -> str:
    """An IRI from an IRI, or from a CURIE with one of the publication's prefixes."""
    prefix, colon, local = name.partition(":")
    return of.prefixes[prefix] + local if colon and prefix in of.prefixes and not local.startswith("//") else name


@main.command("format")
@placed
@click.option(
    "--check", "only_check", is_flag=True, help="Change nothing; exit 1 if a file is not in canonical layout."
)
@click.argument("files", nargs=-1, type=click.Path(path_type=Path, exists=True, dir_okay=False))
def format_files(place: Place, only_check: bool, files: tuple[Path, ...]) -> None:
    """Put Turtle files into canonical layout: the publication's, or those named.

    \b
    Example:
      tracktwo format --check
    """
    paths = list(files) or sorted(
        path for folder in place.publication.folders.values() for path in folder.rglob("*.ttl")
    )
    if not paths:
        raise TracktwoError("there are no Turtle files to format")
    changed = [path for path in paths if _format_one(path, only_check=only_check)]
    for path in changed:
        click.echo(path)
    click.echo(
        f"{len(changed)} of {len(paths)} files {'differ from the canonical layout' if only_check else 'changed'}",
        err=True,
    )
    sys.exit(1 if only_check and changed else 0)


def _format_one(path: Path, *, only_check: bool) -> bool:
    """Format a file; was it, or would it be, changed?"""
    try:
        text = path.read_text(encoding="utf-8")
        formatted = format_turtle(text, source=str(path))
    except FormatRefused as error:
        raise TracktwoError(str(error)) from error
    except (OSError, SyntaxError, ValueError) as error:
        raise TracktwoError(f"{path}: {error}") from error
    if formatted != text and not only_check:
        with _writing(path):
            temporary = path.with_name(f".{path.name}.new")
            temporary.write_text(formatted, encoding="utf-8", newline="\n")
            temporary.replace(path)
    return formatted != text


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Tell what keeps a file from being written."""
    try:
        yield
    except OSError as error:
        raise TracktwoError(f"{path} can't be written: {error.strerror}") from error
