"""One phantom case from its recipe: scan, true masks, lesions, true measurements and true sentences."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from ..anatomy.regions import Side
from ..imaging.box import Box
from ..imaging.masks import RegionMasks
from ..imaging.volume import Provenance, Volume
from ..progress import Progress, Work, part
from ..report.measurement import Measurement
from .chest import STRUCTURES, Chest
from .findings import plant
from .geometry import pose_of, scan_grid
from .habitus import Habitus, draw_habitus
from .lesions import Garden, Lesion, Planted
from .masks import true_masks
from .other_findings import apply_to_patient
from .plan import Plan
from .recipe import Contrast, Detail, FindingKind, Recipe
from .render import OUTSIDE_HU, Crop, Rendered, render
from .reports import Patient, RegionText, boxes_of, region_texts, true_sentences
from .truth import Known, heart_and_thorax_mm, true_measurements
from .wording import TrueSentence


@dataclass(frozen=True, slots=True, eq=False)
class PhantomCase:
    """A patient that is known: `masks`, `lesions` and `truth` hold for the scan, `sentences` say it in words.

    A finding that lies wholly outside the scan has no lesion, but its kind is among the `planted` and never denied.
    """

    recipe: Recipe
    habitus: Habitus
    volume: Volume
    masks: RegionMasks
    lesions: tuple[Lesion, ...]
    truth: tuple[Measurement, ...]
    sentences: tuple[TrueSentence, ...]
    planted: frozenset[FindingKind]

    @property
    def texts(self) -> dict[str, RegionText]:
        """The report as one paragraph per region, by region id in report order."""
        return region_texts(self.sentences)

    def boxes(self, sentence: TrueSentence) -> tuple[Box, ...]:
        """Return the true boxes in RAS mm of what a sentence of this case tells of; none for an absence."""
        return boxes_of(sentence, self.lesions)

    def reworded(self, rng: np.random.Generator) -> PhantomCase:
        """Return the same patient and scan with another true report."""
        enhanced = self.recipe.contrast is not Contrast.NONE
        patient = Patient(self.lesions, self.planted, self.masks, self.truth, enhanced)
        return replace(self, sentences=true_sentences(patient, rng))

    def to_dict(self) -> dict[str, Any]:
        """Return all that is known besides the arrays as plain JSON values."""
        return {
            "seed": self.recipe.seed,
            "contrast": self.recipe.contrast.value,
            "coverage": {region: coverage.value for region, coverage in self.masks.coverage.items()},
            "coverage_notes": dict(self.masks.coverage_notes),
            "lesions": [lesion.to_dict() for lesion in self.lesions],
            "truth": [
                {
                    "quantity": m.quantity,
                    "region": m.region_id,
                    "structure": m.structure,
                    "side": m.side.value if m.side else None,
                    "value": m.value,
                    "unit": m.unit,
                    "method": m.method,
                    "reason": m.reason,
                }
                for m in self.truth
            ],
            "sentences": [sentence.to_dict() for sentence in self.sentences],
        }


def make_case(recipe: Recipe) -> Work[PhantomCase]:
    """Make the case of a recipe; the same recipe gives the same case, whatever its scan shows the same patient."""
    yield Progress(0.0, "drawing the patient")
    rng = np.random.default_rng([recipe.seed, 0])
    habitus, ratio, whole = apply_to_patient(draw_habitus(recipe, rng), recipe, rng)
    chest = Chest(habitus, recipe.arms, rng, recipe.detail)
    to_standard = np.asarray(np.linalg.inv(pose_of(habitus)), dtype=np.float64)
    yield from part(_fit_heart(chest, to_standard, ratio), 0.01, 0.03)
    yield Progress(0.03, "placing the findings")
    plan = Plan(chest.makers, to_standard, _PLAN_MM[recipe.detail])
    garden = Garden.of(chest, plan, rng)
    yield from part(plant(garden, recipe.findings), 0.03, 0.06)
    garden.planted += [replace(p, number=len(garden.planted) + n) for n, p in enumerate(whole, start=1)]
    lungs = np.minimum(plan.lung(Side.RIGHT), plan.lung(Side.LEFT)) < 0
    grid = scan_grid(recipe.scan, habitus, float(plan.z[lungs].min()))
    yield Progress(0.06, "growing the vessels")
    painters = chest.painters(plan, rng, garden.painters)
    rendered = yield from part(render(grid, to_standard, painters, chest.makers, recipe, STRUCTURES), 0.08, 0.96)
    yield Progress(0.98, "writing down the truth")
    masks = true_masks(rendered.labels, grid, to_standard, plan)
    lesions = _lesions(garden.planted, rendered, masks)
    truth = true_measurements(Known(chest, plan, masks, lesions))
    patient = Patient(lesions, frozenset(p.kind for p in garden.planted), masks, truth, garden.enhanced)
    provenance = Provenance(f"phantom-{recipe.seed}", "phantom", notes=("Simulated patient, not a person.",))
    return PhantomCase(
        recipe=recipe,
        habitus=habitus,
        volume=Volume(rendered.hu, grid, provenance, float(OUTSIDE_HU) if recipe.scan.circle else None),
        masks=masks,
        lesions=lesions,
        truth=truth,
        sentences=true_sentences(patient, rng),
        planted=patient.planted,
    )


def _fit_heart(chest: Chest, to_standard: npt.NDArray[np.float64], ratio: float) -> Work[None]:
    """Scale the heart until the cardiothoracic ratio is reached; its width grows almost in proportion."""
    step_mm = _PLAN_MM[chest.detail] + 1
    for n in range(2):
        yield Progress(n / 2, "drawing the heart")
        heart, thorax = heart_and_thorax_mm(Plan(chest.makers, to_standard, step_mm))
        chest.centre.heart_scale *= ratio * thorax / heart


def _lesions(planted: list[Planted], rendered: Rendered, masks: RegionMasks) -> tuple[Lesion, ...]:
    out = []
    for one in planted:
        crop = rendered.lesions.get(one.number)
        if crop is None and one.kind in _OF_THE_PATIENT:
            crop = _mask_of(_OF_THE_PATIENT[one.kind], masks)
        if crop is not None and crop.mask.any():
            out.append(_lesion(one, crop, masks))
    return tuple(out)


_PLAN_MM = {Detail.FULL: 5.0, Detail.COARSE: 7.0}
_OF_THE_PATIENT = {
    FindingKind.CARDIOMEGALY: ("heart",),
    FindingKind.STEATOSIS: ("liver",),
    FindingKind.LOW_BONE_DENSITY: tuple(s for s in STRUCTURES if s.startswith("vertebrae")),
}


def _mask_of(structures: tuple[str, ...], masks: RegionMasks) -> Crop | None:
    lookup = np.zeros(256, dtype=bool)
    lookup[masks.values(structures)] = True
    found = ndimage.find_objects(lookup[masks.labels].astype(np.uint8))
    if not found:
        return None
    k, j, i = found[0]
    return Crop((k, j, i), lookup[masks.labels[k, j, i]])


def _lesion(planted: Planted, crop: Crop, masks: RegionMasks) -> Lesion:
    """Return the lesion; its point is the voxel of the mask nearest to its centre of mass."""
    grid = masks.grid
    inside = np.argwhere(crop.mask)
    nearest = inside[np.argmin(((inside - inside.mean(axis=0)) ** 2).sum(axis=1))]
    start = np.array([s.start for s in crop.where])
    x, y, z = (float(c) for c in grid.to_ras((start + nearest)[::-1]))
    box = grid.box_of(start, [s.stop for s in crop.where])
    boxes = _boxes_by_lung(crop, masks) if planted.region_id == "lungs" and planted.side is None else ()
    return Lesion(planted, crop.where, crop.mask, box, (x, y, z), len(inside) * grid.voxel_ml, boxes or (box,))


def _boxes_by_lung(crop: Crop, masks: RegionMasks) -> tuple[Box, ...]:
    """Return a box in each lung that holds part of the mask."""
    out = []
    for side in Side:
        found = ndimage.find_objects((crop.mask & masks.structure(f"lung_{side.value}", crop.where)).astype(np.uint8))
        if found:
            low = [s.start + one.start for s, one in zip(crop.where, found[0], strict=True)]
            high = [s.start + one.stop for s, one in zip(crop.where, found[0], strict=True)]
            out.append(masks.grid.box_of(low, high))
    return tuple(out)
