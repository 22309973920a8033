"""Keeping models on this computer: taking files that the user already has, recording what they are, removing them.

No network and no torch here.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from ..errors import InputRefused, NeedMissing
from ..progress import Progress, Work, part
from .catalogue import KnownModel
from .digests import RECORD_FILE, digests_of, read_record, write_record
from .folders import HOME_VARIABLE, PART_ENDING, models_home

_CHUNK = 16 * 1024 * 1024
_SPARE_BYTES = 200_000_000


def take(model: KnownModel, source: Path) -> Work[Path]:
    """Take those files of a model that a user's folder has, linked where the disk allows it, and return ours.

    What is here already stays. NeedMissing names what neither has; what was taken is kept all the same.
    """
    folder = models_home() / model.name
    if source.resolve() == folder.resolve():
        raise InputRefused(f"{source} is the place where the files would go")
    taken = [n for n in model.files if (source / n).is_file() and not (folder / n).is_file()]
    total = sum((source / name).stat().st_size for name in taken) or 1
    done = 0
    for name in taken:
        size = (source / name).stat().st_size
        yield from part(_taken(source / name, folder / name), 0.5 * done / total, 0.5 * (done + size) / total)
        done += size
    yield from part(recorded(model, folder), 0.5, 1.0)
    absent = [name for name in model.files if not (folder / name).is_file()]
    if absent:
        raise NeedMissing(
            f"{model.title} still lacks {', '.join(absent)}, which {source} does not have; "
            f"`regionreport models fetch {model.name}` fetches the rest"
        )
    return folder


def remove(model: KnownModel) -> int:
    """Delete the files of a model, and its folder if that is empty then; return the bytes freed.

    Files of other names stay: they are not ours.
    """
    folder = models_home() / model.name
    # A record is a file of the user's disk: it must not name what lies elsewhere.
    recorded = {name for name in read_record(folder) if not Path(name).is_absolute() and ".." not in Path(name).parts}
    ours = {*model.files, *recorded, RECORD_FILE}
    freed = 0
    places = {(folder / name).parent for name in ours}
    for file in [f for place in places if place.is_dir() for f in place.iterdir() if f.is_file()]:
        if file.relative_to(folder).as_posix() in ours or file.name.endswith(PART_ENDING):
            freed += file.stat().st_size
            file.unlink()
    for place in sorted(places, key=lambda p: -len(p.parts)):  # the deepest first
        if place.is_dir() and not any(place.iterdir()):
            place.rmdir()
    return freed


def _taken(source: Path, target: Path) -> Work[None]:
    target.parent.mkdir(parents=True, exist_ok=True)
    passing = target.with_name(f".{target.name}{PART_ENDING}")
    passing.unlink(missing_ok=True)
    try:
        os.link(source.resolve(), passing)
    except OSError:  # another disk, or one without links
        try:
            yield from _copied(source, passing)
        except BaseException:
            passing.unlink(missing_ok=True)
            raise
    passing.replace(target)


def _copied(source: Path, target: Path) -> Work[None]:
    size = source.stat().st_size
    need_space(target.parent, size)
    with source.open("rb") as reading, target.open("wb") as writing:
        while chunk := reading.read(_CHUNK):
            writing.write(chunk)
            yield Progress(min(1.0, reading.tell() / max(size, 1)), f"copying {source.name}")


def recorded(model: KnownModel, folder: Path) -> Work[None]:
    """Write down the digests of those of a model's files that are here."""
    digests = yield from digests_of(folder, [f for name in model.files if (f := folder / name).is_file()])
    if digests:
        write_record(folder, digests)


def need_space(folder: Path, wanted: int) -> None:
    """Raise NeedMissing if the disk of `folder`, which need not exist, has no room for so many bytes."""
    there = next(f for f in (folder, *folder.parents) if f.exists())
    free = shutil.disk_usage(there).free
    if free < wanted + _SPARE_BYTES:
        raise NeedMissing(
            f"{wanted / 1e9:.1f} GB are needed in {folder}, {free / 1e9:.1f} GB are free there; the environment "
            f"variable {HOME_VARIABLE} chooses another place"
        )
