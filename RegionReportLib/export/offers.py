"""What a report can be exported as, here and now: the lines of an Export menu, each enabled or explained.

Cheap enough for a menu that opens: looks at the report, at names of files and packages, opens no scan and loads no
package. Writing what is offered is `writing.py`'s matter; a viewer lets its worker do that (`worker.messages.Export`).
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from ..errors import InputRefused, NeedMissing, RegionReportError
from ..imaging.mask_files import MASKS_NAME
from ..imaging.refusal import shown
from ..imaging.segments import Grouping
from ..report.document import Report, Status, Study
from ..report.signing import verify_signature
from ..report.store import report_of
from .formats import FORMATS, Format

_DICOM = ("seg", "dicom")
_POINTING = ("dicom", "fhir")  # these state whether the report is signed


@dataclass(frozen=True, slots=True)
class Offer:
    """One line of an Export menu.

    `name` is what `write_offers`, `worker.messages.Export` and `regionreport export --format` take. `title` is the
    line itself, `file_name` the file that is written (`dicom` writes the SEG beside it). `reason` is why it is not
    possible now, as one line for a tooltip; None if it is.
    """

    name: str
    title: str
    file_name: str
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a user may say about an export; each has a default.

    `scan` is where the scan lies now (file or DICOM folder), None for where the report says. `grouping` makes one
    segment per region or per structure of DICOM SEG and masks. `organization` is who is responsible for the report,
    `wado_rs` the base address that serves the images, both for FHIR and the first for DICOM too.
    """

    scan: Path | None = None
    grouping: Grouping = "region"
    organization: str = ""
    wado_rs: str = ""


def offers(folder: Path, report: Report | None = None, wishes: Wishes | None = None) -> tuple[Offer, ...]:
    """Return all formats in menu order for the report folder `folder`, the impossible ones with their reason.

    `report` is the report as it is now where a door holds it open; without, it is read from the folder, which raises
    InputRefused if it holds none. That a folder still holds every slice of its series is seen only when writing.
    """
    report = report_of(folder) if report is None else report
    importlib.invalidate_caches()  # a package may have been installed since the last look
    made = []
    for one in FORMATS:
        why = hindrance(one.name, folder, report, wishes or Wishes())
        made.append(Offer(one.name, _title(one, report), one.file_name, None if why is None else str(why)))
    return tuple(made)


def hindrance(name: str, folder: Path, report: Report, wishes: Wishes) -> RegionReportError | None:
    """Return the error that writing the format `name` would end with, None if none can be seen beforehand."""
    return next(_hindrances(name, folder, report, wishes), None)


def find_scan(folder: Path, study: Study, wishes: Wishes) -> Path | None:
    """Return where the scan of a report lies: as wished, where it was, or beside the report; None if at none."""
    if wishes.scan is not None:
        return wishes.scan if wishes.scan.exists() else None
    path = Path(study.path)
    if not path.name:
        return None
    return next((at for at in (path, folder / path, folder / path.name) if at.exists()), None)


def _title(one: Format, report: Report) -> str:
    draft = one.name in _POINTING and report.status is not Status.SIGNED
    return f"{one.title} (marked as an unsigned draft)" if draft else one.title


def _hindrances(name: str, folder: Path, report: Report, wishes: Wishes) -> Iterator[RegionReportError]:
    study = report.study
    if name in (*_DICOM, "fhir"):
        yield from _without_dicom(name, report)
    if name in ("masks", "pictures", *_DICOM) and not (folder / MASKS_NAME).is_file():
        yield InputRefused(f"{shown(folder)} has no {MASKS_NAME}; the masks are those beside the report")
    if name in ("pictures", *_DICOM) and find_scan(folder, study, wishes) is None:
        what = "scan" if study.dicom is None else "DICOM series"
        yield InputRefused(
            f"{shown(wishes.scan or Path(study.path))} is not there; say where the {what} of the report lies now"
        )
    if name in _DICOM and find_spec("highdicom") is None:
        yield NeedMissing("the package highdicom is not installed: pip install 'regionreport[dicom]'")


def _without_dicom(name: str, report: Report) -> Iterator[RegionReportError]:
    source = report.study.dicom
    if source is None:
        yield InputRefused(
            f"the scan {Path(report.study.path).name!r} did not come from DICOM: there are no patient, study and "
            "images to refer to, and none are invented; read the scan from its DICOM series"
        )
        return
    if name in _DICOM and not source.frame_of_reference_uid:
        yield InputRefused("the DICOM series has no Frame of Reference UID: nothing can be tied to its space")
    if name == "fhir" and not (source.patient_id.strip() or source.patient_name.strip()):
        yield InputRefused("the DICOM series names no patient; a FHIR report without one could be filed to anybody")
    if name in _POINTING and report.signature is not None and not verify_signature(report):
        yield InputRefused(f"report {report.id} is not what was signed; it is not exported as signed")
