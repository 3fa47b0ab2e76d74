"""The command that serves: what goes wrong is one clear message, and the last release keeps serving."""

import contextlib
import json
import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import serving
from pyoxigraph import CanonicalizationAlgorithm, Dataset, RdfFormat, parse
from serving import CHROME, FOREIGN, Site, copy_of, free_port, marked, serve, tracktwo, with_settings

from tracktwo.web.cache import Finished, ResponseCache

foreign_site = serving.foreign_site

#: Tests may run as root, to whom no folder is read-only: then the command runs without that power (capabilities(7)).
HUMBLY = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
COMMANDS = ["build", "describe", "dump", "format", "query", "serve", "validate"]
SHIP = "/about/ship/nested"
BASE = "https://data.pharos.example/"
Fault = Callable[[Path], str]  # spoils a publication; what its message must match


@pytest.fixture
def publication(tmp_path: Path) -> Path:
    return copy_of(FOREIGN, tmp_path / "publication")


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A copy of the publication, and its releases; tests only read both."""
    folder = copy_of(FOREIGN, tmp_path_factory.mktemp("released"))
    releases = tmp_path_factory.mktemp("releases")
    tracktwo("build", "--publication", folder, "--releases", releases, check=True)
    return folder, releases


def refused(*arguments: str | Path, code: int = 1, **more: object) -> str:
    """Run a command that must fail, with nothing on standard output and no traceback; its message."""
    done = tracktwo(*arguments, **more)  # type: ignore[arg-type]  # subprocess's own
    assert (code, "") == (done.returncode, done.stdout), done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.strip()
    return done.stderr


def build(publication: Path, releases: Path) -> str:
    """Build, and give the release's id."""
    return tracktwo("build", "--publication", publication, "--releases", releases, check=True).stdout.strip()


# Failures that are told


def break_turtle(publication: Path) -> str:
    (publication / "facts" / "broken.ttl").write_text("@prefix : <urn:> .\n:a :b :c\n:d :e :f .\n", encoding="utf-8")
    return r"broken\.ttl:3:\d+: "


def violate_a_shape(publication: Path) -> str:
    text = f"@prefix ph: <{BASE}vocab#> .\n<{BASE}thing/φάρος/Bad> a ph:Lighthouse ; ph:height -1 .\n"
    (publication / "facts" / "bad.ttl").write_text(text, encoding="utf-8")
    return r"(?s)bad\.ttl.*height|height.*No release"


def misspell_a_setting(publication: Path) -> str:
    path = publication / "publication.toml"
    path.write_text(path.read_text(encoding="utf-8").replace("page_rows", "page_row"), encoding="utf-8")
    return r"unknown setting “limits\.page_row”\s+Did you mean “limits\.page_rows”"


def break_the_settings(publication: Path) -> str:
    (publication / "publication.toml").write_text("base_iri = \n", encoding="utf-8")
    return r"publication\.toml"


def empty_a_folder(publication: Path) -> str:
    for path in (publication / "facts").iterdir():
        path.unlink()
    return r"facts holds no RDF file"


FAILURES = [break_turtle, violate_a_shape, misspell_a_setting, break_the_settings, empty_a_folder]
#: With these the settings themselves can't be read, so that nothing says how to serve what was built before.
HOPELESS = [misspell_a_setting, break_the_settings]


@pytest.mark.parametrize("fault", FAILURES)
@pytest.mark.parametrize("command", ["build", "serve"])
def test_a_fault_in_the_input_is_one_message(publication: Path, tmp_path: Path, fault: Fault, command: str) -> None:
    pattern = fault(publication)
    port = ["--port", str(free_port())] if command == "serve" else []
    message = refused(command, "--publication", publication, "--releases", tmp_path / "releases", *port)
    assert re.search(pattern, message), message
    assert len(message.splitlines()) < 40
    assert not list((tmp_path / "releases").glob("*/store"))


