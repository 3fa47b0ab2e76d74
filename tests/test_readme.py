"""The README says what is so: its commands run and print what it shows, its tables are the code's, its files exist.

In what a command prints, a line `...` stands for any lines and `...` within a line for any text.
"""

import contextlib
import difflib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import httpx
import pyoxigraph
import pytest
from serving import free_port, marked
from test_layers import LAYERS

from tracktwo import cli
from tracktwo.publication import SETTINGS
from tracktwo.web.site import Site

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")

#: Run by test_package.py and `.ci/run`, not here: each installs something.
INSTALL = "python3 -m venv .venv && .venv/bin/pip install -q . && .venv/bin/tracktwo serve"
TEST = ".venv/bin/pip install -q -e '.[test]' && .venv/bin/pytest"
RUN_ELSEWHERE = (INSTALL, TEST)

#: Ports that the README names, in the place of which the tests take free ones.
PORTS = ("8000", "8001", "7878")

#: Names of the types of settings.
TYPES = {str: "text", dict: "table", list: "list", float: "number", int: "whole number", bool: "yes or no"}

SHACL = "http://www.w3.org/ns/shacl#"

_SERVERS = ("tracktwo serve", "oxigraph serve")


@dataclass(frozen=True)
class Command:
    """One `$ ` line of a console block, and what the README shows below it."""

    line: str
    shown: str

    @property
    def serves(self) -> bool:
        """Does it run until it is stopped?"""
        return any(name in self.line for name in _SERVERS)

    @property
    def port(self) -> str:
        """Where it answers, if it serves."""
        found = re.search(r"--(?:port |bind [\d.]+:)(\d+)", self.line)
        return found[1] if found else PORTS[0]


def _blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def _commands(block: str) -> list[Command]:
    assert block.startswith("$ "), block
    parts = re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]
    return [Command(line, shown) for line, _, shown in (part.partition("\n") for part in parts)]


BLOCKS = [_commands(block) for block in _blocks("console")]
RUN_HERE = [block for block in BLOCKS if not any(command.line in RUN_ELSEWHERE for command in block)]


@dataclass
class Shell:
    """A terminal in some folder, with free ports in place of the README's and its own commands first on the path."""

    folder: Path
    scripts: Path = field(default_factory=lambda: Path(sys.executable).parent)
    environment: dict[str, str] = field(default_factory=dict)
    patience: float = 60.0
    ports: dict[str, str] = field(default_factory=lambda: {port: str(free_port()) for port in PORTS})
    mark: str = field(default_factory=lambda: uuid.uuid4().hex)

    def run(self, command: Command) -> str:
        """What the command prints, on both its outputs, with the README's ports."""
        done = subprocess.run(**self._call(command), stdout=subprocess.PIPE, timeout=self.patience, check=False)
        said = self._as_in_readme(done.stdout)
        assert done.returncode == 0, f"{command.line} ended with code {done.returncode}:\n{said}"
        return said

    @contextlib.contextmanager
    def running(self, command: Command) -> Iterator[str]:
        """What a server has printed once it answers; Ctrl-C when the block ends, after which nothing is left."""
        with tempfile.TemporaryFile() as out:
            process = subprocess.Popen(**self._call(command), stdout=out, start_new_session=True)
            try:
                self._wait(process, out, f"http://127.0.0.1:{self.ports[command.port]}/")
                yield self._as_in_readme(_all(out))
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGINT)
                _ended(process, command)

    def end(self) -> None:
        """Hold that no process of this terminal lives, and end those that do."""
        left = marked(self.mark)
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        assert left == {}

    def url(self, path: str) -> str:
        """Where a path of the first server is."""
        return f"http://127.0.0.1:{self.ports[PORTS[0]]}{path}"

    def _call(self, command: Command) -> dict[str, Any]:
        own = {name: value for name, value in os.environ.items() if not name.startswith("TRACKTWO_")}
        added = {"PATH": os.pathsep.join((str(self.scripts), own["PATH"])), "SERVING_MARK": self.mark}
        line = re.sub(rf"\b({'|'.join(PORTS)})\b", lambda found: self.ports[found[1]], command.line)
        if command.serves:
            line += "" if "--port" in line or "--bind" in line else f" --port {self.ports[PORTS[0]]}"
        return {
            "args": ["bash", "-c", line],
            "cwd": self.folder,
            "env": {**own, **added, **self.environment},
            "stdin": subprocess.DEVNULL,
            "stderr": subprocess.STDOUT,
        }

    def _wait(self, process: subprocess.Popen[bytes], out: IO[bytes], url: str) -> None:
        until = time.monotonic() + self.patience
        while time.monotonic() < until:
            assert process.poll() is None, _all(out).decode()
            with contextlib.suppress(httpx.TransportError):
                httpx.get(url, trust_env=False)
                return
            time.sleep(0.05)
        raise AssertionError(f"{url} did not answer: {_all(out).decode()}")

    def _as_in_readme(self, printed: bytes) -> str:
        text = printed.decode().replace("\r\n", "\n")
        for port, free in self.ports.items():
            text = re.sub(rf"\b{free}\b", port, text)
        return "".join(line.rstrip() + "\n" for line in text.splitlines())


