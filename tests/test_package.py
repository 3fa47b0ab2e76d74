"""The package: its wheel holds everything, and what it installs serves the packaged publication with no checkout."""

import contextlib
import os
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from serving import marked
from test_readme import INSTALL, README, ROOT, Command, Shell

FOLDERS = ("ontology", "data", "shapes")
CLONED = ("pyproject.toml", "publication.toml", "README.md", "LICENSE", "CHANGELOG.md", "src", *FOLDERS)
ACTIVATE = ". .venv/bin/activate"
SERVE = Command("tracktwo serve", "")
PERSON = "/id/person/pavel-s-zolotarev"


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """What a fresh clone holds of what is installed."""
    folder = tmp_path / "clone"
    folder.mkdir()
    for name in CLONED:
        if (ROOT / name).is_dir():
            shutil.copytree(
                ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "node_modules", ".*")
            )
        else:
            shutil.copy(ROOT / name, folder)
    return folder


@pytest.fixture
def wheel(clone: Path, tmp_path: Path) -> Path:
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path / "dist"), str(clone)]
    done = subprocess.run(build, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    (path,) = (tmp_path / "dist").glob("*.whl")
    return path


@contextlib.contextmanager
def _served(shell: Shell, command: Command = SERVE) -> Iterator[float]:
    """Seconds to the first answer; afterwards Ctrl-C, which has to end every process soon."""
    started = time.monotonic()
    try:
        with shell.running(command):
            yield time.monotonic() - started
            assert len(marked(shell.mark)) > 1
            stopped = time.monotonic()
        assert time.monotonic() - stopped < 10
    finally:
        shell.end()


def _page(shell: Shell, path: str, accept: str) -> str:
    answer = httpx.get(shell.url(path), headers={"accept": accept}, follow_redirects=True, trust_env=False)
    assert answer.status_code == 200
    assert accept == answer.headers["content-type"].partition(";")[0]
    return answer.text


def test_wheel_holds_the_code_its_files_and_the_publication(clone: Path, wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    package = [path for path in (clone / "src" / "tracktwo").rglob("*") if path.is_file()]
    code = {path.relative_to(clone / "src").as_posix() for path in package}
    lists = [path for folder in FOLDERS for path in (clone / folder).rglob("*") if path.is_file()]
    published = {f"tracktwo/publication/{path.relative_to(clone).as_posix()}" for path in lists}
    expected = code | published | {"tracktwo/publication/publication.toml"}
    assert expected == {name for name in names if ".dist-info/" not in name}
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)
    assert "tracktwo/py.typed" in expected
    endings = {Path(name).suffix for name in expected}
    assert {".py", ".html", ".css", ".svg", ".rq", ".ttl", ".tsv", ".toml"} <= endings


def test_installed_command_serves_with_no_checkout_near(
    wheel: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True, timeout=120)
    scripts = tmp_path / "venv" / "bin"
    subprocess.run([scripts / "pip", "install", "-q", wheel], check=True, timeout=300, capture_output=True)
    empty, home = tmp_path / "empty", tmp_path / "home"
    empty.mkdir()
    home.mkdir()
    shell = Shell(empty, scripts, {"HOME": str(home), "XDG_DATA_HOME": str(home / "data")})
    with _served(shell) as first:
        assert "Track Two" in _page(shell, "/", "text/html")
        assert "Zolotarev" in _page(shell, PERSON, "text/turtle")
    with _served(shell) as second:
        assert "Zolotarev" in _page(shell, PERSON, "text/turtle")
    with capsys.disabled():
        print(f"\ninstalled: first answer after {first:.1f} s with a build, {second:.1f} s without")
    assert second < 30
    assert list(empty.iterdir()) == []
    assert (home / "data" / "tracktwo" / "current").exists()


def test_readmes_first_command_serves_a_fresh_clone(clone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = clone / "publication.toml"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(text.replace('en = "Track Two"', 'en = "Fresh Clone"', 1), encoding="utf-8")
    assert f"`{ACTIVATE}`" in README
    shell = Shell(clone, Path(os.devnull), patience=300)
    with _served(shell, Command(INSTALL, "")) as first:
        assert "Fresh Clone" in _page(shell, "/", "text/html")
    assert (clone / ".tracktwo" / "current").exists()
    with _served(shell, Command(".venv/bin/tracktwo serve", "")) as second:
        assert "Zolotarev" in _page(shell, PERSON, "text/turtle")
    with capsys.disabled():
        print(f"\nfresh clone: first answer after {first:.1f} s with all installed, {second:.1f} s the second time")
    assert second < 30
    assert shell.run(Command(f"{ACTIVATE} && command -v tracktwo", "")).strip() == str(
        clone / ".venv" / "bin" / "tracktwo"
    )
