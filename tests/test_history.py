"""The releases folder: immutable folders side by side, one pointer that swaps atomically, one build at a time."""

import json
import os
import shutil
import subprocess
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from conftest import Built, all_files

from tracktwo.errors import ReleaseError
from tracktwo.release.history import Releases, now


def finished(folder: Path, content: str = "x") -> Path:
    """What a build has written: a manifest and something deeper."""
    (folder / "store").mkdir(parents=True)
    (folder / "store" / "data").write_text(content, encoding="utf-8")
    (folder / "manifest.json").write_text(
        json.dumps({"id": content, "created": "2026-01-31T10:00:00+00:00"}), encoding="utf-8"
    )
    return folder


def published(releases: Releases, id_: str, content: str = "x") -> None:
    with releases.building() as folder:
        releases.publish(finished(folder, content), id_)


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


# --- the pointer -----------------------------------------------------------------------------------------------------


def test_a_folder_without_releases_has_no_current_one(tmp_path: Path) -> None:
    assert Releases(tmp_path / "none").current() is None
    assert Releases(tmp_path).current() is None


def test_what_is_published_is_current(tmp_path: Path) -> None:
    releases = Releases(tmp_path / "deep" / "releases")
    published(releases, "a")
    current = releases.current()
    assert current is not None
    assert (tmp_path / "deep" / "releases" / "a", "x") == (current.folder, current.id)
    assert datetime(2026, 1, 31, 10, tzinfo=UTC) == current.created
    published(releases, "b", "y")
    assert "b" == releases.current_name()
    assert {"a", "b", "current", ".lock"} == names(releases.folder)


def test_the_same_id_again_leaves_the_current_folder_alone(tmp_path: Path) -> None:
    releases = Releases(tmp_path)
    published(releases, "a", "first")
    before = all_files(tmp_path / "a")
    published(releases, "a", "second")
    assert "a.2" == releases.current_name()
    assert before == all_files(tmp_path / "a")
    before = all_files(tmp_path / "a.2")
    published(releases, "a", "third")
    assert {"a", "a.2"} < names(tmp_path)
    assert before == all_files(tmp_path / "a.2")
    assert "a.3" == releases.current_name()


def test_no_name_is_used_twice(tmp_path: Path) -> None:
    releases = Releases(tmp_path)
    for content in ("first", "second", "third"):
        published(releases, "a", content)
    for name in ("a", "a.2"):
        shutil.rmtree(tmp_path / name)
    published(releases, "a", "fourth")
    assert "a.4" == releases.current_name()
    published(releases, "a-b", "other")
    assert "a-b" == releases.current_name()


def test_the_pointer_can_go_back(tmp_path: Path) -> None:
    releases = Releases(tmp_path)
    published(releases, "a")
    published(releases, "b")
    releases.point_to("a")
    assert "a" == releases.current_name()
    assert {"a", "b"} < names(tmp_path)


def test_a_reader_of_the_pointer_never_sees_it_broken(tmp_path: Path) -> None:
    releases = Releases(tmp_path)
    published(releases, "short", "1")
    published(releases, "a-much-longer-name-than-the-other", "2")
    seen: list[str | None] = []
    done = threading.Event()

    def look() -> None:
        while not done.is_set():
            seen.append(releases.current_name())

    reader = threading.Thread(target=look)
    reader.start()
    try:
        for number in range(100):
            releases.point_to("short" if number % 2 else "a-much-longer-name-than-the-other")
    finally:
        done.set()
        reader.join()
    assert len(seen) >= 100
    assert {"short", "a-much-longer-name-than-the-other"} == set(seen)


@pytest.mark.parametrize("manifest", [None, "{", ""], ids=["missing", "cut", "empty"])
def test_a_release_that_cannot_be_opened_is_told(tmp_path: Path, manifest: str | None) -> None:
    releases = Releases(tmp_path)
    published(releases, "a")
    (tmp_path / "a" / "manifest.json").unlink()
    if manifest is not None:
        (tmp_path / "a" / "manifest.json").write_text(manifest, encoding="utf-8")
    with pytest.raises(ReleaseError, match="the release a can't be opened"):
        releases.current()


def test_a_pointer_that_is_no_text_is_told(tmp_path: Path) -> None:
    (tmp_path / "current").write_bytes(b"\xff")
    with pytest.raises(ReleaseError, match="current"):
        Releases(tmp_path).current()


