"""How a FHIR export finds the SEG that lies beside a report: the reference of a file that this program wrote."""

from __future__ import annotations

from pathlib import Path

from ..anatomy import regions as anatomy
from ..errors import InputRefused
from .dicom_file import read_dataset
from .dicom_seg import SEG_STORAGE, SegReference


def seg_reference(path: Path) -> SegReference:
    """Read which segment of a written SEG holds which structure, by the tracking ids that it carries.

    InputRefused if the file is no SEG, or none of its segments is one of ours.
    """
    seg = read_dataset(path)
    if str(seg.get("SOPClassUID", "")) != SEG_STORAGE:
        raise InputRefused(f"{path.name} is no DICOM SEG")
    numbers: dict[str, int] = {}
    for segment in seg.get("SegmentSequence", ()):
        for structure_id in _structures(str(segment.get("TrackingID", ""))):
            numbers.setdefault(structure_id, int(segment.SegmentNumber))
    if not numbers:
        raise InputRefused(f"{path.name} holds no segment that this program named")
    return SegReference(str(seg.StudyInstanceUID), str(seg.SeriesInstanceUID), str(seg.SOPInstanceUID), numbers)


def _structures(tracking_id: str) -> tuple[str, ...]:
    """Return the structures of a segment: a whole region's, or the one; a lung's stands for its side."""
    if tracking_id in anatomy.REGION_IDS:
        return tuple(structure.id for structure in anatomy.region(tracking_id).structures)
    try:
        return (anatomy.structure(tracking_id).id,)
    except (KeyError, ValueError):
        return ()