@pytest.mark.parametrize("fault", [fault for fault in FAILURES if fault not in HOPELESS])
def test_the_last_release_keeps_serving(publication: Path, tmp_path: Path, fault: Fault) -> None:
    last = build(publication, tmp_path / "releases")
    pattern = fault(publication)
    with serve(publication, tmp_path / "releases") as site:
        assert last == site.get("/health").text.strip()
        assert site.get(SHIP).status_code == 200
        said = site.log.read_text(encoding="utf-8")
    assert re.search(pattern, said), said
    assert f"The last release, {last}, keeps serving." in said
    assert "Traceback" not in said


def test_a_port_in_use_is_one_message(foreign_site: Site, released: tuple[Path, Path]) -> None:
    message = refused(
        "serve", "--publication", released[0], "--releases", released[1], "--port", str(foreign_site.port)
    )
    assert re.search(rf"can't listen on 127\.0\.0\.1, port {foreign_site.port}: ", message)
    assert "--port" in message


def test_a_host_that_is_not_ours_is_one_message(released: tuple[Path, Path]) -> None:
    message = refused(
        "serve",
        "--publication",
        released[0],
        "--releases",
        released[1],
        "--host",
        "192.0.2.1",
        "--port",
        str(free_port()),
    )
    assert "192.0.2.1" in message


def test_a_folder_without_settings_is_one_message(tmp_path: Path) -> None:
    assert "publication.toml" in refused("build", "--publication", tmp_path)


@contextlib.contextmanager
def read_only(tmp_path: Path, *, with_release: bool) -> Iterator[tuple[Path, Path]]:
    """A publication that has changed since its last release, or has none, and a folder that can't be written."""
    publication = copy_of(FOREIGN, tmp_path / "fixed" / "publication")
    releases = tmp_path / "fixed" / "releases"
    releases.mkdir()
    if with_release:
        build(publication, releases)
        with_settings(publication, page_size=26)
    folders = [releases, *(path for path in releases.rglob("*") if path.is_dir())]
    for folder in folders:
        folder.chmod(0o555)
    try:
        yield publication, releases
    finally:
        for folder in folders:
            folder.chmod(0o755)


def test_a_read_only_releases_folder_is_one_message(tmp_path: Path) -> None:
    with read_only(tmp_path, with_release=False) as (publication, releases):
        message = refused("build", "--publication", publication, "--releases", releases, before=HUMBLY)
    assert str(releases) in message
    assert "ermission denied" in message


def test_a_read_only_releases_folder_still_serves(tmp_path: Path) -> None:
    with read_only(tmp_path, with_release=True) as place, serve(*place, logs=tmp_path, before=HUMBLY) as site:
        assert site.get(SHIP).status_code == 200
        assert truth(site)
        said = site.log.read_text(encoding="utf-8")
    assert "keeps serving" in said
    assert "Traceback" not in said


def truth(site: Site) -> bool:
    return bool(site.query("ASK { ?s ?p ?o }").json()["boolean"])


