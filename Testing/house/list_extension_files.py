"""Keeps the lists of files in the CMake files of the Slicer extension equal to the tree.

Slicer packs only what is listed, and a listed file that does not exist stops its build. `--write` writes the lists
anew, sorted; without it the differences are printed and the exit code is 1 if there are any.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

from floors import REPOSITORY

FOLDERS = ("RegionReport", "RegionReportLib")
SCRIPTS, RESOURCES = "MODULE_PYTHON_SCRIPTS", "MODULE_PYTHON_RESOURCES"


def in_tree(folder: Path) -> dict[str, list[str]]:
    """Return what must be listed: scripts and resources below a folder, relative to it, without caches."""
    files = sorted(
        path.relative_to(folder)
        for path in folder.rglob("*")
        if path.is_file() and path.name != "CMakeLists.txt" and path.suffix != ".pyc" and not _hidden(path, folder)
    )
    return {
        SCRIPTS: [path.as_posix() for path in files if path.suffix == ".py"],
        RESOURCES: [path.as_posix() for path in files if path.suffix != ".py"],
    }


def listed(text: str) -> dict[str, list[str]]:
    """Return what the text of a CMake file lists, as it is written there, doubles included."""
    return {name: _set_of(name).search(text)["files"].split() for name in (SCRIPTS, RESOURCES)}  # type: ignore[index]


def with_lists(text: str, files: dict[str, list[str]]) -> str:
    """Return the text of a CMake file with other lists; all else stays as it is."""
    for name, wanted in files.items():
        lines = "".join(f"  {path}\n" for path in wanted)
        text, count = _set_of(name).subn(lambda found, lines=lines: f"{found['head']}\n{lines}  )", text)  # type: ignore[misc]
        if count != 1:
            raise ValueError(f"expected one set({name} …), found {count}")
    return text


def differences(folder: Path) -> list[str]:
    """Return in words how the lists of a folder differ from its tree, empty if they are equal."""
    wanted, found = in_tree(folder), listed((folder / "CMakeLists.txt").read_text(encoding="utf-8"))
    problems = []
    for name in (SCRIPTS, RESOURCES):
        problems += [f"{folder.name}/{path} is not listed" for path in wanted[name] if path not in found[name]]
        problems += [
            f"{folder.name}/{path} is listed but not there" for path in found[name] if path not in wanted[name]
        ]
        problems += [
            f"{folder.name}/{path} is listed twice" for path in set(found[name]) if found[name].count(path) > 1
        ]
    return problems


def main() -> int:
    """Write or check the lists of the repository."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--write", action="store_true", help="write the lists anew")
    write = parser.parse_args().write
    problems = []
    for folder in (REPOSITORY / name for name in FOLDERS):
        if write:
            lists = folder / "CMakeLists.txt"
            lists.write_text(with_lists(lists.read_text(encoding="utf-8"), in_tree(folder)), encoding="utf-8")
        problems += differences(folder)
    sys.stdout.writelines(f"{problem}\n" for problem in problems)
    return 1 if problems else 0


def _set_of(name: str) -> re.Pattern[str]:
    return re.compile(rf"(?P<head>^set\({name})(?P<files>[^)]*)\)", re.MULTILINE)


def _hidden(path: Path, folder: Path) -> bool:
    return any(part.startswith(".") or part == "__pycache__" for part in path.relative_to(folder).parts)


if __name__ == "__main__":
    sys.exit(main())
