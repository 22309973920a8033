"""Masks of a scan that are there already, in whatever form they come."""

from __future__ import annotations

from pathlib import Path

from ..errors import InputRefused
from ..export.dicom_seg_reading import read_seg
from ..imaging.dicom_folder import is_dicom
from ..imaging.masks import RegionMasks
from ..imaging.seg_nrrd import read_segmentation
from ..imaging.volume import Volume
from ..progress import Progress, Work
from ..segment.given import read_given


def masks_at(path: Path, volume: Volume) -> Work[RegionMasks]:
    """Read the masks of `volume` from a `.seg.nrrd`, a DICOM SEG, a label map with names, or a folder of masks.

    Raises InputRefused if they cannot be read, hold nothing that is known, or belong to another scan.
    """
    yield Progress(0.0, "reading the masks")
    if not path.exists():
        raise InputRefused(f"{path} does not exist")
    if path.name.lower().endswith(".seg.nrrd"):
        return read_segmentation(path, grid=volume.grid)
    if path.is_file() and is_dicom(path):
        return read_seg(path, volume.grid)
    given = yield from read_given(path, volume)
    return given.masks
