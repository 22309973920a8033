"""Which anatomy a segment stands for: the coded entry that we write, and what is understood of others' segments.

The entry's form: seven parts divided by '~', each code a triple scheme^value^meaning
(https://slicer.readthedocs.io/en/latest/developer_guide/modules/segmentations.html).
"""

from __future__ import annotations

from ..anatomy import regions as anatomy
from ..anatomy.codes import ANATOMICAL_STRUCTURE, LEFT, MORPHOLOGIC_ABNORMALITY, RIGHT, Code
from ..anatomy.regions import Side, Structure
from .segments import Segment

_CONTEXT = "Segmentation category and type - 3D Slicer General Anatomy list"
_REGION_CONTEXT = "Anatomic codes - DICOM master list"
_MORPHOLOGIC = {"60046008", "27925004", "373945007", "367643001"}  # effusions, nodule, cyst: no body parts
_SIDES = {Side.RIGHT: RIGHT, Side.LEFT: LEFT}
# A segment of a whole region stands for that region's own structure; in the bones this has another name.
_STRUCTURE_OF_REGION = {"bones": "bone"}


def terminology_entry(segment: Segment) -> str:
    """Return the coded entry of a segment: category, type and, where it has a side, the side as type modifier."""
    category = MORPHOLOGIC_ABNORMALITY if segment.code.value in _MORPHOLOGIC else ANATOMICAL_STRUCTURE
    side = _SIDES[segment.side] if segment.side else None
    return "~".join((_CONTEXT, _triple(category), _triple(segment.code), _triple(side), _REGION_CONTEXT, "^^", "^^"))


def structure_of_segment(segment_id: str, name: str, entry: str) -> Structure | None:
    """Return the structure that a segment stands for, or None: by its code and side, then by name, then by its id.

    A code that several structures share (ribs, lobes) needs a name that tells them apart.
    """
    by_name = anatomy.structure_of_label(name) or _by_synonym(name)
    coded = _by_code(entry)
    if by_name in coded:
        return by_name
    if len(coded) > 1:
        coded = tuple(s for s in coded if s.name == s.code.meaning.lower())
    if len(coded) == 1:
        return coded[0]
    return by_name or anatomy.structure_of_label(_STRUCTURE_OF_REGION.get(segment_id, segment_id))


def whole_of(segment: Segment) -> str:
    """Return the structure that voxels of a segment belong to when nothing finer is known of them."""
    return _STRUCTURE_OF_REGION.get(segment.id, segment.id)


def _by_code(entry: str) -> tuple[Structure, ...]:
    parts = entry.split("~")
    if len(parts) < 4:
        return ()
    scheme, value = (*parts[2].split("^"), "", "")[:2]
    modifier = (*parts[3].split("^"), "", "")[1]
    if scheme != "SCT" or not value:
        return ()
    side = next((side for side, code in _SIDES.items() if code.value == modifier), None)
    same = [s for r in anatomy.regions() for s in r.structures if s.code.value == value]
    # A code that names one side by itself needs no modifier; a modifier of the other side contradicts it.
    return tuple(s for s in same if s.side is side or (side is None and len(same) == 1))


def _by_synonym(name: str) -> Structure | None:
    plain = " ".join(name.lower().replace("_", " ").split())
    for region in anatomy.regions():
        for structure in region.structures:
            if plain in structure.synonyms:
                return structure
    return None


def _triple(code: Code | None) -> str:
    return f"{code.scheme}^{code.value}^{code.meaning}" if code else "^^"
