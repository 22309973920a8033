"""Label maps of other programs: a file whose voxels are numbers of structures, and the names of those numbers.

Not for `.seg.nrrd` (`seg_nrrd`) and DICOM SEG, which say what their segments are.
"""

from __future__ import annotations

import html
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import InputRefused
from ..progress import Progress, Work
from .checks import check_memory
from .grid import Grid
from .read import header_reader
from .refusal import refused, shown
from .stored import StoredImage, check_size, head_of, read_slabs

_MOST_LABELS = 2**16
# TotalSegmentator writes the names behind the NIfTI header, as a Connectome Workbench label table in XML.
_NAMES_WITHIN = 2**20
_XML_LABEL = re.compile(rb'<Label\b[^>]*\bKey="(\d{1,5})"[^>]*>(?:<!\[CDATA\[(.*?)\]\]>|([^<]*))</Label>', re.DOTALL)


def read_label_map(path: Path) -> Work[tuple[npt.NDArray[np.uint16], Grid]]:
    """Read the labels `(k, j, i)` of a NIfTI, NRRD or MetaImage file and the grid they lie on.

    Whole numbers that are stored as floats count. InputRefused if a value is no label in 0..65535.
    """
    reader = header_reader(path)
    if reader is None:
        raise refused(path, "is a DICOM file, expected a label map")
    image = reader(path)
    check_size(image)
    check_memory(path, image.grid, 2)
    labels = np.empty(image.grid.shape_kji, np.uint16)
    k = 0
    for slab in read_slabs(image):
        labels[k : k + len(slab)] = _whole_numbers(path, slab, image)
        k += len(slab)
        yield Progress(k / len(labels), "reading the masks")
    return labels, image.grid


def _whole_numbers(path: Path, slab: npt.NDArray[Any], image: StoredImage) -> npt.NDArray[Any]:
    plain = (image.slope, image.intercept) == (1.0, 0.0)
    values = slab if plain else slab * image.slope + image.intercept
    if values.dtype.kind == "f":
        rounded = np.rint(values)
        if not np.array_equal(values, rounded):  # NaN is unlike itself
            raise refused(path, "holds fractions, expected the whole numbers of a label map")
        values = rounded
    if values.size and not 0 <= values.min() <= values.max() < _MOST_LABELS:
        raise refused(path, f"holds values from {values.min():g} to {values.max():g}, expected labels in 0..65535")
    return values


def label_names(path: Path) -> dict[int, str]:
    """Return the names of a label map's values: from `<file>.json` or `labels.json` beside it, else from its header.

    The JSON maps values to names, or names to values. InputRefused if there are no names.
    """
    stem = path.name.split(".")[0]
    for candidate in (path.with_name(f"{stem}.json"), path.with_name("labels.json")):
        if candidate.is_file():
            return names_in(candidate)
    if path.name.lower().endswith((".nii", ".nii.gz")):
        found = _XML_LABEL.findall(head_of(path, _NAMES_WITHIN))
        names = {int(key): html.unescape((quoted or plain).decode("utf-8", "replace")) for key, quoted, plain in found}
        if names:
            return names
    raise refused(path, f"says nowhere what its labels mean; put the names into {stem}.json beside it")


def names_in(path: Path) -> dict[int, str]:
    """Read names of label values from a JSON file; InputRefused if it is of another form."""
    try:
        table = json.loads(path.read_bytes())
        pairs = [(str(key), value) for key, value in table.items()]
        if all(key.isdecimal() for key, _ in pairs):
            return {int(key): str(name) for key, name in pairs}
        return {int(value): key for key, value in pairs}
    except (OSError, ValueError, TypeError, AttributeError) as cause:
        raise InputRefused(f"{shown(path)} does not map label values to names: {cause}") from cause