def test_a_killed_build_leaves_the_last_release(publication: Path, tmp_path: Path) -> None:
    releases = tmp_path / "releases"
    last = build(publication, releases)
    write_fact(publication, "killed")
    before = sorted(path.name for path in releases.iterdir())
    process = subprocess.Popen(
        serving.command("build", "--publication", publication, "--releases", releases),
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    until = time.monotonic() + 20
    while not list(releases.glob(".building-*")) and time.monotonic() < until and process.poll() is None:
        time.sleep(0.002)
    time.sleep(0.1)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    assert last == (releases / "current").read_text(encoding="ascii").strip()
    assert set(before) <= {path.name for path in releases.iterdir()}
    fresh = build(publication, releases)
    assert fresh != last
    assert list(releases.glob(".building-*")) == []


def test_two_builds_at_once_do_not_meet(publication: Path, tmp_path: Path) -> None:
    releases = tmp_path / "releases"
    line = serving.command("build", "--publication", publication, "--releases", releases)
    with contextlib.ExitStack() as stack:
        both = [
            stack.enter_context(subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
            for _ in range(2)
        ]
        told = [process.communicate(timeout=60)[1] for process in both]
    codes = sorted(process.returncode for process in both)
    assert codes in ([0, 0], [0, 1])
    assert "Traceback" not in "".join(told)
    if codes == [0, 1]:
        assert "another build is at work" in "".join(told)
    assert len(list(releases.glob("*/store"))) == 1


# Following new releases


def write_fact(publication: Path, name: str) -> None:
    text = f'@prefix ph: <{BASE}vocab#> .\n<{BASE}thing/ship/{name}> a ph:Ship ; ph:height "{name}"@en .\n'
    (publication / "facts" / f"{name}.ttl").write_text(text, encoding="utf-8")


def test_a_new_release_is_followed_without_a_dropped_request(publication: Path, tmp_path: Path) -> None:
    releases = tmp_path / "releases"
    with serve(publication, releases) as site:
        first = site.get("/health").text.strip()
        assert site.get("/about/ship/fresh").status_code == 404
        stop = threading.Event()
        seen: list[tuple[int, str]] = []
        broken: list[str] = []

        def hammer(path: str) -> None:
            with httpx.Client(trust_env=False, timeout=10) as client:
                while not stop.is_set():
                    try:
                        response = client.get(site.url[:-1] + path)
                        seen.append((response.status_code, response.headers["tracktwo-release"]))
                    except httpx.HTTPError as error:
                        broken.append(repr(error))

        paths = ["/health", SHIP, f"{SHIP}.html", "/sparql?query=ASK%7B%3Fs%20%3Fp%20%3Fo%7D"]
        threads = [threading.Thread(target=hammer, args=(path,)) for path in paths]
        for thread in threads:
            thread.start()
        try:
            write_fact(publication, "fresh")
            second = build(publication, releases)
            until = time.monotonic() + 8
            followed = 0
            while followed < 20 and time.monotonic() < until:  # both processes, on a new connection each time
                answer = httpx.get(f"{site.url}health", trust_env=False, headers={"connection": "close"})
                followed = followed + 1 if answer.text.strip() == second else 0
                time.sleep(0.02)
            time.sleep(4.5)  # until the old release's store is closed behind those that may still read it
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        assert first != second
        assert followed == 20
        assert broken == []
        assert {200} == {status for status, _ in seen}
        assert {first, second} == {release for _, release in seen}
        assert len(seen) > 500
        assert site.get("/about/ship/fresh").status_code == 200
        assert truth(site)
        assert (
            len([line for line in marked(site.mark).values() if "store.worker" in line]) <= 6
        )  # two processes, each with a worker and two spare
        assert "Traceback" not in site.log.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (lambda release: (release / "layout.json").unlink(), "layout.json"),
        (lambda release: (release / "catalog.sqlite").write_bytes(b"no database"), "not a database"),
        (lambda release: _with_layout(release, 10_000), "made by another version"),
        (misspell_a_setting, "unknown setting"),
    ],
)
def test_a_release_that_cant_be_opened_is_told_once_and_changes_nothing(
    publication: Path, tmp_path: Path, fault: Callable[[Path], object], told: str
) -> None:
    releases, beside = tmp_path / "releases", tmp_path / "beside"
    second = build(publication, beside)
    write_fact(publication, "fresh")
    fault(beside / second)
    with serve(publication, releases, "--workers", "1") as site:
        first = site.get("/health").text.strip()
        (beside / second).rename(releases / f"{second}.broken")
        (releases / "current").write_text(f"{second}.broken\n", encoding="ascii")
        before = len(marked(site.mark))
        until = time.monotonic() + 10
        while told not in site.log.read_text(encoding="utf-8") and time.monotonic() < until:
            time.sleep(0.05)
        time.sleep(2.5)  # it looks each second
        said = site.log.read_text(encoding="utf-8")
        assert said.count(told) == 1, said
        assert "Traceback" not in said
        assert len(marked(site.mark)) == before
        assert site.get("/health").text.strip() == first
        assert truth(site)


