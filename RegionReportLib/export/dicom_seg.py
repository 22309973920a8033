"""The region masks as a DICOM Segmentation (SEG, PS3.3 A.51) on the slices of their CT series.

Binary, one segment per region (lungs: one per side) or per structure, in a deflated file, frames without a voxel left
out. The place of a frame is that of its source slice, so oblique, tilted and gapped series come out right.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import Dataset
from pydicom.sr.coding import Code as DicomCode
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian

from .. import __version__
from ..anatomy import regions as anatomy
from ..anatomy.codes import ANATOMICAL_STRUCTURE, MORPHOLOGIC_ABNORMALITY, Code
from ..errors import InputRefused, NeedMissing
from ..imaging.masks import RegionMasks
from ..imaging.segments import Grouping, Segment, segments_of
from ..progress import Progress, Work, aside, part
from ..report.place import Place
from .dicom_codes import SIDES, code_item, dcm
from .dicom_file import write_dataset
from .dicom_series import MANUFACTURER, stable_uid

SEG_STORAGE = "1.2.840.10008.5.1.4.1.1.66.4"
_MORPHOLOGIC = {"60046008", "27925004", "373945007", "367643001"}  # effusions, nodule, cyst: no body parts
_SERIES_NUMBER = 9101
_LONGEST = 64  # VR LO


@dataclass(frozen=True, slots=True)
class SegReference:
    """How a report names a written SEG: its UIDs, and the number of the segment that holds each structure."""

    study_uid: str
    series_uid: str
    instance_uid: str
    numbers: dict[str, int]

    def segments(self, place: Place) -> tuple[int, ...]:
        """Return the numbers of the segments that a place lies in, ascending; empty if none was segmented."""
        if place.structure in self.numbers:
            return (self.numbers[place.structure],)
        parts = [s for s in anatomy.region(place.region_id).structures if s.id in self.numbers]
        sided = [s for s in parts if s.side is place.side]
        return tuple(sorted({self.numbers[s.id] for s in (sided if place.side and sided else parts)}))


def write_seg(
    masks: RegionMasks,
    headers: Sequence[Dataset],
    path: Path | str,
    *,
    made_at: datetime,
    grouping: Grouping = "region",
    deflate: bool = True,
) -> Work[SegReference]:
    """Write the masks as a SEG on the slices `headers` (in the order of k) and return how to refer to it.

    UIDs and content depend on masks, series and `made_at` alone: the same export again gives the same bytes.
    InputRefused if there is nothing to write or the masks do not fit the slices; NeedMissing without highdicom.
    """
    chosen = segments_of(masks, grouping)
    if not chosen:
        raise InputRefused("the masks are empty: there is no segment to write")
    if len(headers) != masks.grid.shape_kji[0] or (headers[0].Rows, headers[0].Columns) != masks.grid.shape_kji[1:]:
        raise InputRefused(f"the masks of {masks.grid.shape_kji} voxels do not fit the {len(headers)} slices")
    building = aside(lambda: _built_stable(masks, headers, chosen, made_at), Progress(0.0, "laying out the DICOM SEG"))
    made, reference = yield from part(building, 0.0, 0.6)
    made.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian if deflate else ExplicitVRLittleEndian
    yield from part(write_dataset(made, path, "packing the DICOM SEG"), 0.6, 1.0)
    return reference


def _built_stable(
    masks: RegionMasks, headers: Sequence[Dataset], chosen: list[Segment], made_at: datetime
) -> tuple[Any, SegReference]:
    lookup = np.zeros(256, dtype=np.uint8)
    for number, segment in enumerate(chosen, start=1):
        lookup[list(segment.values)] = number
    uids = str(headers[0].StudyInstanceUID), str(headers[0].SeriesInstanceUID)
    reference = _reference(masks, uids, chosen, made_at)
    made = _dataset(lookup[masks.labels], headers, masks.method, chosen, reference)
    _make_stable(made, reference, made_at)
    return made, reference


def reference_of(
    masks: RegionMasks, study_uid: str, series_uid: str, *, made_at: datetime, grouping: Grouping
) -> SegReference:
    """Return how to refer to the SEG that `write_seg` makes of these masks on the CT series of these UIDs."""
    return _reference(masks, (study_uid, series_uid), segments_of(masks, grouping), made_at)


def _reference(masks: RegionMasks, uids: tuple[str, str], chosen: list[Segment], made_at: datetime) -> SegReference:
    study, source = uids
    sha = hashlib.sha256(masks.labels.tobytes())
    words = [masks.method, made_at.isoformat(), *(f"{s.id} {s.values}" for s in chosen), sha.hexdigest()]
    numbers = {masks.structures[v - 1]: n for n, s in enumerate(chosen, start=1) for v in s.values}
    return SegReference(study, stable_uid("seg series", source), stable_uid("seg", source, *words), numbers)


def _dataset(
    labels: Any, headers: Sequence[Dataset], method: str, chosen: list[Segment], reference: SegReference
) -> Any:
    try:
        import highdicom
    except ImportError as cause:
        raise NeedMissing("DICOM SEG needs the package highdicom: pip install 'regionreport[dicom]'") from cause
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about names and dates of the source, which are not ours to change
        try:
            return _built(highdicom, labels, headers, method, chosen, reference)
        except (ValueError, TypeError, AttributeError) as cause:  # it is strict about what it copies from the source
            raise InputRefused(f"the headers of the DICOM series do not allow a SEG: {cause!s:.200}") from cause


def _built(
    highdicom: Any,
    labels: Any,
    headers: Sequence[Dataset],
    method: str,
    chosen: list[Segment],
    reference: SegReference,
) -> Any:
    return highdicom.seg.Segmentation(
        source_images=list(headers),
        pixel_array=labels,
        segmentation_type="BINARY",
        segment_descriptions=[
            _description(highdicom, number, segment, method, reference) for number, segment in enumerate(chosen, 1)
        ],
        series_instance_uid=reference.series_uid,
        series_number=_SERIES_NUMBER,
        sop_instance_uid=reference.instance_uid,
        instance_number=1,
        manufacturer=MANUFACTURER,
        manufacturer_model_name=MANUFACTURER,
        software_versions=__version__,
        device_serial_number="none",
        content_label="REGIONS",
        content_description="Regions of a chest CT",
        series_description="Regions of a chest CT",
        omit_empty_frames=True,
    )


def _description(highdicom: Any, number: int, segment: Segment, method: str, reference: SegReference) -> Any:
    abnormal = segment.code.value in _MORPHOLOGIC
    red, green, blue = segment.region.color_rgb
    described = highdicom.seg.SegmentDescription(
        segment_number=number,
        segment_label=segment.name,
        segmented_property_category=_dicom(MORPHOLOGIC_ABNORMALITY if abnormal else ANATOMICAL_STRUCTURE),
        segmented_property_type=_dicom(segment.code),
        # Masks from a file may have passed a reader's hands.
        algorithm_type="SEMIAUTOMATIC" if method.startswith("file ") else "AUTOMATIC",
        algorithm_identification=highdicom.AlgorithmIdentificationSequence(
            name=line(method), family=_dicom(_family(method)), version=__version__
        ),
        tracking_id=segment.id,
        tracking_uid=stable_uid("segment", reference.instance_uid, segment.id),
        anatomic_regions=[_dicom(segment.region.code)] if abnormal else None,
        display_color=highdicom.color.CIELabColor.from_rgb(red, green, blue),
    )
    if segment.side is not None:
        described.SegmentedPropertyTypeCodeSequence[0].SegmentedPropertyTypeModifierCodeSequence = [
            code_item(SIDES[segment.side])
        ]
    return described


def _family(method: str) -> Code:
    """Return the kind of algorithm (CID 7162), which SEG requires; what is not ours counts as a trained network."""
    classical = method.startswith("classical")
    return dcm("123104", "Morphological Operations") if classical else dcm("123110", "Artificial Intelligence")


def line(text: str) -> str:
    """Return text as DICOM's short lines (VR LO) hold it: one line, no backslash, at most 64 characters."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).replace("\\", "/").split())[:_LONGEST] or "-"


def _dicom(code: Code) -> DicomCode:
    return DicomCode(code.value, code.scheme, code.meaning)


def _make_stable(made: Any, reference: SegReference, made_at: datetime) -> None:
    """Replace what the writer takes from clock and chance."""
    made.ContentDate = made.InstanceCreationDate = made_at.strftime("%Y%m%d")
    made.ContentTime = made.InstanceCreationTime = made_at.strftime("%H%M%S")
    organization = stable_uid("seg dimensions", reference.instance_uid)
    made.DimensionOrganizationSequence[0].DimensionOrganizationUID = organization
    for dimension in made.DimensionIndexSequence:
        dimension.DimensionOrganizationUID = organization
    for equipment in made.ContributingEquipmentSequence:
        equipment.ContributionDateTime = made_at.strftime("%Y%m%d%H%M%S")
