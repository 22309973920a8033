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
    named = {str(one.get("TrackingID", "")): int(one.SegmentNumber) for one in seg.get("SegmentSequence", ())}
    numbers = {name: number for name, number in named.items() if _is_structure(name)}
    for name, number in named.items():
        if name in anatomy.REGION_IDS:  # a region's segment stands for those of its structures that have none
            for structure in anatomy.region(name).structures:
                numbers.setdefault(structure.id, number)
    if not numbers:
        raise InputRefused(f"{path.name} holds no segment that this program named")
    return SegReference(str(seg.StudyInstanceUID), str(seg.SeriesInstanceUID), str(seg.SOPInstanceUID), numbers)


def _is_structure(name: str) -> bool:
    try:
        anatomy.structure(name)
    except (KeyError, ValueError):
        return False
    return True