def _with_layout(release: Path, layout: int) -> None:
    manifest = json.loads((release / "manifest.json").read_text(encoding="utf-8"))
    (release / "manifest.json").write_text(json.dumps({**manifest, "layout": layout}), encoding="utf-8")


def titled(publication: Path, title: str) -> None:
    path = publication / "publication.toml"
    text = re.sub(r'(?m)^el = ".*"$', f'el = "{title}"', path.read_text(encoding="utf-8"), count=1)
    path.write_text(text, encoding="utf-8")


def test_a_new_title_is_told_and_no_validator_of_the_old_one_holds(publication: Path, tmp_path: Path) -> None:
    releases = tmp_path / "releases"
    titled(publication, "Alpha")
    with serve(publication, releases) as site:
        before = [site.get("/", CHROME), site.get("/dump/dataset.nq.gz")]
        assert "Alpha" in before[0].text
        for title in ("Beta", "Gamma"):
            titled(publication, title)
            done = tracktwo("build", "--publication", publication, "--releases", releases, check=True)
            assert "The same data, released anew." in done.stderr
            followed, until = 0, time.monotonic() + 20
            while followed < 20 and time.monotonic() < until:  # both processes, on a new connection each time
                page = site.get("/", CHROME, connection="close")
                followed = followed + 1 if title in page.text else 0
                time.sleep(0.02)
            assert followed == 20
            for path, old in zip(("/", "/dump/dataset.nq.gz"), before, strict=True):
                for condition in (
                    {"if_none_match": old.headers["etag"]},
                    {"if_modified_since": old.headers["last-modified"]},
                ):
                    fresh = site.get(path, CHROME, **condition)
                    assert fresh.status_code == 200, (title, path, condition)
                    assert fresh.headers["etag"] != old.headers["etag"]


def test_the_same_input_makes_no_new_release(released: tuple[Path, Path]) -> None:
    before = sorted(path.name for path in released[1].iterdir())
    done = tracktwo("build", "--publication", released[0], "--releases", released[1], check=True)
    assert "Nothing has changed." in done.stderr
    assert before == sorted(path.name for path in released[1].iterdir())


# Starting and ending


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_and_all_its_children(released: tuple[Path, Path], sent: signal.Signals) -> None:
    """To the first process only, as a supervisor does it; with a query at work."""
    with serve(*released) as site:
        assert len(marked(site.mark)) >= 4
        with pytest.raises(httpx.ReadTimeout):
            httpx.get(
                f"{site.url}sparql",
                params={"query": "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }"},
                timeout=0.3,
                trust_env=False,
            )
        started = time.monotonic()
        site.process.send_signal(sent)
        assert site.process.wait(15) in (0, 130, 143, -sent)
        assert time.monotonic() - started < 10
        time.sleep(0.5)
        assert marked(site.mark) == {}
        assert "Traceback" not in site.log.read_text(encoding="utf-8")


def test_a_killed_server_leaves_no_query_worker(released: tuple[Path, Path]) -> None:
    with serve(*released) as site:
        for pid, line in marked(site.mark).items():
            if "store.worker" not in line:
                os.kill(pid, signal.SIGKILL)
        until = time.monotonic() + 5
        while marked(site.mark) and time.monotonic() < until:
            time.sleep(0.05)
        assert marked(site.mark) == {}


def test_a_killed_process_is_replaced(released: tuple[Path, Path]) -> None:
    with serve(*released) as site:
        children = [pid for pid, line in marked(site.mark).items() if "store.worker" in line]
        for pid in children:
            os.kill(pid, signal.SIGKILL)
        for _ in range(6):  # a worker that died while idle is noticed by the first that asks
            site.query("ASK { ?s ?p ?o }")
        assert truth(site)
        assert site.get(SHIP).status_code == 200


