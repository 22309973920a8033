"""The patient behind a phantom: build, fat, breathing and the Hounsfield units of the tissues, drawn from the seed.

The anatomy is drawn once for a standard patient; `scale` stretches it, so a radius of the standard patient is not
a radius of this one unless it is multiplied.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .recipe import Contrast, FindingKind, Recipe


@dataclass(frozen=True, slots=True)
class Tissue:
    """Hounsfield units of one patient in one contrast phase.

    Means after Hounsfield tables in Hofer, CT Teaching Manual (2021), and Buzug, Computed Tomography (2008);
    unenhanced trabecular bone by age after Pickhardt et al., Ann Intern Med 2013;158:588.
    """

    lung: float
    fat: float
    muscle: float
    skin: float
    blood: float
    aorta: float
    pulmonary: float
    cava: float
    cava_low: float
    myocardium: float
    liver: float
    spleen: float
    kidney: float
    thyroid: float
    water: float
    trabecular: float
    cortex: float
    cartilage: float


@dataclass(frozen=True, slots=True)
class Habitus:
    """One patient. Lengths are in mm of the standard patient, `scale` stretches x, y, z, `turn_deg` is the lie.

    `heart` scales the heart about its centre; `breath` 0 is full inspiration, 1 rest after expiration.
    """

    female: bool
    age: float
    scale: tuple[float, float, float]
    fat: float
    breast: float
    breath: float
    heart: float
    trachea: tuple[float, float]
    tall_domes: float
    turn_deg: tuple[float, float, float]
    shift_mm: tuple[float, float, float]
    tissue: Tissue


def draw_habitus(recipe: Recipe, rng: np.random.Generator) -> Habitus:
    """Draw the patient of a recipe; what findings change in heart, bone and liver is applied elsewhere."""
    female = bool(rng.random() < 0.5)
    age = float(rng.uniform(25, 88))
    size = (0.98 if female else 1.06) * float(np.clip(rng.normal(1, 0.03), 0.93, 1.07))
    depth = float(np.clip(rng.normal(1 + (age - 55) * 0.0015, 0.045), 0.92, 1.14))
    broad, tall = (float(np.clip(rng.normal(1, 0.035), 0.92, 1.08)) for _ in range(2))
    fat = float(np.clip(rng.gamma(4.0, 4.0), 4, 42))
    width = float(np.clip(rng.normal(8.6 if female else 10.2, 0.8), 6.5, 13.0))
    return Habitus(
        female=female,
        age=age,
        scale=(size * broad, size * depth, size * tall),
        fat=fat,
        breast=float(rng.uniform(0.6, 1.2)) if female else 0.0,
        breath=float(np.clip(rng.gamma(1.5, 0.11), 0, 1)),
        heart=float(np.clip(rng.normal(1.0, 0.035), 0.92, 1.06)),
        trachea=(width, width * float(rng.uniform(0.88, 1.06))),
        tall_domes=float(rng.normal(0, 4)),
        turn_deg=(float(rng.normal(0, 1.0)), float(rng.normal(0, 1.0)), float(rng.normal(0, 2.0))),
        shift_mm=(float(rng.normal(0, 6)), float(rng.normal(0, 8)), 0.0),
        tissue=_draw_tissue(recipe, age, rng),
    )


_ENHANCED = {  # mean attenuation by phase: none, arterial, venous
    "aorta": (40, 330, 160),
    "pulmonary": (40, 300, 150),
    "cava": (40, 420, 150),
    "cava_low": (40, 85, 140),
    "blood": (40, 290, 155),
    "myocardium": (45, 105, 110),
    "liver": (58, 72, 112),
    "spleen": (49, 125, 120),
    "kidney": (32, 150, 185),
    "thyroid": (105, 190, 165),
}


def _draw_tissue(recipe: Recipe, age: float, rng: np.random.Generator) -> Tissue:
    phase = list(Contrast).index(recipe.contrast)
    spread = {"none": 0.06, "arterial": 0.13, "venous": 0.1}[recipe.contrast.value]
    enhanced = {name: values[phase] * float(rng.normal(1, spread)) for name, values in _ENHANCED.items()}
    kinds = {f.kind for f in recipe.findings}
    # Healthy bone and liver keep clear of the cut-offs of the findings, so that their absence is true.
    trabecular = float(max(rng.normal(238 - 1.6 * age, 16), 112 if FindingKind.LOW_BONE_DENSITY not in kinds else 60))
    enhanced["liver"] = max(enhanced["liver"], 48.0)
    return Tissue(
        lung=float(rng.normal(-862, 14)),
        fat=float(rng.normal(-103, 4)),
        muscle=float(rng.normal(54, 4)) + (8 if phase == 2 else 0),
        skin=float(rng.normal(30, 8)),
        water=float(rng.uniform(2, 14)),
        trabecular=trabecular,
        cortex=float(rng.normal(780, 60)),
        cartilage=float(rng.normal(95, 10)),
        **enhanced,
    )