def _ended(process: subprocess.Popen[bytes], command: Command) -> None:
    """Wait for its end; another project's server may take longer over it than we wait."""
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(15)
        assert not command.line.startswith("tracktwo "), f"{command.line} did not end"


def _all(out: IO[bytes]) -> bytes:
    return os.pread(out.fileno(), 1 << 20, 0)


def _agrees(shown: str, printed: str) -> bool:
    pattern = re.escape(shown)
    pattern = re.sub(r"^\\\.\\\.\\\.\\\n", "(?:.*\n)*?", pattern, flags=re.MULTILINE)
    return re.fullmatch(pattern.replace(r"\.\.\.", ".*"), printed) is not None


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    folder = tmp_path_factory.mktemp("clone")
    for name in ("ontology", "data", "shapes", "tests/foreign"):
        shutil.copytree(ROOT / name, folder / name)
    shutil.copy(ROOT / "publication.toml", folder)
    shell = Shell(folder)
    try:
        with shell.running(Command("tracktwo serve", "")):
            assert len(marked(shell.mark)) > 1
            yield shell
    finally:
        shell.end()


def test_every_command_is_run_here_or_named_as_run_elsewhere() -> None:
    lines = [command.line for block in BLOCKS for command in block]
    assert (len(BLOCKS), len(lines)) == (11, 20)
    assert [line for line in lines if line in RUN_ELSEWHERE] == list(RUN_ELSEWHERE)
    assert sum(len(block) for block in RUN_HERE) == 18


@pytest.mark.parametrize("block", RUN_HERE, ids=lambda block: block[0].line[:40])
def test_commands_print_what_the_readme_shows(block: list[Command], shell: Shell) -> None:
    with contextlib.ExitStack() as servers:
        for command in block:
            printed = servers.enter_context(shell.running(command)) if command.serves else shell.run(command)
            assert _agrees(command.shown, printed), "".join(
                difflib.unified_diff(command.shown.splitlines(True), printed.splitlines(True), "README", command.line)
            )


def test_ellipses_stand_for_lines_and_for_text() -> None:
    assert _agrees("a\n...\nb ... c\n", "a\nx\ny\nb 12 c\n")
    assert _agrees("...\na\n", "a\n")
    assert not _agrees("a\n...\nb\n", "a\nx\n")
    assert not _agrees("a ...\n", "a 1\nb\n")


def test_ci_runs_the_readmes_test_command() -> None:
    assert TEST in (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()


def _table(heads: str) -> list[list[str]]:
    """The rows of the table with these column heads."""
    lines = README.splitlines()
    start = lines.index(heads) + 2
    end = next(number for number in range(start, len(lines)) if not lines[number].startswith("|"))
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[start:end]]