def test_usual_requests_leave_no_traceback(released: tuple[Path, Path]) -> None:
    with serve(*released) as site:
        for coding in ("identity", "gzip"):
            for path in (
                "/",
                SHIP,
                "/nothing",
                "/sparql?query=SELECT%20nonsense",
                "/sparql?query=SELECT*%7B%3Fs%20%3Fp%20%3Fo%7D",
                "/static/site.css",
                "/dump/dataset.nq.gz",
                "/vocab",
            ):
                for accept in (None, CHROME):
                    site.get(path, accept, accept_encoding=coding)
                    site.head(path, accept, accept_encoding=coding)
        with httpx.Client(trust_env=False) as client, client.stream("GET", f"{site.url}vocab") as response:
            next(response.iter_raw(10))  # and then hang up
        time.sleep(0.2)
        said = site.log.read_text(encoding="utf-8")
    assert "Traceback" not in said
    assert "Application callable raised" not in said


@pytest.mark.parametrize("stripped", [False, True])
def test_it_serves_below_a_path(released: tuple[Path, Path], stripped: bool) -> None:
    port = free_port()
    below = "/below/a/path"
    public = f"http://127.0.0.1:{port}{below}/"
    prefix = "" if stripped else below  # a proxy may take the path off or leave it
    with serve(*released, "--public-url", public, port=port, prefix=prefix) as site:
        thing = site.get(f"{prefix}/thing/ship/nested")
        assert (303, f"{public}about/ship/nested") == (thing.status_code, thing.headers["location"])
        document = site.get(f"{prefix}/about/ship/nested", serving.TURTLE)
        assert f"{public}about/ship/nested.ttl" == document.headers["content-location"]
        assert "<https://data.pharos.example/thing/ship/nested>" in document.text
        assert public not in document.text
        page = site.get(f"{prefix}/about/ship/nested", CHROME)
        hrefs = re.findall(r'(?:href|action|src)="([^"#][^"]*)"', page.text)
        inside = [href for href in hrefs if href.startswith(("/", site.url))]
        assert len(inside) > 15
        for href in inside:
            path = href.removeprefix(site.url[:-1])
            assert path.startswith(below), href
            status = site.get(prefix + path.removeprefix(below).replace("&amp;", "&"), CHROME).status_code
            assert status in (200, 303), href
        spelt = site.get(f"{prefix}/thing/ship/nested/")
        assert (301, f"{public}thing/ship/nested") == (spelt.status_code, spelt.headers["location"])
        assert f"{public}sparql" in site.get(f"{prefix}/sparql", serving.TURTLE).text
        assert bool(site.get(f"{prefix}/sparql?query=ASK%20%7B%20%3Fs%20%3Fp%20%3Fo%20%7D").json()["boolean"])
        assert site.ask("OPTIONS", f"{prefix}/sparql").status_code == 204


def test_a_public_url_may_lack_its_slash(released: tuple[Path, Path]) -> None:
    with serve(*released, "--public-url", "https://data.example.org") as site:
        assert site.get("/thing/ship/nested").headers["location"] == "https://data.example.org/about/ship/nested"


@pytest.mark.parametrize(
    "url", ["data.example.org", "ftp://data.example.org/", "https://", "https://data.example.org/?x=1"]
)
def test_a_public_url_that_is_none_is_wrong_usage(released: tuple[Path, Path], url: str) -> None:
    line = serving.command(
        "serve",
        "--publication",
        released[0],
        "--releases",
        released[1],
        "--port",
        str(free_port()),
        "--public-url",
        url,
    )
    process = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)
    try:
        _, said = process.communicate(timeout=4)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGINT)
        process.communicate(timeout=15)
        pytest.fail("it serves")
    assert process.returncode in (1, 2)
    assert url in said
    assert "Traceback" not in said


