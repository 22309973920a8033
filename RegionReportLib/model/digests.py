"""Which weights these are: SHA-256 of a model's files, and the record of it that lies beside them.

The record saves reading gigabytes again; it counts only while size and time of a file are as recorded. No torch here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ..imaging.atomic import whole_file
from ..progress import Progress, Work

RECORD_FILE = "regionreport-model.json"
WEIGHT_ENDINGS = (".safetensors", ".bin", ".pth", ".pt")
_CHUNK = 16 * 1024 * 1024


def digest_of_model(folder: Path) -> Work[str]:
    """Return one SHA-256 for all files of weights in `folder`: of their names and digests, in the order of names."""
    files = sorted(f for f in folder.iterdir() if f.is_file() and f.suffix in WEIGHT_ENDINGS)
    digests = yield from digests_of(folder, files)
    return hashlib.sha256("".join(f"{n} {d}\n" for n, d in digests.items()).encode()).hexdigest()


def stamps_of(folder: Path) -> list[tuple[str, int, int]]:
    """Return name, size and time of each file of a folder, to see cheaply that it changed; empty without a folder."""
    files = sorted(f for f in folder.iterdir() if f.is_file() and f.name != RECORD_FILE) if folder.is_dir() else []
    return [(f.name, f.stat().st_size, f.stat().st_mtime_ns) for f in files]


def digests_of(folder: Path, files: Iterable[Path], *, trust: bool = True) -> Work[dict[str, str]]:
    """Return the SHA-256 of each file by its path in `folder`; with `trust` from the record where that still holds."""
    recorded = read_record(folder) if trust else {}
    found: dict[str, str] = {}
    wanted = list(files)
    total = sum(f.stat().st_size for f in wanted) or 1
    done = 0
    for file in wanted:
        name = file.relative_to(folder).as_posix()
        known = recorded.get(name)
        if known is not None and known["stamp"] == _stamp(file):
            found[name] = known["sha256"]
            done += file.stat().st_size
            continue
        digest = hashlib.sha256()
        with file.open("rb") as opened:
            while chunk := opened.read(_CHUNK):
                digest.update(chunk)
                done += len(chunk)
                yield Progress(min(1.0, done / total), f"reading the digest of {file.name}")
        found[name] = digest.hexdigest()
    yield Progress(1.0, "digests read")
    return found


def write_record(folder: Path, digests: dict[str, str]) -> None:
    """Write the record of files whose digests are known."""
    files = {name: {"sha256": digest, "stamp": _stamp(folder / name)} for name, digest in digests.items()}
    with whole_file(folder / RECORD_FILE) as file:
        file.write((json.dumps({"files": files}, indent=1) + "\n").encode())


def read_record(folder: Path) -> dict[str, dict[str, Any]]:
    """Return the recorded files by name; empty where there is no record or it cannot be read."""
    try:
        files = json.loads((folder / RECORD_FILE).read_text(encoding="utf-8"))["files"]
        return {str(n): {"sha256": str(f["sha256"]), "stamp": list(f["stamp"])} for n, f in files.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _stamp(file: Path) -> list[int]:
    stat = file.stat()
    return [stat.st_size, stat.st_mtime_ns]