def _toml(value: object) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f'"{key}" = "{item}"' for key, item in value.items()) + " }" if value else "{}"
    return repr(value).replace("'", '"')


def test_settings_are_those_of_the_code() -> None:
    expected = [
        [
            f"`{row.name}`",
            TYPES[row.kind],
            "required" if row.default is None else f"`{_toml(row.default)}`",
            row.meaning,
        ]
        for row in SETTINGS
    ]
    shown = _table("| setting | type | default | meaning |")
    assert expected == shown, "\n".join("| " + " | ".join(row) + " |" for row in expected)


def test_commands_are_those_of_the_command_line() -> None:
    expected = [[f"`tracktwo {name}`", _first_line(cli.main.commands[name].help)] for name in sorted(cli.main.commands)]
    shown = _table("| command | what it does |")
    assert expected == shown, "\n".join("| " + " | ".join(row) + " |" for row in expected)


def _first_line(text: str | None) -> str:
    return (text or "").partition("\n")[0]


def test_layers_are_those_that_the_code_keeps_to() -> None:
    rows = _table("| layer | modules of `src/tracktwo/` | may not know |")
    expected = {
        level: sorted(name for name, home in LAYERS.items() if home == level and not name.startswith("__"))
        for level in range(len(rows))
    }
    assert expected == {4 - place: re.findall(r"`(\w+)`", row[1]) for place, row in enumerate(rows)}


def test_files_that_the_readme_names_exist() -> None:
    prose = re.sub(r"^```.*?^```$", "", README, flags=re.MULTILINE | re.DOTALL)
    spans = set(re.findall(r"`([^`\n]+)`", prose)) | set(re.findall(r"\]\(([^)#]+)\)", prose))
    tops = "|".join(map(re.escape, ("ontology/", "data/", "shapes/", "src/", "tests/", ".readme/", ".ci/")))
    named = {span for span in spans if re.match(rf"(?:{tops})|[\w.]+\.(?:md|toml)$|LICENSE$", span)}
    example = {"data/lights.ttl"}
    assert len(named) > 25
    assert sorted(name for name in named - example if not (ROOT / name).exists()) == []


def test_minimal_publication_builds(tmp_path: Path) -> None:
    (text,) = _blocks("toml")
    (tmp_path / "publication.toml").write_text(text, encoding="utf-8")
    base = tomllib.loads(text)["base_iri"]
    for folder, triple in {
        "ontology": f"<{base}ontology> a <http://www.w3.org/2002/07/owl#Ontology> .",
        "data": f'<{base}id/one> <http://www.w3.org/2000/01/rdf-schema#label> "One" .',
        "shapes": f"<{base}shapes#One> a <{SHACL}NodeShape> ; <{SHACL}targetNode> <{base}id/one> .",
    }.items():
        (tmp_path / folder).mkdir()
        (tmp_path / folder / f"{folder[:-1]}.ttl").write_text(triple, encoding="utf-8")
    shell = Shell(tmp_path)
    shell.run(Command("tracktwo build", ""))
    asked = shell.run(
        Command("tracktwo query -e 'SELECT DISTINCT ?g { GRAPH ?g { ?s ?p ?o } } ORDER BY ?g' --format csv", "")
    )
    assert asked.split()[1:] == [f"{base}graph/dat", f"{base}graph/shape", f"{base}ontology"]


