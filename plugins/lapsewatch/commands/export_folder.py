"""The folder of an export: it is there as a whole, the earlier one or the new one, and never holds anything else."""

import fcntl
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lapsewatch.commands.exit_codes import BadInput
from lapsewatch.core.errors import Unavailable

MANIFEST = "_export.json"
"""Tells what the folder holds. Readers of Parquet pass over names that begin with an underscore."""


@contextmanager
def replaced_when_whole(target: Path) -> Iterator[Path]:
    """Yield a folder beside the target to write into; it takes the target's place if the body ends well.

    What is no export stays: raises BadInput where the target is no folder, or holds what no export has written, and
    Unavailable where another export is at work on it, or the folders can't be written.
    """
    try:
        target = target.resolve()
        _require_export(target)
        aside = target.with_name(f".{target.name}.unfinished")
        previous = target.with_name(f".{target.name}.previous")
        target.parent.mkdir(parents=True, exist_ok=True)
        with _only_one(aside):
            # What an export has left that was killed.
            _put_back(previous, target)
            shutil.rmtree(previous, ignore_errors=True)
            _empty(aside)
            try:
                yield aside
                if target.exists():
                    target.rename(previous)
                aside.rename(target)
            except BaseException:
                _put_back(previous, target)
                shutil.rmtree(aside, ignore_errors=True)
                raise
            shutil.rmtree(previous, ignore_errors=True)
    except OSError as error:
        raise Unavailable(f"the folder can't be written ({error.strerror or type(error).__name__})") from None


def write_manifest(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Write what the folder holds."""
    (folder / MANIFEST).write_text(f"{json.dumps(manifest, indent=2)}\n")


@contextmanager
def _only_one(aside: Path) -> Iterator[None]:
    """Hold the lock on the folder, which ends with the process, however it ends."""
    aside.mkdir(exist_ok=True)
    handle = os.open(aside, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Unavailable("another export to this folder is at work") from None
        yield
    finally:
        os.close(handle)


def _put_back(previous: Path, target: Path) -> None:
    """Undo a change of folders that did not come to its end."""
    if previous.exists() and not target.exists():
        previous.rename(target)


def _require_export(target: Path) -> None:
    if not target.exists():
        return
    if not target.is_dir():
        raise BadInput("what is to be the folder is none")
    found = {path.name for path in target.iterdir()}
    if found and not found <= _written(target):
        raise BadInput("the folder holds something else than an export: name another one, or empty it")


def _written(target: Path) -> set[str]:
    try:
        return {MANIFEST, *json.loads((target / MANIFEST).read_text())["datasets"]}
    except (FileNotFoundError, ValueError, TypeError, KeyError):
        return set()


def _empty(folder: Path) -> None:
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
