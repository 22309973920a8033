"""Scans that the reader sends: kept under names of our own, within limits, unpacked but never interpreted here."""

from __future__ import annotations

import re
import shutil
import zipfile
from collections.abc import AsyncIterator
from datetime import datetime, timezone
from pathlib import Path

from ..errors import InputRefused

LARGEST_UPLOAD = 4 * 1024**3
"""Bytes. A chest CT of 2000 slices has 1 GiB."""
_LARGEST_UNPACKED = 8 * 1024**3
_MOST_FILES = 20_000
_ENDINGS = (".nii", ".nii.gz", ".seg.nrrd", ".nrrd", ".mha", ".zip", ".dcm")
_CHUNK = 1 << 20


def new_name(name: str) -> str:
    """Return a name that none has yet and that is fit for a file: the time and what is left of `name`."""
    stem = re.sub(r"[^\w.-]+", "_", Path(name).name)[:40].strip("_.") or "scan"
    return f"{datetime.now(timezone.utc).strftime('%Y%m%d-%H%M%S-%f')[:-3]}-{stem}"


def given_name(name: str) -> str:
    """Return the name that a file had before `new_name` put the time in front of it; other names as they are."""
    return re.sub(r"^\d{8}-\d{6}-\d{3}-", "", name)


def ending_of(name: str) -> str:
    """Return the ending by which a scan file is known; InputRefused names the known ones."""
    for ending in sorted(_ENDINGS, key=len, reverse=True):
        if name.lower().endswith(ending):
            return ending
    raise InputRefused(f"{Path(name).name!r:.60} is none of {', '.join(_ENDINGS)}")


async def keep(root: Path, name: str, chunks: AsyncIterator[bytes]) -> Path:
    """Write an upload below `root` and return the file; InputRefused, with nothing left, if it is too large."""
    ending = ending_of(name)
    stem = Path(name).name[: -len(ending)]
    root.mkdir(parents=True, exist_ok=True)
    path = root / f"{new_name(stem)}{ending}"
    size = 0
    try:
        with path.open("xb") as file:
            async for chunk in chunks:
                size += len(chunk)
                if size > LARGEST_UPLOAD:
                    raise InputRefused(f"the upload is larger than {LARGEST_UPLOAD >> 30} GiB")
                file.write(chunk)
        if not size:
            raise InputRefused("the upload is empty")
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return path


def discard(path: Path) -> None:
    """Remove what was kept of an upload."""
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def unpacked(path: Path) -> Path:
    """Return the folder with the files of a zip archive, under numbers instead of their names; other files as is.

    InputRefused, with nothing left, for what is no archive or would become too large; the archive is removed.
    """
    if path.suffix.lower() != ".zip":
        return path
    folder = path.with_suffix("")
    folder.mkdir()
    try:
        with zipfile.ZipFile(path) as archive:
            _unpack(archive, folder)
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError) as cause:
        shutil.rmtree(folder, ignore_errors=True)
        raise InputRefused(f"the archive cannot be unpacked: {cause}") from cause
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    finally:
        path.unlink(missing_ok=True)
    return folder


def _unpack(archive: zipfile.ZipFile, folder: Path) -> None:
    members = [m for m in archive.infolist() if not m.is_dir()]
    if len(members) > _MOST_FILES:
        raise InputRefused(f"the archive holds {len(members)} files, at most {_MOST_FILES} are taken")
    left = _LARGEST_UNPACKED
    for number, member in enumerate(members):
        # A name from outside may lead anywhere; what a file is shows its content.
        with archive.open(member) as source, (folder / f"{number:06}.dcm").open("xb") as target:
            while chunk := source.read(_CHUNK):
                left -= len(chunk)
                if left < 0:
                    raise InputRefused(f"the archive unpacks to more than {_LARGEST_UNPACKED >> 30} GiB")
                target.write(chunk)
