"""One phantom case from its recipe: scan, true masks, lesions, true measurements and true sentences."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..imaging.masks import RegionMasks
from ..imaging.volume import Provenance, Volume
from ..progress import Work, part
from ..report.measurement import Measurement
from .chest import STRUCTURES, Chest
from .geometry import pose_of, scan_grid
from .habitus import draw_habitus
from .masks import true_masks
from .recipe import Recipe
from .render import OUTSIDE_HU, render


@dataclass(frozen=True, slots=True, eq=False)
class PhantomCase:
    """A patient that is known: `masks`, `lesions` and `truth` hold for the patient, `sentences` say it in words."""

    recipe: Recipe
    volume: Volume
    masks: RegionMasks
    lesions: tuple[Any, ...] = ()
    truth: tuple[Measurement, ...] = ()
    sentences: tuple[Any, ...] = ()


def make_case(recipe: Recipe) -> Work[PhantomCase]:
    """Make the case of a recipe; the same recipe gives the same case."""
    rng = np.random.default_rng([recipe.seed, 0])
    habitus = draw_habitus(recipe, rng)
    chest = Chest(habitus, recipe.arms, rng)
    plan = chest.plan()
    lungs = np.minimum(plan["hemithorax_right"], plan["hemithorax_left"]) < 0
    grid = scan_grid(recipe.scan, habitus, float(plan.z[lungs].min()))
    to_standard = np.asarray(np.linalg.inv(pose_of(habitus)), dtype=np.float64)
    painters = chest.painters(plan, rng)
    rendered = yield from part(render(grid, to_standard, painters, chest.makers, recipe, STRUCTURES), 0.1, 0.95)
    provenance = Provenance(f"phantom-{recipe.seed}", "phantom", notes=("Simulated patient, not a person.",))
    volume = Volume(rendered.hu, grid, provenance, float(OUTSIDE_HU) if recipe.scan.circle else None)
    return PhantomCase(recipe, volume, true_masks(rendered.labels, grid, to_standard, plan))
