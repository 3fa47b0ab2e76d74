"""The releases folder: immutable releases side by side, and a pointer to the current one that swaps atomically."""

import contextlib
import fcntl
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tracktwo.errors import ReleaseError

#: What a release's files look like; raised when that changes, so that older ones are built anew.
LAYOUT = 12

_CURRENT = "current"
_BUILDING = ".building-"
_LOCK = ".lock"  # held by a build; names the folder that it is about to publish


@dataclass(frozen=True)
class Release:
    """One published state: a folder that is never written again, and what its manifest says."""

    folder: Path
    manifest: Mapping[str, Any]

    @property
    def id(self) -> str:
        """Date of making and head of the dataset's canonical hash, such as `2026-01-31-0123456789ab`."""
        return str(self.manifest["id"])

    @property
    def created(self) -> datetime:
        """When its data was first released, in UTC."""
        return datetime.fromisoformat(self.manifest["created"])

    @property
    def built(self) -> datetime:
        """When this folder was made of it, in UTC."""
        return datetime.fromisoformat(self.manifest["built"])

    @property
    def build(self) -> str:
        """What this folder was made of, in hex: two with the same answer every request with the same bytes."""
        return str(self.manifest["build"])

    @property
    def store(self) -> Path:
        """The embedded store's directory."""
        return self.folder / "store"

    @property
    def catalog(self) -> Path:
        """The catalogue's SQLite file."""
        return self.folder / "catalog.sqlite"

    @property
    def dumps(self) -> Path:
        """The folder of dumps and checksums."""
        return self.folder / "dumps"

    def read(self, name: str) -> str:
        """A text file of the release."""
        return (self.folder / name).read_text(encoding="utf-8")


class Releases:
    """The folder that holds a publication's releases."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def current_name(self) -> str | None:
        """The folder that the pointer names; cheap enough to ask often."""
        try:
            return (self.folder / _CURRENT).read_text(encoding="ascii").strip() or None
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise ReleaseError(f"{self.folder / _CURRENT} can't be read: {error}") from error

    def current(self) -> Release | None:
        """The release that the pointer names."""
        name = self.current_name()
        return self.get(name) if name else None

    def usable(self) -> Release | None:
        """The current release, None where there is none or it can't be opened: a build then makes a new one."""
        try:
            release = self.current()
        except ReleaseError:
            return None
        whole = release is not None and {"id", "sha256", "created", "built", "build"} <= release.manifest.keys()
        return release if whole else None

    def get(self, name: str) -> Release:
        """The release in a folder; a `ReleaseError` names what is missing or broken."""
        folder = self.folder / name
        try:
            manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
            return Release(folder, manifest)
        except (OSError, ValueError) as error:
            raise ReleaseError(
                f"the release {name} can't be opened: {error}", hint="Run `tracktwo build` to make a new one."
            ) from error

    @contextlib.contextmanager
    def building(self) -> Iterator[Path]:
        """A temporary folder to build in, alone: a second build is refused, leavings of a killed one are removed."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = (self.folder / _LOCK).open("a")
        except OSError as error:
            raise _unwritable(self.folder, error) from error
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise ReleaseError(f"another build is at work in {self.folder}") from error
            for leaving in [*self.folder.glob(f"{_BUILDING}*"), *self._unpublished()]:
                shutil.rmtree(leaving, ignore_errors=True)
            try:
                folder = Path(tempfile.mkdtemp(prefix=_BUILDING, dir=self.folder))
            except OSError as error:
                raise _unwritable(self.folder, error) from error
            try:
                yield folder
            except OSError as error:
                raise _unwritable(self.folder, error) from error
            finally:
                shutil.rmtree(folder, ignore_errors=True)

    def publish(self, built: Path, id_: str) -> Release:
        """Make a finished folder a release and point to it: all of it on disk before the pointer swaps.

        The same data made anew (by a newer version, with other settings) keeps its id, in a folder with a number. No
        name is used twice: whoever follows the releases knows them by it.
        """
        _sync(built)
        name = self._unused(id_)
        folder = self.folder / name
        self._announce(name)
        built.chmod(0o755)
        built.rename(folder)
        try:
            self.point_to(name)
        except OSError:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        self._announce("")
        return self.get(name)

    def _unused(self, id_: str) -> str:
        """The id as a folder's name, or with the next number where it has been used."""
        used = {path.name for path in self.folder.iterdir()} | {self.current_name() or ""}
        if not any(name == id_ or name.startswith(f"{id_}.") for name in used):
            return id_
        numbers = (name.removeprefix(f"{id_}.") for name in used)
        return f"{id_}.{max((int(number) for number in numbers if number.isdecimal()), default=1) + 1}"

    def _announce(self, name: str) -> None:
        """Note which folder is about to be published, none once it is."""
        with (self.folder / _LOCK).open("w", encoding="ascii") as file:
            file.write(name)
            file.flush()
            os.fsync(file.fileno())

    def _unpublished(self) -> list[Path]:
        """The folder that a killed build had finished and had not pointed to yet."""
        name = (self.folder / _LOCK).read_text(encoding="ascii")
        return [self.folder / name] if name and name != self.current_name() else []

    def point_to(self, name: str) -> None:
        """Make a release the current one."""
        pointer = self.folder / f"{_CURRENT}.new"
        with pointer.open("w", encoding="ascii") as file:
            file.write(name + "\n")
            file.flush()
            os.fsync(file.fileno())
        pointer.replace(self.folder / _CURRENT)
        _sync_one(self.folder)


def now() -> datetime:
    """The present, to the second, in UTC: HTTP dates know no fractions."""
    return datetime.now(UTC).replace(microsecond=0)


def _unwritable(folder: Path, error: OSError) -> ReleaseError:
    return ReleaseError(
        f"no release can be written to {folder}: {error.strerror or error}",
        hint="Choose another folder with --releases; the last release keeps serving.",
    )


def _sync(folder: Path) -> None:
    for path in [*folder.rglob("*"), folder]:
        _sync_one(path)


def _sync_one(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
