"""Region masks as 3D Slicer's `.seg.nrrd`: a label map whose header names, colours and codes each segment.

The layout: https://slicer.readthedocs.io/en/latest/developer_guide/modules/segmentations.html. Segments keep our ids,
so that a sentence finds its segment again after a reader has edited it in 3D Slicer. Not for overlapping segments.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np

from .. import __version__
from ..anatomy import regions as anatomy
from ..progress import Progress
from .atomic import whole_file
from .checks import check_memory
from .grid import Grid
from .lps import swap_lps_ras
from .masks import LabelArray, RegionMasks
from .nrrd import NrrdHeader, parse_nrrd, stored_nrrd
from .refusal import brief, printable, refused, shown
from .segment_names import structure_of_segment, terminology_entry
from .segments import Grouping, Segment, segments_of
from .stored import check_size, read_slabs
from .write import gzip_member, write_slices

_log = logging.getLogger(__name__)

_TAG_COVERAGE = "RegionReport.coverage"
_TAG_NOTE = "RegionReport.coverage_note"
_TAG_METHOD = "RegionReport.method"


def write_segmentation(
    masks: RegionMasks,
    path: Path | str,
    *,
    segments: Grouping = "region",
    watch: Callable[[Progress], None] | None = None,
) -> None:
    """Write the masks, one segment per region (lungs: one per side) or per structure; empty segments are left out.

    Lung structures without a side keep their own segment. `watch` is told the progress; if it raises, nothing is left
    behind. Raises ValueError if there is nothing to write.
    """
    chosen = segments_of(masks, segments)
    if not chosen:
        raise ValueError("the masks are empty: there is no segment to write")
    lookup = np.zeros(256, dtype=np.uint8)
    for value, segment in enumerate(chosen, start=1):
        lookup[list(segment.values)] = value
    with whole_file(Path(path)) as file:
        file.write(_header(masks, chosen).encode("utf-8"))
        with gzip_member(file) as packed:
            write_slices(packed, (lookup[slab] for slab in masks.labels), len(masks.labels), watch)


def read_segmentation(path: Path | str, *, grid: Grid | None = None) -> RegionMasks:
    """Read masks that `write_segmentation` wrote, also after 3D Slicer has saved them anew.

    3D Slicer cuts the image down to its segments; `grid` puts it back onto the grid of the scan. Segments that the
    anatomy table does not know are left out. Raises InputRefused if none is known, they overlap or miss `grid`.
    """
    path = Path(path)
    header = parse_nrrd(path)
    if header.fields.get("dimension") == "4":
        raise refused(path, "holds overlapping segments (several layers), which cannot be read")
    image = stored_nrrd(path, header)
    if image.dtype.kind not in "iu" or image.dtype.itemsize > 2:
        raise refused(path, f"holds {image.dtype.name} values, expected labels of at most 16 bits")
    check_size(image)
    check_memory(path, image.grid, 1)
    found = _segments_in(path, header)
    structures = tuple(dict.fromkeys(name for _, name, _ in found))
    lookup = np.zeros(2**16, dtype=np.uint8)
    for value, name, _ in found:
        lookup[value] = structures.index(name) + 1
    labels = np.empty(image.grid.shape_kji, dtype=np.uint8)
    k = 0
    for slab in read_slabs(image):
        labels[k : k + len(slab)] = lookup[slab]
        k += len(slab)
    if grid is not None:
        labels = _placed(path, labels, image.grid, grid)
    coverage, notes = _coverage(found)
    method = next((tags[_TAG_METHOD] for _, _, tags in found if _TAG_METHOD in tags), f"file {printable(path.name)}")
    return RegionMasks(labels, grid or image.grid, structures, method, coverage, notes)


def _header(masks: RegionMasks, segments: list[Segment]) -> str:
    affine = swap_lps_ras(masks.grid.affine)
    vectors = [",".join(repr(float(x)) for x in column) for column in affine[:3].T]
    lines = [
        "NRRD0004",
        f"# 3D Slicer segmentation written by RegionReport {__version__}",
        "type: unsigned char",
        "dimension: 3",
        "space: left-posterior-superior",
        "sizes: " + " ".join(str(n) for n in masks.grid.shape_kji[::-1]),
        "space directions: " + " ".join(f"({v})" for v in vectors[:3]),
        "kinds: domain domain domain",
        "encoding: gzip",
        f"space origin: ({vectors[3]})",
        "Segmentation_ContainedRepresentationNames:=Binary labelmap|",
        "Segmentation_MasterRepresentation:=Binary labelmap",
        "Segmentation_SourceRepresentation:=Binary labelmap",
        f"Segmentation_ConversionParameters:=Reference image geometry|{_reference(masks.grid)}|Grid of the scan&",
        "Segmentation_ReferenceImageExtentOffset:=0 0 0",
    ]
    for n, segment in enumerate(segments):
        lines += [f"Segment{n}_{key}:={value}" for key, value in _fields(masks, segment, n).items()]
    return "\n".join(lines) + "\n\n"


def _reference(grid: Grid) -> str:
    """The whole grid as 3D Slicer keeps it (RAS matrix, index extents), since it cuts the image down when saving."""
    extents = [n for size in grid.shape_kji[::-1] for n in (0, size - 1)]
    return "".join(f"{value!r};" for value in [float(x) for x in grid.affine.reshape(-1)] + extents)


def _fields(masks: RegionMasks, segment: Segment, n: int) -> dict[str, str]:
    tags = {
        _TAG_COVERAGE: masks.coverage[segment.region.id].value,
        _TAG_NOTE: masks.coverage_notes.get(segment.region.id, ""),
        _TAG_METHOD: masks.method,
        "TerminologyEntry": terminology_entry(segment),
    }
    return {
        "ID": segment.id,
        "Name": segment.name,
        "NameAutoGenerated": "0",
        "Color": " ".join(f"{c / 255:.6g}" for c in segment.region.color_rgb),
        "ColorAutoGenerated": "0",
        "Extent": " ".join(f"{s.start} {s.stop - 1}" for s in reversed(segment.where)),
        "LabelValue": str(n + 1),
        "Layer": "0",
        "Tags": "".join(f"{key}:{_plain(value)}|" for key, value in tags.items() if value),
    }


def _plain(text: str) -> str:
    """A bar would end the tag in 3D Slicer, a line break the header field."""
    return " ".join(text.replace("|", "/").split())


def _segments_in(path: Path, header: NrrdHeader) -> list[tuple[int, str, dict[str, str]]]:
    """Return label value, structure id and tags of each segment that the anatomy table knows."""
    numbers = sorted({int(m[1]) for key in header.keys if (m := re.fullmatch(r"Segment(\d{1,4})_ID", key))})
    if not numbers:
        raise refused(path, "is not a segmentation of 3D Slicer (its header names no segments)")
    found = []
    for n in numbers:
        fields = {name: header.keys.get(f"Segment{n}_{name}", "") for name in ("ID", "Name", "LabelValue", "Tags")}
        tags = dict(tag.split(":", 1) for tag in fields["Tags"].split("|") if ":" in tag)
        structure = structure_of_segment(fields["ID"], fields["Name"], tags.get("TerminologyEntry", ""))
        value = fields["LabelValue"]
        if structure is None or not re.fullmatch(r"\d{1,4}", value):
            _log.warning("%s: segment %s is not known and left out", shown(path), brief(fields["ID"]))
            continue
        found.append((int(value), structure.id, tags))
    if not found:
        raise refused(path, "holds no segment whose name or code is known")
    return found


def _coverage(found: list[tuple[int, str, dict[str, str]]]) -> tuple[dict[str, anatomy.Coverage], dict[str, str]]:
    coverage = dict.fromkeys(anatomy.REGION_IDS, anatomy.Coverage.ABSENT)
    notes = dict.fromkeys(anatomy.REGION_IDS, "not in the given segmentation")
    for _, name, tags in found:
        region_id = anatomy.structure(name).region_id
        if coverage[region_id] is anatomy.Coverage.ABSENT:
            del notes[region_id]
        stated = tags.get(_TAG_COVERAGE)
        if stated in {c.value for c in anatomy.Coverage}:
            coverage[region_id] = anatomy.Coverage(stated)
            if _TAG_NOTE in tags:
                notes[region_id] = tags[_TAG_NOTE]
        elif coverage[region_id] is anatomy.Coverage.ABSENT:
            coverage[region_id] = anatomy.Coverage.PARTIAL
            notes[region_id] = "the segmentation file does not state how much of the region the scan holds"
    return coverage, notes


def _placed(path: Path, labels: LabelArray, own: Grid, target: Grid) -> LabelArray:
    """Put a cut-down label map where it lies on the grid of the scan."""
    offset = target.to_ijk(own.affine[:3, 3])
    start = np.rint(offset).astype(int)[::-1]
    aligned = np.abs(offset - np.rint(offset)).max() < 0.05
    far = target.to_ijk(own.to_ras(np.array(own.shape_kji[::-1]) - 1.0)) - offset
    same_axes = np.abs(far - (np.array(own.shape_kji[::-1]) - 1.0)).max() < 0.5
    stop = start + own.shape_kji
    if not (aligned and same_axes) or start.min() < 0 or (stop > target.shape_kji).any():
        raise refused(path, "does not lie on the voxels of the scan; resample it onto the scan first")
    if own.shape_kji == target.shape_kji:
        return labels
    whole = np.zeros(target.shape_kji, dtype=np.uint8)
    whole[tuple(slice(int(a), int(b)) for a, b in zip(start, stop, strict=True))] = labels
    return whole
