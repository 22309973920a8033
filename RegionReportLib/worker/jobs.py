"""What a viewer asks its worker for: the jobs, a part of the border that `messages.py` describes as a whole.

Standard library only, like all of the border. Voxels travel by file.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class ScanFile:
    """A scan that the worker reads itself: a file or DICOM folder, `series_uid` chooses among several series."""

    path: str
    series_uid: str | None = None


@dataclass(frozen=True, slots=True)
class ScanArray:
    """A scan from the viewer's memory: HU as `(k, j, i)` int16 or float32 in the `.npy` file `array`.

    `affine` maps `(i, j, k, 1)` to RAS millimetres. `source`, `kind`, `notes` and `dicom` are the provenance.
    """

    array: str
    affine: tuple[tuple[float, ...], ...]
    source: str
    kind: str = "scene"
    notes: tuple[str, ...] = ()
    dicom: dict[str, Any] | None = None
    outside_hu: float | None = None


@dataclass(frozen=True, slots=True)
class MasksArray:
    """Region masks on the scan's own grid: uint8 `(k, j, i)` in the `.npy` file `array`; as `imaging.RegionMasks`."""

    array: str
    structures: tuple[str, ...]
    method: str
    coverage: dict[str, str]
    coverage_notes: dict[str, str]


@dataclass(frozen=True, slots=True)
class Draft:
    """To the worker: draft a report of `scan` into the folder `output`, which must not exist or be empty.

    `job` is an id that is used once, fit for a file name. With `masks` the segmenter is not asked, with `text` (an
    existing report) the writer is not. `labels` is where the worker also leaves the masks as `.npy` for the viewer,
    None for not at all. `created_at` is ISO 8601 with zone. `model` (a folder), `device`, `precision` and `compat`
    belong to the writer, see `draft.choose.WriterChoice`.
    """

    job: str
    scan: ScanFile | ScanArray
    output: str
    created_at: str
    segmenter: str = "classical"
    writer: str = "measured"
    masks: MasksArray | None = None
    text: str | None = None
    labels: str | None = None
    prior: bool = False
    model: str | None = None
    device: str = "auto"
    precision: str = "auto"
    compat: bool = False

    @property
    def staging(self) -> Path:
        """The hidden folder beside `output` that is renamed to it when everything is written."""
        return Path(self.output).with_name(f".{self.job}.unfinished")


@dataclass(frozen=True, slots=True)
class Export:
    """To the worker: write the report of the report folder `folder` as `formats` into the folder `output`.

    `formats` are names of `export.offers.Offer`; several are written all or none. `output` may hold other files and is
    made if need be; files of the same names are replaced. `job` is an id that is used once, fit for a file name. The
    report is the one on the disk, whoever holds it open. The rest is as `export.offers.Wishes`: where the `scan` lies
    now (None: where the report says), segments by `structures` and not by region, and two words for DICOM and FHIR.
    """

    job: str
    folder: str
    output: str
    formats: tuple[str, ...]
    scan: str | None = None
    structures: bool = False
    organization: str = ""
    wado_rs: str = ""

    @property
    def staging(self) -> Path:
        """The hidden folder in `output` from which complete files move into it."""
        return Path(self.output) / f".{self.job}.unfinished"


@dataclass(frozen=True, slots=True)
class Redraft:
    """To the worker: write one `region` of the report of the report folder `folder` anew; the folder is only read.

    The report is the one on the disk, whoever holds it open, and stays as it is: what becomes of the new sentences is
    the viewer's matter. `scan` is not needed where the worker still holds it; None is where the report says. Without
    `masks` they are those of the folder. With a `seed` words are drawn by chance. The rest is as in a `Draft`.
    """

    job: str
    folder: str
    region: str
    scan: ScanFile | ScanArray | None = None
    masks: MasksArray | None = None
    writer: str = "measured"
    model: str | None = None
    device: str = "auto"
    precision: str = "auto"
    seed: int | None = None


@dataclass(frozen=True, slots=True)
class FindPlaces:
    """To the worker: look in the scan for what sentences of the report folder `folder` say; the folder is only read.

    The report is the one on the disk, whoever holds it open, and stays as it is: whether the places are offered to the
    reader is the viewer's matter. Without `sentence_ids` all sentences that affirm a finding are meant. `scan` None is
    where the report says; without `masks` they are those of the folder. `device` is where VoxTell runs, `model` the
    folder of its files, None for the usual one.
    """

    job: str
    folder: str
    sentence_ids: tuple[str, ...] = ()
    scan: ScanFile | ScanArray | None = None
    masks: MasksArray | None = None
    device: str = "auto"
    model: str | None = None
