"""How far measurements lie from the truth on phantoms, with their true masks and with the built-in segmenter's.

Run `python Testing/bench/phantom_measurements.py --seeds 20`. Every seed has its own patient, technique and scan
geometry (1 to 5 mm slices, three orientations, with and without contrast); findings rotate so that each occurs several
times. Prints one table per kind of masks: for each quantity how many were compared, median and largest error, and how
many lie within the goal (volumes 5 %, fluid and free air 15 %, lengths 2 mm).
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterable, Iterator

import numpy as np

from RegionReportLib.errors import RegionReportError
from RegionReportLib.measure import measure
from RegionReportLib.phantom.case import PhantomCase, make_case
from RegionReportLib.phantom.recipe import Finding, FindingKind, Recipe
from RegionReportLib.progress import finish
from RegionReportLib.report.measurement import Measurement
from RegionReportLib.segment.classical import ClassicalSegmenter

# Goal by quantity: ("%", x) relative to the truth, ("mm" …) absolute in its unit.
GOALS: dict[str, tuple[str, float]] = {
    "volume": ("%", 5),
    "fluid_volume": ("%", 15),
    "extrapulmonary_air_volume": ("%", 15),
    "dense_volume": ("%", 15),
    "low_attenuation_fraction": ("abs", 2),
    "transverse_diameter": ("abs", 2),
    "sagittal_diameter": ("abs", 2),
    "tracheal_index": ("abs", 0.1),
    "carina_angle": ("abs", 10),
    "heart_width": ("abs", 2),
    "thorax_width": ("abs", 2),
    "cardiothoracic_ratio": ("abs", 0.02),
    "mediastinal_width": ("abs", 5),
    "calcium_volume": ("%", 30),
    "blood_density": ("abs", 10),
    "trabecular_density": ("abs", 10),
    "liver_density": ("abs", 5),
    "spleen_density": ("abs", 5),
}
# Below this much in truth an error in percent says nothing; what is measured then counts as a false alarm if it
# exceeds the limit that a report would speak of.
LEAST = {"fluid_volume": 10.0, "extrapulmonary_air_volume": 10.0, "dense_volume": 0.4, "calcium_volume": 1.0}

Pair = tuple[int, float, float | None, str]


def recipe_of(seed: int) -> Recipe:
    """Return the technique that the seed draws, with findings that rotate."""
    kinds = FindingKind
    plan = {
        kinds.EFFUSION: seed % 2 == 0,
        kinds.NODULE: seed % 2 == 1,
        kinds.PNEUMOTHORAX: seed % 3 == 0,
        kinds.CONSOLIDATION: seed % 3 == 1,
        kinds.AORTIC_CALCIUM: seed % 4 == 0,
        kinds.CARDIOMEGALY: seed % 4 == 1,
        kinds.LOW_BONE_DENSITY: seed % 4 == 2,
        kinds.STEATOSIS: seed % 4 == 3,
        kinds.EMPHYSEMA: seed % 5 == 0,
    }
    drawn = Recipe.random(seed)
    findings = tuple(Finding(kind) for kind, there in plan.items() if there)
    return Recipe(seed, findings, drawn.scan, drawn.contrast, drawn.kernel, drawn.noise_hu, drawn.arms)


def pairs(seed: int, truth: Iterable[Measurement], found: Iterable[Measurement]) -> Iterator[tuple[str, Pair]]:
    """Yield truth and measurement of the same quantity of the same side; quantities, not zones."""
    measured = {(m.quantity, m.region_id, m.side): m for m in found if m.zone is None}
    for known in truth:
        got = measured.get((known.quantity, known.region_id, known.side))
        if known.value is not None and got is not None and known.quantity in GOALS:
            yield known.quantity, (seed, known.value, got.value, got.reason)


def print_table(title: str, rows: dict[str, list[Pair]]) -> None:
    """Print one line per quantity, and the false alarms where there was nothing."""
    print(f"\n{title}")
    print(f"{'quantity':27}{'n':>4}{'unknown':>9}{'median':>9}{'largest':>9}{'goal':>8}{'within':>8}", end="")
    print("   worst seeds; false alarms")
    for quantity, (kind, goal) in GOALS.items():
        real = [p for p in rows[quantity] if p[1] >= LEAST.get(quantity, -np.inf)]
        known = [(seed, truth, got) for seed, truth, got, _ in real if got is not None]
        errors = np.array([100 * (g / t - 1) if kind == "%" else g - t for _, t, g in known])
        worst = [known[n][0] for n in np.argsort(-np.abs(errors))[:3]]
        false = [
            (p[0], round(p[2], 1))
            for p in rows[quantity]
            if p[1] < LEAST.get(quantity, -np.inf) and _alarms(quantity, p)
        ]
        unit = "%" if kind == "%" else ""
        numbers = [f"{np.median(np.abs(errors)):.2f}", f"{np.abs(errors).max():.2f}"] if len(errors) else ["-", "-"]
        within = f"{int((np.abs(errors) <= goal).sum())}/{len(errors)}"
        print(f"{quantity:27}{len(known):4}{len(real) - len(known):9}{numbers[0]:>9}{numbers[1]:>9}", end="")
        print(f"{f'{goal}{unit}':>8}{within:>8}   {worst} {false or ''}")


def _alarms(quantity: str, pair: Pair) -> bool:
    return pair[2] is not None and pair[2] >= LEAST[quantity]


def compared(case: PhantomCase, seed: int, tables: dict[str, dict[str, list[Pair]]]) -> None:
    """Measure a case with both kinds of masks and add to the tables."""
    for quantity, pair in pairs(seed, case.truth, finish(measure(case.volume, case.masks))):
        tables["true masks"][quantity].append(pair)
    try:
        masks = finish(ClassicalSegmenter().segment(case.volume))
    except RegionReportError as error:
        print(f"seed {seed}: segmenter refused: {error}")
        return
    for quantity, pair in pairs(seed, case.truth, finish(measure(case.volume, masks))):
        tables["segmented masks"][quantity].append(pair)


def main() -> None:
    """Make the cases one after the other and print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    count = parser.parse_args().seeds
    tables: dict[str, dict[str, list[Pair]]] = {
        "true masks": defaultdict(list),
        "segmented masks": defaultdict(list),
    }
    for seed in range(count):
        compared(finish(make_case(recipe_of(seed))), seed, tables)
        print(f"seed {seed} done", flush=True)
    for title, rows in tables.items():
        print_table(title, rows)


if __name__ == "__main__":
    main()
