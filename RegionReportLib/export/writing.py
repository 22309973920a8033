"""Writes a report in the formats that `offers` names, all of them or nothing: the one way for commands and worker.

Each file appears under its name only when every file is complete. Nothing is sent anywhere.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from shutil import copyfile
from typing import TYPE_CHECKING, get_args

from ..errors import Conflict, InputRefused, NeedMissing
from ..imaging.atomic import whole_files
from ..imaging.mask_files import MASKS_NAME, read_masks
from ..imaging.masks import RegionMasks
from ..imaging.read import read_volume
from ..imaging.refusal import shown
from ..imaging.seg_nrrd import write_segmentation
from ..imaging.segments import Grouping
from ..imaging.volume import Volume
from ..progress import Progress, Work, aside, part
from ..report.document import Report
from ..report.report_file import report_bytes
from ..report.store import report_of
from .formats import FORMAT_NAMES, FORMATS, SEG_NAME
from .html import report_html
from .offers import Wishes, find_scan, hindrance
from .text import report_text

if TYPE_CHECKING:
    from .dicom_seg import SegReference

_log = logging.getLogger(__name__)


def write_offers(
    names: Iterable[str], folder: Path, target: Path, wishes: Wishes | None = None, *, staging: Path | None = None
) -> Work[tuple[Path, ...]]:
    """Write the report of `folder` in the formats `names` (see `offers`) into the folder `target`; return the paths.

    `target` is made if need be; files of the same names there are replaced once all are complete, others left alone.
    `staging` is where the files grow meanwhile (default: a hidden folder in `target`), for who removes it after a
    kill. Closing the work leaves nothing. Raises InputRefused or NeedMissing with the reason of the offer, or what
    only writing can find; Conflict if `target` is the report folder itself and its own files would be replaced.
    """
    names = tuple(dict.fromkeys(names))
    unknown = [name for name in names if name not in FORMAT_NAMES]
    if unknown or not names:
        raise InputRefused(f"there is no format {', '.join(unknown) or 'named'}; there are {', '.join(FORMAT_NAMES)}")
    sources = _Sources(folder, report_of(folder), wishes or Wishes())
    # The SR brings its SEG along.
    chosen = [one for one in FORMATS if one.name in names and not (one.name == "seg" and "dicom" in names)]
    for one in chosen:
        if one.name in ("json", "masks") and target.exists() and folder.samefile(target):
            raise Conflict(f"{shown(folder)} is the report's own folder and holds {one.file_name} already")
        why = hindrance(one.name, folder, sources.report, sources.wishes)
        if why is not None:
            raise why
    with whole_files(target, staging) as into:
        for n, one in enumerate(chosen):
            yield from part(_WRITERS[one.name](sources, into), n / len(chosen), (n + 1) / len(chosen))
        yield Progress(1.0, "written")  # the last moment to stop: what has its name stays
    files = [name for one in chosen for name in (one.file_name, one.also) if name]
    return tuple(target / name for name in dict.fromkeys(files))


@dataclass(slots=True)
class _Sources:
    """The report folder, and what several formats need of it, read once."""

    folder: Path
    report: Report
    wishes: Wishes
    _masks: RegionMasks | None = None

    def masks(self) -> Work[RegionMasks]:
        if self._masks is None:
            folder, grid = self.folder, self.report.study.grid
            reading = Progress(0.0, "reading the region masks")
            self._masks = yield from aside(lambda: read_masks(folder, grid=grid), reading)
        return self._masks

    def scan(self) -> Work[Volume]:
        """The scan that the report was made on; InputRefused if another one lies there now."""
        study = self.report.study
        path = find_scan(self.folder, study, self.wishes)
        assert path is not None  # else it was not offered
        series = None if study.dicom is None else study.dicom.series_instance_uid
        volume = yield from read_volume(path, series_uid=series)
        if volume.digest() != study.digest:
            raise InputRefused(f"{shown(path)} is not the scan that the report was made on: its voxels differ")
        return volume


def _text(sources: _Sources, into: Path) -> Work[None]:
    yield Progress(0.0, "writing the text")
    (into / "report.txt").write_text(report_text(sources.report), encoding="utf-8")


def _html(sources: _Sources, into: Path) -> Work[None]:
    yield Progress(0.0, "writing the page")
    (into / "report.html").write_text(report_html(sources.report), encoding="utf-8")


def _pictures(sources: _Sources, into: Path) -> Work[None]:
    masks = yield from part(sources.masks(), 0.0, 0.2)
    volume = yield from part(sources.scan(), 0.2, 0.6)
    drawing = Progress(0.6, "drawing the pictures of the report")
    page = yield from aside(lambda: report_html(sources.report, volume, masks), drawing)
    (into / "report-with-pictures.html").write_text(page, encoding="utf-8")


def _json(sources: _Sources, into: Path) -> Work[None]:
    yield Progress(0.0, "writing the report file")
    (into / "report.json").write_bytes(report_bytes(sources.report))


def _masks(sources: _Sources, into: Path) -> Work[None]:
    """The file as it is, with all that a reader put into it in 3D Slicer; by structure it is written anew."""
    if sources.wishes.grouping == "region":
        source = sources.folder / MASKS_NAME
        yield from aside(lambda: copyfile(source, into / MASKS_NAME), Progress(0.0, "copying the region masks"))
        return
    masks = yield from part(sources.masks(), 0.0, 0.4)
    writing = Progress(0.4, "writing the region masks")
    yield from aside(lambda: write_segmentation(masks, into / MASKS_NAME, segments="structure"), writing)


def _seg(sources: _Sources, into: Path) -> Work[None]:
    from .dicom_export import export_seg  # here, as below: what these load, other formats do not need

    masks = yield from part(sources.masks(), 0.0, 0.2)
    work = export_seg(sources.report, masks, into, series=_series(sources), grouping=sources.wishes.grouping)
    yield from part(work, 0.2, 1.0)


def _dicom(sources: _Sources, into: Path) -> Work[None]:
    from .dicom_export import export_dicom

    masks = yield from part(sources.masks(), 0.0, 0.2)
    wishes = sources.wishes
    work = export_dicom(
        sources.report,
        masks,
        into,
        series=_series(sources),
        grouping=wishes.grouping,
        organization=wishes.organization,
    )
    yield from part(work, 0.2, 1.0)


def _fhir(sources: _Sources, into: Path) -> Work[None]:
    """Phrases also point at segments if a DICOM SEG of these masks lies beside the report or is written with it."""
    from .fhir import bundle_json, report_bundle
    from .fhir_check import profile_problems, structure_problems

    seg = yield from part(_seg_to_point_at(sources, into), 0.0, 0.4)
    yield Progress(0.4, "writing the FHIR bundle")
    wishes = sources.wishes
    bundle = report_bundle(sources.report, seg=seg, wado_rs=wishes.wado_rs, organization=wishes.organization)
    yield Progress(0.5, "checking the FHIR bundle")
    problems = profile_problems(bundle)
    with suppress(NeedMissing):  # a second opinion: the bundle does not need the package
        problems += structure_problems(bundle)
    if problems:
        raise AssertionError(f"the bundle is not what it should be: {'; '.join(problems[:3])}")
    (into / "report.fhir.json").write_bytes(bundle_json(bundle))


def _seg_to_point_at(sources: _Sources, into: Path) -> Work[SegReference | None]:
    """A SEG that was just written, or one that lies there from before and is of the masks as they are now."""
    from .dicom_seg import reference_of
    from .dicom_sr import moment
    from .fhir_segments import seg_reference

    yield Progress(0.0, "looking for a DICOM SEG")
    if (into / SEG_NAME).is_file():
        return seg_reference(into / SEG_NAME)
    source, path = sources.report.study.dicom, sources.folder / SEG_NAME
    if source is None or not path.is_file():
        return None
    found = seg_reference(path)
    if (sources.folder / MASKS_NAME).is_file():
        masks = yield from sources.masks()
        uids = source.study_instance_uid, source.series_instance_uid
        for grouping in get_args(Grouping):
            now = reference_of(masks, *uids, made_at=moment(sources.report.created_at), grouping=grouping)
            if now.instance_uid == found.instance_uid:
                return found
    _log.warning("%s is not of the masks of this report; the phrases do not point at it", shown(path))
    return None


def _series(sources: _Sources) -> Path | None:
    return find_scan(sources.folder, sources.report.study, sources.wishes)


_WRITERS: dict[str, Callable[[_Sources, Path], Work[None]]] = {
    "text": _text,
    "html": _html,
    "pictures": _pictures,
    "json": _json,
    "masks": _masks,
    "seg": _seg,
    "dicom": _dicom,
    "fhir": _fhir,
}