def test_an_empty_pointer_points_nowhere(tmp_path: Path) -> None:
    (tmp_path / "current").write_text("", encoding="ascii")
    assert Releases(tmp_path).current() is None


# --- building --------------------------------------------------------------------------------------------------------


def test_a_build_works_in_a_folder_of_its_own_that_goes_away(tmp_path: Path) -> None:
    releases = Releases(tmp_path)
    with releases.building() as folder:
        assert tmp_path == folder.parent
        (folder / "half").write_text("done", encoding="utf-8")
    assert {".lock"} == names(tmp_path)


def test_a_build_that_fails_leaves_nothing(tmp_path: Path) -> None:
    releases = Releases(tmp_path)
    with pytest.raises(RuntimeError, match="halfway"), releases.building() as folder:
        finished(folder)
        raise RuntimeError("halfway")
    assert {".lock"} == names(tmp_path)


def test_a_second_build_at_the_same_time_is_refused(tmp_path: Path) -> None:
    releases = Releases(tmp_path)
    with releases.building() as folder:
        with pytest.raises(ReleaseError, match="another build is at work"), Releases(tmp_path).building():
            pass
        assert folder.is_dir()
        releases.publish(finished(folder), "a")
    published(releases, "b")
    assert "b" == releases.current_name()


def test_a_build_of_another_process_is_waited_for_by_nobody(tmp_path: Path) -> None:
    script = (
        "import sys\nfrom pathlib import Path\nfrom tracktwo.release.history import Releases\n"
        "with Releases(Path(sys.argv[1])).building():\n    print('in', flush=True)\n    sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        assert b"in\n" == other.stdout.readline()
        with pytest.raises(ReleaseError, match="another build is at work"), Releases(tmp_path).building():
            pass
        other.kill()
    with Releases(tmp_path).building():  # the lock dies with its holder
        assert 1 == len(list(tmp_path.glob(".building-*")))


def test_leavings_of_a_killed_build_are_removed_by_the_next(tmp_path: Path) -> None:
    releases = Releases(tmp_path)
    published(releases, "a")
    finished(tmp_path / ".building-dead")
    (tmp_path / "current.new").write_text("half", encoding="ascii")
    published(releases, "b", "y")
    assert {"a", "b", "current", ".lock"} == names(tmp_path)


def test_a_folder_below_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(ReleaseError) as caught, Releases(tmp_path / "file" / "releases").building():
        pass
    assert str(tmp_path / "file" / "releases") in caught.value.message
    assert "--releases" in caught.value.hint


def test_a_folder_that_may_not_be_written_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "releases"
    folder.mkdir(mode=0o555)
    script = (
        "import os, sys\nfrom pathlib import Path\n"
        "from tracktwo.errors import ReleaseError\nfrom tracktwo.release.history import Releases\n"
        "os.chdir(sys.argv[1])\nif os.getuid() == 0:\n    os.setuid(65534)\n"
        "try:\n    with Releases(Path('releases')).building():\n        print('built')\n"
        "except ReleaseError as error:\n    print(error.message)\n"
    )
    tmp_path.chmod(0o755)
    told = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=True, timeout=30
    ).stdout
    assert "no release can be written to releases: Permission denied\n" == told
    assert set() == names(folder)


# --- a real release --------------------------------------------------------------------------------------------------


def test_a_release_holds_what_serving_needs(each: Built) -> None:
    release = each.release
    assert {
        "store",
        "dumps",
        "catalog.sqlite",
        "manifest.json",
        "publication.toml",
        "report.ttl",
        "layout.json",
        "questions.json",
        "vocabulary.json",
    } == names(release.folder)
    assert release.store.is_dir()
    assert release.dumps.is_dir()
    assert release.catalog.is_file()
    assert release.read("publication.toml") == (each.publication.root / "publication.toml").read_text(encoding="utf-8")


def test_a_release_can_be_read_by_others(each: Built) -> None:
    assert 0o755 == each.release.folder.stat().st_mode & 0o777
    assert [] == [path for path in each.release.folder.rglob("*") if not path.stat().st_mode & 0o004]


def test_times_are_whole_seconds_in_utc(each: Built) -> None:
    assert 0 == now().microsecond
    assert UTC == now().tzinfo
    assert each.release.created.tzinfo is not None
    assert each.release.created <= now()


def test_nothing_is_left_beside_the_release(each: Built) -> None:
    assert {each.release.folder.name, "current", ".lock"} == names(each.folder)
    assert os.sep not in each.release.folder.name