#: One request for each status of the table of bad input: method, path, headers, body.
BAD_REQUESTS: dict[int, tuple[str, str, dict[str, str], bytes]] = {
    414: ("GET", "/sparql?query=ASK%7B%7D%23" + "x" * 65_600, {}, b""),
    400: ("GET", "/sparql?query=SELEC", {}, b""),
    403: ("POST", "/sparql", {"content-type": "application/sparql-update"}, b"CLEAR ALL"),
    404: ("GET", "/id/person/nobody", {}, b""),
    405: ("DELETE", "/sparql", {}, b""),
    406: ("GET", "/dataset", {"accept": "image/png"}, b""),
    413: ("POST", "/sparql", {"content-type": "application/sparql-query"}, b"#" * (1 << 21)),
    415: ("POST", "/sparql", {"content-type": "text/csv"}, b"a,b"),
}

#: Statuses that need a slow query, a full pool or a failing engine: the tests of those bring them about. Whether a far
#: longer URL is 431 depends on the pieces in which it arrives.
OTHER_STATUSES = {431, 502, 503, 504, 507}


def test_bad_requests_get_the_statuses_that_the_readme_names(shell: Shell) -> None:
    named = {
        int(status) for row in _table("| input | what happens |") for status in re.findall(r"\b[45]\d\d\b", row[1])
    }
    assert named == BAD_REQUESTS.keys() | OTHER_STATUSES
    with httpx.Client(base_url=shell.url("/"), trust_env=False) as client:
        for status, (method, path, headers, body) in BAD_REQUESTS.items():
            target = {"target": path.encode()}  # which may be longer than the client would have a URL
            answer = client.request(method, "/", headers=headers, content=body, extensions=target)
            assert status == answer.status_code, path[:80]


@pytest.mark.parametrize(
    ("file", "added", "said"),
    [
        ("facts/islands.ttl", "\n1 2 3 .", "facts/islands.ttl:"),
        ("facts/islands.ttl", "\n<x> a <https://data.pharos.example/vocab#Island> .", "violation"),
        ("publication.toml", "\nquery_secs = 1", "Did you mean “limits.query_seconds”?"),
        ("publication.toml", "\n[publishers]\niri = 1", "Did you mean “publisher.iri”?"),
    ],
)
def test_bad_input_ends_a_build_with_a_message(file: str, added: str, said: str, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "tests" / "foreign", tmp_path, dirs_exist_ok=True)
    with (tmp_path / file).open("a", encoding="utf-8") as changed:
        changed.write(added)
    with pytest.raises(AssertionError, match="ended with code 1") as failed:
        Shell(tmp_path).run(Command("tracktwo build", ""))
    assert said in str(failed.value)
    assert "Traceback" not in str(failed.value)


def test_engine_departs_from_the_standard_where_the_readme_says() -> None:
    store = pyoxigraph.Store()
    store.update('INSERT DATA { <a:a> <a:p> "x"@en, "y"@en }')

    def values(query: str) -> list[list[str]]:
        return [[str(value) for value in row] for row in store.query(query)]  # type: ignore[union-attr]  # SELECT only

    assert values("SELECT ?o { <a:unknown> <a:p>* ?o }") == []
    assert len({row[0] for row in values('SELECT (BNODE("x") AS ?b) { ?s ?p ?o }')}) == 1
    assert "@en" in values("SELECT (GROUP_CONCAT(?o) AS ?all) { ?s ?p ?o }")[0][0]


def test_the_counts_of_what_is_described_are_true(own_opened: Site) -> None:
    """The table under “What it describes” has the numbers of the release."""
    section = README.partition("## What it describes")[2].partition("## ")[0]
    told = dict(re.findall(r"^\| ([a-z ]+) \| (\d+) \|$", section, re.MULTILINE))
    classes = [class_ for class_ in own_opened.catalog.classes() if class_.stated]
    labels = own_opened.catalog.labels([class_.iri for class_ in classes])
    counts = {own_opened.describer.label(class_.iri, labels)[0]: str(class_.members) for class_ in classes}
    assert len(told) >= 13
    wanted = sorted(((label, counts[label]) for label in told), key=lambda row: -int(row[1]))
    right = "".join(f"| {label} | {count} |\n" for label, count in wanted)
    assert list(told.items()) == wanted, f"the table should be\n{right}"