# The command line


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_help_with_an_example(command: str) -> None:
    done = tracktwo(command, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert "Example:" in done.stdout
    assert f"tracktwo {command}" in done.stdout


def test_the_help_names_every_command() -> None:
    done = tracktwo("-h")
    assert done.returncode == 0
    listed = re.findall(r"(?m)^  (\w+) {2,}\S", done.stdout.partition("Commands:")[2])
    assert set(COMMANDS) <= set(listed)
    for command in set(listed) - set(COMMANDS):
        assert tracktwo(command, "--help").returncode == 0
    assert re.fullmatch(r"tracktwo, version \d+\.\d+\.\d+\n", tracktwo("--version").stdout)


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["serve", "--port", "70000"],
        ["serve", "--port", "x"],
        ["serve", "--nonsense"],
        ["serve", "--workers", "0"],
        ["query"],
        ["query", "-e", "ASK {}", "--format", "nonsense"],
        ["describe"],
        ["dump", "--format", "nonsense"],
        ["validate", "--format", "nonsense"],
        ["format", "/nothing/here.ttl"],
    ],
    ids=" ".join,
)
def test_wrong_usage_is_2(arguments: list[str], released: tuple[Path, Path]) -> None:
    place = (
        ["--publication", str(released[0]), "--releases", str(released[1])] if arguments[0] not in ("nonsense",) else []
    )
    assert "Usage:" in refused(*arguments, *place, code=2)


@pytest.mark.parametrize(
    "arguments",
    [
        ["query", "-e", "SELECT nonsense"],
        ["query", "-e", "ASK { SERVICE <http://127.0.0.1:9/> {} }"],
        ["query", "-e", "CLEAR ALL"],
        ["query", "-e", "ASK {}", "--endpoint", "http://127.0.0.1:9/"],
        ["describe", "https://data.pharos.example/thing/nothing"],
    ],
    ids=" ".join,
)
def test_work_that_fails_is_1(arguments: list[str], released: tuple[Path, Path]) -> None:
    refused(*arguments, "--publication", released[0], "--releases", released[1])


@pytest.mark.parametrize("command", ["dump", "query"])
def test_a_reader_that_has_had_enough_is_no_fault(command: str, released: tuple[Path, Path]) -> None:
    more = ["-e", "SELECT * { ?a ?b ?c . ?d ?e ?f }", "--format", "csv"] if command == "query" else []
    line = serving.command(command, "--publication", released[0], "--releases", released[1], *more)
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline()
        process.stdout.close()
        said = process.stderr.read().decode()
        process.wait(30)
    assert "Traceback" not in said
    assert "BrokenPipe" not in said
    assert process.returncode in (0, 1, 141, -signal.SIGPIPE)


def test_results_go_to_standard_output_and_messages_to_standard_error(
    released: tuple[Path, Path], tmp_path: Path
) -> None:
    done = tracktwo("build", "--publication", released[0], "--releases", tmp_path / "again", check=True)
    assert re.fullmatch(r"\d{4}-\d\d-\d\d-[0-9a-f]{12}\n", done.stdout)
    assert "A new release." in done.stderr
    dumped = tracktwo("dump", "--publication", released[0], "--releases", released[1], check=True)
    assert dumped.stdout.startswith(("<", "_:"))
    assert dumped.stderr == ""
    assert "\x1b" not in done.stderr + dumped.stdout


def test_the_environment_may_name_the_folders(released: tuple[Path, Path]) -> None:
    environment = {**os.environ, "TRACKTWO_PUBLICATION": str(released[0]), "TRACKTWO_RELEASES": str(released[1])}
    done = tracktwo("query", "-e", "ASK { ?s ?p ?o }", "--format", "json", cwd=Path("/"), env=environment)
    assert (done.returncode, '"boolean":true' in done.stdout.replace(" ", "")) == (0, True)


