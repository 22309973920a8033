"""True measurements of a phantom, from its geometry and masks; never from the code that measures scans.

Volumes count the voxels of the true masks, so they hold for what the scan shows. Diameters come from the patient's
fields on a lattice along RAS and do not depend on the scan's grid.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..anatomy.regions import Coverage, Side
from ..imaging.masks import RegionMasks
from ..report.measurement import QUANTITIES, Measurement
from .chest import Chest
from .lesions import Lesion
from .plan import Plan
from .recipe import FindingKind
from .solids import F32

_ARCH_Z, _TRACHEA_Z = 34.0, 45.0
_METHOD = "known from the phantom's geometry"


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """What truths are read from."""

    chest: Chest
    plan: Plan
    masks: RegionMasks
    lesions: tuple[Lesion, ...]

    def volume_ml(self, structure: str) -> float:
        """Return the volume of a structure in the scan."""
        return float(np.count_nonzero(self.masks.structure(structure))) * self.masks.grid.voxel_ml

    def lesion_ml(self, kinds: tuple[FindingKind, ...], side: Side) -> float:
        """Return the volume of all lesions of some kinds on one side."""
        return sum(x.volume_ml for x in self.lesions if x.planted.kind in kinds and x.planted.side is side)

    def measure(
        self, quantity: str, region: str, value: float | None, side: Side | None = None, structure: str | None = None
    ) -> Measurement:
        """Return one truth; what the scan does not hold whole is said in the reason."""
        name = ".".join(x for x in ("truth", quantity, structure or region, side.value if side else "") if x)
        cut = self.masks.coverage[region] is not Coverage.COMPLETE
        reason = self.masks.coverage_notes.get(region, "") if cut else ""
        if value is None:
            reason = reason or "not in this patient"
        return Measurement(name, quantity, region, value, QUANTITIES[quantity], _METHOD, reason, structure, side)


def true_measurements(known: Known) -> tuple[Measurement, ...]:
    """Return all truths of a case."""
    return (*_lungs(known), *_airways(known), *_heart(known), *_densities(known))


def _lungs(known: Known) -> list[Measurement]:
    out = []
    total = holes = 0.0
    for side in Side:
        fluid = known.lesion_ml((FindingKind.EFFUSION,), side)
        air = known.lesion_ml((FindingKind.PNEUMOTHORAX,), side)
        dense = known.lesion_ml((FindingKind.CONSOLIDATION, FindingKind.ATELECTASIS, FindingKind.NODULE), side)
        lung = known.volume_ml(f"lung_{side.value}") - fluid - air
        total += lung
        out += [
            known.measure("volume", "lungs", lung, side),
            known.measure("fluid_volume", "lungs", fluid, side),
            known.measure("extrapulmonary_air_volume", "lungs", air, side),
            known.measure("dense_volume", "lungs", dense, side),
        ]
    holes = sum(x.volume_ml for x in known.lesions if x.planted.kind is FindingKind.EMPHYSEMA)
    out.append(known.measure("volume", "lungs", total))
    out.append(known.measure("low_attenuation_fraction", "lungs", 100 * holes / total if total else None))
    return out


def _airways(known: Known) -> list[Measurement]:
    across, deep = trachea_mm(known.chest, known.plan)
    right, left = (known.chest.centre.bronchi[side.value][0] for side in Side)
    arms = [(path[min(5, len(path) - 1)] - path[0]) * known.plan.stretch for path in (right, left)]
    cosine = float(arms[0] @ arms[1] / (np.linalg.norm(arms[0]) * np.linalg.norm(arms[1])))
    return [
        known.measure("transverse_diameter", "airways", across, structure="trachea"),
        known.measure("sagittal_diameter", "airways", deep, structure="trachea"),
        known.measure("tracheal_index", "airways", across / deep, structure="trachea"),
        known.measure("carina_angle", "airways", float(np.degrees(np.arccos(cosine)))),
    ]


def trachea_mm(chest: Chest, plan: Plan) -> tuple[float, float]:
    """Return the transverse and sagittal diameter of the lumen, midway between thoracic inlet and carina."""
    step = np.float32(0.1)
    grid = np.meshgrid(np.arange(-25, 30, step), np.arange(-55, 25, step), indexing="ij")
    x, y = (a.astype(np.float32) for a in grid)
    level = _Level(x / np.float32(plan.stretch[0]), y / np.float32(plan.stretch[1]), np.full_like(x, _TRACHEA_Z))
    inside = chest.centre.lumen_distance(level) < 0
    return float(inside.any(axis=1).sum() * step), float(inside.any(axis=0).sum() * step)


@dataclass(frozen=True, slots=True, eq=False)
class _Level:
    x: F32
    y: F32
    z: F32


def heart_and_thorax_mm(plan: Plan) -> tuple[float, float]:
    """Return the largest transverse width of the heart and of the inner thorax, each at its own level."""
    heart = plan.widths(plan["heart"])
    # The outer borders of the lungs do not depend on what lies between them.
    thorax = plan.widths(np.maximum(plan["wall"], np.float32(1.5) - plan["dome"]) + (plan.z > 90) * np.float32(1e3))
    return float(heart.max()), float(thorax.max())


def _heart(known: Known) -> list[Measurement]:
    region = "heart_great_vessels"
    heart, thorax = heart_and_thorax_mm(known.plan)
    calcium = sum(x.planted.size for x in known.lesions if x.planted.unit == "mm3")
    plan = known.plan
    level = int(np.argmin(np.abs(plan.z[plan.x.shape[0] // 2, plan.x.shape[1] // 2] - _ARCH_Z)))
    between = np.maximum(np.maximum(plan["mediastinal"], -plan.lung(Side.RIGHT)), -plan.lung(Side.LEFT))
    widths = plan.widths(between[:, :, level - 1 : level + 2])
    return [
        known.measure("heart_width", region, heart),
        known.measure("thorax_width", region, thorax),
        known.measure("cardiothoracic_ratio", region, heart / thorax),
        known.measure("calcium_volume", region, calcium),
        known.measure("blood_density", region, known.chest.habitus.tissue.aorta, structure="aorta"),
        known.measure("mediastinal_width", "mediastinum", float(widths.mean())),
    ]


def _densities(known: Known) -> list[Measurement]:
    tissue = known.chest.habitus.tissue
    return [
        known.measure("trabecular_density", "bones", tissue.trabecular, structure="vertebrae"),
        known.measure("liver_density", "upper_abdomen", tissue.liver, structure="liver"),
        known.measure("spleen_density", "upper_abdomen", tissue.spleen, structure="spleen"),
    ]
