"""Files to take along: what the report can leave as, and the making of one outside this process."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import InputRefused
from ..export.offers import Offer, Wishes, offers
from ..progress import Progress
from ..report.document import Report
from ..worker.client import Told, WorkerClient
from ..worker.doing import do_job
from ..worker.messages import Export, Exported
from .bundle import BUNDLE, bundle
from .drafting import in_steps
from .uploads import new_name

_KEPT = 4
"""Files that can still be fetched; a page fetches its own at once."""


@dataclass(frozen=True, slots=True)
class Origin:
    """The report folder that is exported, and where its scan lies now."""

    folder: Path
    scan: Path | None = None


def offered(report: Report, origin: Origin) -> tuple[Offer, ...]:
    """Return the lines of the Export menu, the impossible ones with their reason."""
    return (*offers(origin.folder, report, Wishes(scan=origin.scan)), BUNDLE)


class Exports:
    """The files that were made for pages, kept until others take their room or the server ends."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="regionreport-exports-")
        self._files: list[Path] = []

    def find(self, key: str, name: str) -> Path | None:
        """Return a file by the key and the name that a page was told."""
        return next((file for file in self._files if (file.parent.name, file.name) == (key, name)), None)

    async def make(
        self, client: WorkerClient, name: str, origin: Origin, hear: Callable[[Told | Progress], None]
    ) -> Path:
        """Make one export and return its file; several files become one archive.

        Raises RegionReportError with the reason, and leaves nothing then.
        """
        folder = Path(self._folder.name) / new_name(name)
        folder.mkdir()
        try:
            if name == BUNDLE.name:
                file = await bundle(origin.folder, origin.scan, folder / BUNDLE.file_name, hear)
            else:
                file = await asyncio.to_thread(_one, folder, await _by_worker(client, name, origin, folder, hear))
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        self._files.append(file)
        for old in self._files[:-_KEPT]:
            shutil.rmtree(old.parent, ignore_errors=True)
        del self._files[:-_KEPT]
        return file

    def close(self) -> None:
        """Remove all files."""
        self._folder.cleanup()


async def _by_worker(
    client: WorkerClient, name: str, origin: Origin, folder: Path, hear: Callable[[Any], None]
) -> tuple[str, ...]:
    scan = None if origin.scan is None else str(origin.scan)
    job = Export(folder.name, str(origin.folder), str(folder), (name,), scan=scan)
    made = await in_steps(do_job(client, job, hear))
    assert isinstance(made, Exported)  # each job has a result of its own kind
    return made.files


def _one(folder: Path, files: tuple[str, ...]) -> Path:
    """Return the file, or an archive of the files: a browser takes one at a time."""
    if not files:
        raise InputRefused("nothing was written")
    if len(files) == 1:
        return folder / files[0]
    archive = folder / f"{Path(files[0]).stem}.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as made:
        for name in files:
            made.write(folder / name, name)
    return archive