@pytest.mark.parametrize(
    ("code", "command", "arguments", "told"),
    [
        (2, "describe", ["foo bar"], "“foo bar” is no IRI"),
        (2, "dump", ["--graph", "not an iri"], "“not an iri” is no IRI"),
        (2, "dump", ["--class", "none"], "“none” is no IRI"),
        (1, "dump", ["--output", "/nonexistent/x"], "/nonexistent/x can't be written: No such file"),
        (2, "query", ["--endpoint", "foo", "-e", "ASK {}"], "“foo” is no http(s) URL"),
        (2, "serve", ["--store", "foo"], "“foo” is no http(s) URL"),
        (2, "serve", ["--public-url", "http://a.example/?q"], "is no http(s) URL with a host and without query"),
    ],
)
def test_an_argument_of_the_wrong_kind_is_one_message(
    released: tuple[Path, Path], code: int, command: str, arguments: list[str], told: str
) -> None:
    said = refused(command, "--publication", released[0], "--releases", released[1], *arguments, code=code)
    assert told in said


@pytest.mark.parametrize(
    ("content", "told"),
    [(b"\xff", "bad.ttl: 'utf-8' codec"), (b"<urn:a> <urn:b> <<( <urn:a> <urn:b> 1 )>> .", "bad.ttl: a triple term")],
)
def test_a_file_that_cant_be_laid_out_is_one_message(tmp_path: Path, content: bytes, told: str) -> None:
    bad = tmp_path / "bad.ttl"
    bad.write_bytes(content)
    assert told in refused("format", bad, cwd=FOREIGN)
    assert bad.read_bytes() == content


# The cache of finished responses


def scope(query: bytes) -> dict[str, Any]:
    """What the cache reads of a request."""
    return {"method": "GET", "raw_path": b"/sparql", "query_string": query, "headers": [(b"accept", b"*/*")]}


def test_the_cache_is_bounded_in_all_the_bytes_that_it_holds() -> None:
    cache = ResponseCache(max_bytes=1 << 20)
    headers = [(b"cache-control", b"public, max-age=60"), (b"content-location", b"x" * 2000)]
    keys = [cache.key("release", scope(b"query=%d" % number + b"x" * 1900)) for number in range(1000)]
    for key in keys:
        cache.keep(key, Finished(200, headers, b"short"))
    held = [key for key in keys if key is not None and cache.get(key) is not None]
    assert 100 < len(held) < (1 << 20) / 3900


def test_a_request_with_a_long_key_is_not_kept() -> None:
    cache = ResponseCache()
    assert cache.key("release", scope(b"query=" + b"x" * 1000)) is not None
    assert cache.key("release", scope(b"query=" + b"x" * 2048)) is None


# Large graphs


def test_a_large_graph_is_streamed_and_says_the_same(publication: Path, tmp_path: Path) -> None:
    graph = "/named/blank-nodes"
    with serve(publication, tmp_path / "small") as site:
        held = {suffix: site.get(f"{graph}.{suffix}") for suffix in serving.RDF_TYPES}
    with (publication / "publication.toml").open("a", encoding="utf-8") as settings:
        settings.write("document_triples = 10\n")
    with serve(publication, tmp_path / "large") as site:
        for suffix, media_type in serving.RDF_TYPES.items():
            response = site.get(f"{graph}.{suffix}")
            assert (200, media_type) == (response.status_code, serving.kind(response))
            assert ("transfer-encoding" in response.headers, "content-length" in response.headers) == (True, False)
            assert canonical(held[suffix]) == canonical(response)
            assert site.get(f"{graph}.{suffix}", if_none_match=response.headers["etag"]).status_code == 304


def canonical(response: httpx.Response) -> set[str]:
    """The statements of a response, its blank nodes by RDFC-1.0."""
    format_ = RdfFormat.from_media_type(serving.kind(response))
    assert format_ is not None
    dataset = Dataset(parse(response.content, format=format_))
    dataset.canonicalize(CanonicalizationAlgorithm.RDFC_1_0)
    assert len(dataset) > 10
    return set(map(str, dataset))
