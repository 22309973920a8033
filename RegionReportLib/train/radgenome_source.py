"""RadGenome-Chest CT as cases to learn from: its ten regions merged into our six, with masks and measurements.

The published volumes are resampled to 1 × 1 × 3 mm but carry the identity as their affine; that spacing is put back
here. Nothing says how their axes lie in the patient: they are taken as the header says, so sides are as doubtful as
that is. The sentences have no boxes, and what they claim is not known.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import nibabel as nib
import numpy as np
from nibabel.filebasedimages import ImageFileError

from ..anatomy.regions import Coverage, regions
from ..errors import InputRefused
from ..grounding.sentences import sentences_of
from ..imaging.grid import Grid
from ..imaging.masks import BoolArray, RegionMasks
from ..imaging.read import read_volume
from ..imaging.volume import Volume
from ..measure.examine import measure
from ..measure.phrases import attributes_text
from ..model.config import ModelConfig
from ..model.inputs import study_inputs
from ..progress import finish
from .case import Case, CaseSentence
from .radgenome_layout import ENDING, TRAIN, VALIDATION, Entry, Split, entries

SPACING_MM = (1.0, 1.0, 3.0)
# Later ones lie on top, where masks overlap: the mediastinum's holds what lies in it.
_PAINTED = (
    ("pleura", ("lung_right", "lung_left")),
    ("lung", ("lung_right", "lung_left")),
    ("breast", ("chest_wall",)),
    ("mediastinum", ("mediastinum",)),
    ("abdomen", ("upper_abdomen",)),
    ("heart", ("heart_great_vessels",)),
    ("bone", ("bone",)),
    ("thyroid", ("thyroid_gland",)),
    ("esophagus", ("esophagus",)),
    ("trachea and bronchie", ("airways",)),
)
_STRUCTURES = tuple(dict.fromkeys(name for _, names in _PAINTED for name in names))


@dataclass(frozen=True, slots=True)
class RadGenomeSource:
    """One split of the data set."""

    config: ModelConfig
    split: Split
    found: tuple[Entry, ...]

    @property
    def name(self) -> str:
        """The split and the size that cases are kept in."""
        size = "x".join(str(n) for n in (*self.config.slices.size, *self.config.local.size_hwd))
        return f"radgenome-{self.split.volumes}-{size}"

    def __len__(self) -> int:
        """Return the number of volumes."""
        return len(self.found)

    def case(self, number: int) -> Case:
        """Read a volume with its masks and report; InputRefused for one that cannot be used."""
        entry = self.found[number]
        volume = with_spacing(finish(read_volume(entry.volume)))
        masks = masks_of(entry, volume.grid)
        lines = attributes_text(finish(measure(volume, masks))).splitlines()
        inputs = finish(study_inputs(volume, masks, self.config, lines))
        return Case(entry.name.removesuffix(ENDING), inputs, (report_of(entry),))


def open_radgenome(folder: Path, config: ModelConfig) -> tuple[RadGenomeSource, RadGenomeSource]:
    """Return the published training and validation split; InputRefused if either holds no case."""
    out = []
    for split in (TRAIN, VALIDATION):
        found = entries(folder, split)
        if not found:
            raise InputRefused(f"{folder} holds no volume of {split.volumes} with masks and report")
        out.append(RadGenomeSource(config, split, found))
    return out[0], out[1]


def with_spacing(volume: Volume) -> Volume:
    """Return a volume with its true spacing where its affine is the published identity."""
    if not np.array_equal(np.abs(volume.grid.affine[:3, :3]), np.eye(3)):
        return volume
    affine = volume.grid.affine @ np.diag((*SPACING_MM, 1.0))
    affine[:3, 3] = volume.grid.affine[:3, 3]
    return replace(volume, grid=Grid(volume.grid.shape_kji, affine))


def masks_of(entry: Entry, grid: Grid) -> RegionMasks:
    """Return the masks of a volume on its grid; a region without a file is absent.

    The lungs are parted at the middle of their mask. InputRefused for a mask of another size.
    """
    labels = np.zeros(grid.shape_kji, dtype=np.uint8)
    for region, structures in _PAINTED:
        path = entry.masks / f"{region}{ENDING}"
        if not path.is_file():
            continue
        inside = _inside(path)
        if inside.shape != grid.shape_kji:
            raise InputRefused(f"{path} has {inside.shape} voxels, its volume {grid.shape_kji}")
        for name, part in zip(structures, parted(inside, grid) if len(structures) == 2 else (inside,), strict=True):
            labels[part] = 1 + _STRUCTURES.index(name)
    held = {name for n, name in enumerate(_STRUCTURES, start=1) if (labels == n).any()}
    coverage = {r.id: Coverage.PARTIAL if held & {s.id for s in r.structures} else Coverage.ABSENT for r in regions()}
    notes = {r: "not known for a published mask" for r, c in coverage.items() if c is Coverage.PARTIAL}
    return RegionMasks(labels, grid, _STRUCTURES, "RadGenome-Chest CT", coverage, notes)


def _inside(path: Path) -> BoolArray:
    """Return the voxels `(k, j, i)` of a stored mask; InputRefused if it cannot be read."""
    try:
        values = np.asarray(nib.load(path).dataobj)
    except (ImageFileError, OSError, EOFError, ValueError) as cause:
        raise InputRefused(f"{path} cannot be read as a mask: {cause}") from cause
    return np.ascontiguousarray((values > 0).T)  # stored i first


def parted(inside: BoolArray, grid: Grid) -> tuple[BoolArray, BoolArray]:
    """Return the parts of a mask to the patient's right and left of its middle."""
    k, j, i = np.nonzero(inside)
    x = grid.to_ras(np.stack((i, j, k), axis=1))[:, 0]
    right = np.zeros_like(inside)
    if len(x):
        right[k, j, i] = x > float(x.min() + x.max()) / 2
    return right, inside & ~right


def report_of(entry: Entry) -> tuple[CaseSentence, ...]:
    """Return the sentences of a report under our regions; one that two merged regions share is said once."""
    texts = dict(entry.texts)
    said: dict[tuple[str, str], CaseSentence] = {}
    for region_id, names in ((r.id, r.radgenome) for r in regions()):
        for text in (texts[name] for name in names if name in texts):
            for piece in sentences_of(text):
                sentence = " ".join(text[piece.start : piece.stop].split())
                said.setdefault((region_id, sentence.lower()), CaseSentence(region_id, sentence))
    return tuple(said.values())
