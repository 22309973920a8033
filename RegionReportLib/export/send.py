"""Sending DICOM files to an archive: what goes out, in which order, how often it is tried again.

How one file travels is the business of a channel (`send_web`, `send_dimse`). Nothing here is called without a user.
"""

from __future__ import annotations

import logging
import time
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pydicom
from pydicom.uid import DeflatedExplicitVRLittleEndian

from ..errors import InputRefused, NeedMissing, RegionReportError
from ..imaging.dicom_folder import is_dicom
from ..imaging.refusal import printable, refused, shown, size_of_regular_file
from ..progress import Progress, Work, aside
from .dicom_file import read_dataset

_TOLD = (
    "SOPClassUID",
    "SOPInstanceUID",
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "Modality",
    "PatientID",
    "PatientName",
)
_NEEDED = _TOLD[:4]
_DIRECTORY = "1.2.840.10008.1.3.10"  # a DICOMDIR is an index of files, not an object of an archive
_LOOK_S = 0.4
_LONGEST_WAIT_S = 30.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One DICOM file that is to be sent, and what it is."""

    path: Path
    size_bytes: int
    sop_class_uid: str
    instance_uid: str
    study_uid: str
    series_uid: str
    transfer_syntax_uid: str
    modality: str
    patient: str


@dataclass(frozen=True, slots=True)
class Patience:
    """How often a file is tried, how long the first wait is (it doubles), and how long one try may take."""

    tries: int = 4
    first_wait_s: float = 1.0
    timeout_s: float = 60.0


class TryAgain(Exception):
    """The archive did not take a file now but may later; `wait_s` is how long it asked to wait."""

    def __init__(self, message: str, wait_s: float = 0.0) -> None:
        super().__init__(message)
        self.wait_s = min(max(wait_s, 0.0), _LONGEST_WAIT_S)


class FileRefused(Exception):
    """The archive will not take this file; others may be taken."""


class Channel(Protocol):
    """A way to an archive."""

    def store(self, file: Outgoing) -> None:
        """Send one file; TryAgain, FileRefused, or an error of ours that ends it all."""

    def close(self) -> None:
        """Let go of the connection."""


def outgoing(paths: Sequence[Path]) -> Work[tuple[Outgoing, ...]]:
    """Read what the DICOM files among `paths` are; of folders all files below, others than DICOM passed over.

    InputRefused if there is none, a named file is no DICOM, one is damaged, or two are the same object.
    """
    files = list(dict.fromkeys(file for path in paths for file in _files(path)))
    if not files:
        raise InputRefused(f"there is no DICOM file in {', '.join(shown(path) for path in paths)}")
    found = []
    for n, file in enumerate(files):
        yield Progress(n / len(files), "reading what is to be sent")
        found.append(_described(file))
    for uid, times in Counter(file.instance_uid for file in found).items():
        if times > 1:
            same = [shown(file.path) for file in found if file.instance_uid == uid]
            raise InputRefused(f"{same[0]} and {same[1]} are the same DICOM object ({uid}); send one of them")
    return tuple(found)


def summary(files: Sequence[Outgoing]) -> tuple[str, ...]:
    """Return what would be sent, in lines: patient, study, how many files of each kind, and their size."""
    lines = []
    for patient, study in dict.fromkeys((file.patient, file.study_uid) for file in files):
        these = [file for file in files if (file.patient, file.study_uid) == (patient, study)]
        kinds = Counter(file.modality or "of no modality" for file in these)
        told = ", ".join(f"{n} {kind}" for kind, n in kinds.items())
        size_mb = sum(file.size_bytes for file in these) / 1e6
        lines.append(f"patient {patient}, study {study}: {told}; {size_mb:.1f} MB")
    return tuple(lines)


def deliver(files: Sequence[Outgoing], channel: Channel, patience: Patience | None = None) -> Work[int]:
    """Send the files one after the other and return how many arrived.

    A connection that fails is tried again, waiting longer each time; then NeedMissing says how far it came. Files that
    the archive refuses are left out and named in the InputRefused at the end. Closing the work stops after the file
    under way.
    """
    patience = patience or Patience()
    turned_down: list[str] = []
    arrived = 0
    try:
        for n, file in enumerate(files):
            yield Progress(n / len(files), f"sending file {n + 1} of {len(files)}")
            try:
                yield from _insist(file, channel, patience, n / len(files))
                arrived += 1
            except FileRefused as cause:
                turned_down.append(f"{shown(file.path)}: {cause}")
            except RegionReportError as error:
                raise type(error)(f"{error}; {arrived} of {len(files)} files had arrived") from error
    finally:
        channel.close()
    if turned_down:
        more = f" (and {len(turned_down) - 3} more)" if len(turned_down) > 3 else ""
        told = "; ".join(turned_down[:3])
        raise InputRefused(f"the archive took {arrived} of {len(files)} files and refused {told}{more}")
    return arrived


def _insist(file: Outgoing, channel: Channel, patience: Patience, fraction: float) -> Work[None]:
    for attempt in range(1, patience.tries + 1):
        try:
            yield from aside(lambda: channel.store(file), Progress(fraction, "waiting for the archive"))
            return
        except TryAgain as cause:
            if attempt == patience.tries:
                raise NeedMissing(f"the archive does not take files now: {cause} ({attempt} tries)") from cause
            _log.info("sending is tried again: %s", cause)
            wait_s = max(cause.wait_s, patience.first_wait_s * 2 ** (attempt - 1))
            yield from _wait(wait_s, Progress(fraction, f"trying again: {cause}"))


def _wait(wait_s: float, progress: Progress) -> Work[None]:
    until = time.monotonic() + wait_s
    while (left := until - time.monotonic()) > 0:
        yield progress
        time.sleep(min(left, _LOOK_S))


def _files(path: Path) -> Iterator[Path]:
    if path.is_dir():
        below = sorted(p for p in path.rglob("*") if p.is_file())
        yield from (p for p in below if is_dicom(p))
        return
    size_of_regular_file(path)
    if not is_dicom(path):
        raise refused(path, "is no DICOM file")
    yield path


def _described(path: Path) -> Outgoing:
    size_bytes = size_of_regular_file(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            syntax = str(pydicom.filereader.read_file_meta_info(path).TransferSyntaxUID)
            if syntax == DeflatedExplicitVRLittleEndian:
                header = read_dataset(path)  # unpacks with a limit
            else:
                header = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=list(_TOLD))
            told = {name: str(header.get(name, "") or "") for name in _TOLD}
    except RegionReportError:
        raise
    except Exception as cause:  # pydicom raises whatever it meets in foreign bytes
        raise refused(path, f"is truncated or damaged ({cause!s:.120})") from cause
    missing = [name for name in _NEEDED if not told[name]]
    if missing or told["SOPClassUID"] == _DIRECTORY:
        raise refused(path, f"is no object that an archive stores (it lacks {', '.join(missing) or 'an image'})")
    patient = printable(f"{told['PatientName'] or '–'} ({told['PatientID'] or '–'})")
    uids = (printable(told[name]) for name in _NEEDED)
    sop_class, instance, study, series = uids
    return Outgoing(path, size_bytes, sop_class, instance, study, series, syntax, printable(told["Modality"]), patient)
