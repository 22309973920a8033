"""Studies as they come: how often each finding occurs, and cases of few voxels for training.

Frequencies follow the share of CT-RATE's reports that name the finding (Hamamci et al., arXiv 2403.17834); findings
outside its labels are guesses. Findings are drawn independently of each other.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..anatomy.regions import Side
from ..progress import finish
from .case import PhantomCase, make_case
from .kinds import VARIETIES, FindingKind
from .recipe import Detail, Finding, Recipe, Scan

K = FindingKind
FREQUENCIES: dict[FindingKind, float] = {
    K.NODULE: 0.43,
    K.GROUND_GLASS: 0.38,
    K.AORTIC_CALCIUM: 0.26,
    K.FIBROSIS: 0.26,
    K.ATELECTASIS: 0.23,
    K.CORONARY_CALCIUM: 0.22,
    K.LYMPHADENOPATHY: 0.21,
    K.EMPHYSEMA: 0.19,
    K.CONSOLIDATION: 0.17,
    K.HIATAL_HERNIA: 0.12,
    K.EFFUSION: 0.11,
    K.CARDIOMEGALY: 0.10,
    K.PERIBRONCHIAL: 0.10,
    K.BRONCHIECTASIS: 0.10,
    K.MEDICAL_MATERIAL: 0.09,
    K.MOSAIC: 0.08,
    K.SEPTAL: 0.07,
    K.PERICARDIAL_EFFUSION: 0.07,
    K.LOW_BONE_DENSITY: 0.12,
    K.STEATOSIS: 0.12,
    K.LIVER_CYST: 0.10,
    K.AIRWAY_SECRETION: 0.05,
    K.BONE_LESION: 0.05,
    K.PNEUMOTHORAX: 0.02,
}
_MOST_KINDS = 6
_MORE = {K.NODULE: (0.6, 0.25, 0.15), K.GROUND_GLASS: (0.6, 0.3, 0.1), K.LYMPHADENOPATHY: (0.7, 0.2, 0.1)}
# A coarse scan is made by averaging a fine one; of its noise, which is partly of large grain, about half is left.
_COARSE_NOISE = 0.5
COARSE_KJI = (96, 128, 128)


def random_recipe(
    rng: np.random.Generator, scan: Scan | None = None, *, evenness: float = 0.0, detail: Detail = Detail.FULL
) -> Recipe:
    """Draw a study: zero to six kinds of findings, their number, technique; `scan` None draws 256 rows at 1 to 5 mm.

    `evenness` 0 draws findings as often as in practice, 1 all of them equally often; in between the rare ones are
    shown more often than they occur, which training may want.
    """
    if not 0.0 <= evenness <= 1.0:
        raise ValueError(f"evenness must lie in 0..1, got {evenness}")
    mean = sum(FREQUENCIES.values()) / len(FREQUENCIES)
    chances = {kind: (1 - evenness) * often + evenness * mean for kind, often in FREQUENCIES.items()}
    kinds = [kind for kind, chance in chances.items() if rng.random() < chance]
    kinds = [kinds[int(n)] for n in rng.permutation(len(kinds))[:_MOST_KINDS]]
    findings = tuple(finding for kind in kinds for finding in _findings(kind, rng))
    technique = Recipe.random(int(rng.integers(2**31)), scan or _scan(rng))
    noise_hu = technique.noise_hu * (1.0 if detail is Detail.FULL else _COARSE_NOISE)
    return replace(technique, findings=findings, noise_hu=noise_hu, detail=detail)


def training_recipe(seed: int, shape_kji: tuple[int, int, int] = COARSE_KJI, *, evenness: float = 0.5) -> Recipe:
    """Return the recipe of `training_case`."""
    rng = np.random.default_rng([seed, 2])
    return random_recipe(rng, coarse_scan(rng, shape_kji), evenness=evenness, detail=Detail.COARSE)


def training_case(seed: int, shape_kji: tuple[int, int, int] = COARSE_KJI, *, evenness: float = 0.5) -> PhantomCase:
    """Make the case of a seed on few voxels over the whole chest, in about half a second; the same for the same seed.

    `case.volume` and `case.masks` have the shape `(k, j, i)`; `case.texts[region_id]` is a paragraph whose `sentences`
    make claims (finding, polarity, side, zone, size); `case.boxes(sentence)` are its true boxes in RAS mm;
    `case.reworded(rng)` is the same scan with other words. Another shape is the same patient with the same findings on
    other voxels, for instance fine enough to measure on. Training and evaluation are kept apart by their seeds.
    """
    return finish(make_case(training_recipe(seed, shape_kji, evenness=evenness)))


def coarse_scan(rng: np.random.Generator, shape_kji: tuple[int, int, int] = COARSE_KJI) -> Scan:
    """Draw the cover of a coarse scan: a little more or less around the lungs, one in ten cut at an end."""
    above, below = float(rng.uniform(8, 35)), float(rng.uniform(15, 60))
    cut = rng.random()
    if cut < 0.05:
        above = -float(rng.uniform(15, 60))
    elif cut < 0.1:
        below = -float(rng.uniform(5, 40))
    return replace(Scan.coarse(shape_kji), above_mm=above, below_mm=below)


def _scan(rng: np.random.Generator) -> Scan:
    return Recipe.random(int(rng.integers(2**31))).scan


def _findings(kind: FindingKind, rng: np.random.Generator) -> tuple[Finding, ...]:
    """Return one or more findings of a kind; sizes and places are left to the case."""
    if kind in _MORE:
        count = 1 + int(rng.choice(3, p=_MORE[kind]))
        return tuple(Finding(kind, variety=_variety(kind, rng)) for _ in range(count))
    if kind is K.EFFUSION and rng.random() < 0.45:
        return tuple(Finding(kind, side=side) for side in Side)
    if kind in (K.PERIBRONCHIAL, K.SEPTAL) and rng.random() < 0.4:
        return (Finding(kind, side=Side.RIGHT if rng.random() < 0.5 else Side.LEFT),)
    return (Finding(kind, variety=_variety(kind, rng)),)


def _variety(kind: FindingKind, rng: np.random.Generator) -> str | None:
    if kind is K.NODULE:
        return str(rng.choice(VARIETIES[kind], p=(0.7, 0.15, 0.15)))
    if kind is K.ATELECTASIS:
        return str(rng.choice(VARIETIES[kind], p=(0.45, 0.55)))
    if kind is K.EMPHYSEMA:
        return str(rng.choice(VARIETIES[kind], p=(0.3, 0.7)))
    return None
