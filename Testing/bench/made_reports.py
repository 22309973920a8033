"""Places and measurements made by hand, and reports that are true to them, for planting errors in."""

from __future__ import annotations

import random
from collections.abc import Iterator

import numpy as np

from RegionReportLib.anatomy.regions import REGION_IDS, Coverage, Side, Zone
from RegionReportLib.draft.measured_writer import write_measured
from RegionReportLib.grounding.anchors import ground
from RegionReportLib.grounding.places import places_of
from RegionReportLib.imaging.grid import Grid
from RegionReportLib.imaging.masks import RegionMasks
from RegionReportLib.progress import finish
from RegionReportLib.report.document import Report, Study
from RegionReportLib.report.measurement import QUANTITIES, Measurement
from RegionReportLib.report.place import Place
from RegionReportLib.report.sentence import Sentence

# Centre and half size in per cent of the field of view, along (right to left, front to back, foot to head).
_BLOCKS: dict[str, tuple[tuple[int, int, int], tuple[int, int, int]]] = {
    "lung_right": ((25, 50, 60), (14, 22, 28)),
    "lung_left": ((75, 50, 60), (14, 22, 27)),
    "trachea": ((50, 52, 80), (3, 3, 12)),
    "main_bronchus_right": ((46, 52, 65), (4, 2, 3)),
    "main_bronchus_left": ((54, 52, 65), (4, 2, 3)),
    "mediastinum": ((50, 50, 75), (9, 12, 6)),
    "esophagus": ((50, 62, 70), (2, 2, 20)),
    "thyroid_gland": ((50, 45, 95), (6, 3, 3)),
    "heart": ((53, 40, 50), (11, 10, 11)),
    "aorta": ((55, 62, 60), (3, 3, 20)),
    "pulmonary_artery": ((50, 48, 66), (5, 3, 3)),
    "superior_vena_cava": ((44, 45, 70), (2, 2, 7)),
    "bone": ((50, 78, 60), (5, 6, 38)),
    "sternum": ((50, 22, 60), (3, 2, 15)),
    "chest_wall": ((50, 10, 60), (30, 4, 30)),
    "liver": ((30, 45, 15), (20, 20, 12)),
    "spleen": ((78, 60, 15), (8, 8, 8)),
    "kidney_right": ((32, 75, 6), (6, 6, 5)),
    "kidney_left": ((68, 75, 6), (6, 6, 5)),
    "adrenal_gland_right": ((38, 68, 12), (3, 3, 2)),
    "adrenal_gland_left": ((62, 68, 12), (3, 3, 2)),
}
_SIZE = 100


def masks() -> RegionMasks:
    """Return a chest of blocks, without lobes, 3 mm voxels."""
    labels = np.zeros((_SIZE, _SIZE, _SIZE), np.uint8)
    for value, (centre, half) in enumerate(_BLOCKS.values(), start=1):
        i, j, k = (slice(max(c - h, 0), c + h) for c, h in zip(centre, half, strict=True))
        labels[k, j, i] = value
    affine = np.diag([-3.0, -3.0, 3.0, 1.0])
    coverage = dict.fromkeys(REGION_IDS, Coverage.COMPLETE)
    return RegionMasks(labels, Grid(labels.shape, affine), tuple(_BLOCKS), "blocks", coverage, {})


MASKS = masks()
PLACES: tuple[Place, ...] = finish(places_of(MASKS))


def report(name: str, sentences: tuple[Sentence, ...], measurements: tuple[Measurement, ...] = ()) -> Report:
    """Return a report on the chest of blocks."""
    return Report(
        id=name,
        study=Study("blocks.nii", "0" * 64, MASKS.grid),
        coverage=MASKS.coverage,
        coverage_notes={},
        places=PLACES,
        measurements=measurements,
        sentences=sentences,
        writer="bench",
        segmenter=MASKS.method,
        created_at="2026-01-01T00:00:00+00:00",
    )


def place(region_id: str, side: Side | None = None, zone: Zone | None = None) -> Place:
    """Return a place of the chest of blocks."""
    return next(p for p in PLACES if (p.region_id, p.side, p.zone, p.structure) == (region_id, side, zone, None))


def measure(
    quantity: str, region_id: str, value: float, side: Side | None = None, zone: Zone | None = None
) -> Measurement:
    """Return a measurement whose id is its quantity and side."""
    name = "-".join([region_id, quantity, *([side.value] if side else []), *([zone.value] if zone else [])])
    where = place(region_id, side, zone)
    unit = QUANTITIES[quantity]
    return Measurement(name, quantity, region_id, value, unit, "made", side=side, zone=zone, place=where)


def measurements(chance: random.Random) -> tuple[Measurement, ...]:
    """Return one plausible set of measurements, sick or healthy by chance."""
    found = []
    volume = {side: chance.uniform(1500, 3200) for side in Side}
    found += [measure("volume", "lungs", v, side) for side, v in volume.items()]
    found.append(measure("volume", "lungs", sum(volume.values())))
    found.append(measure("mean_density", "lungs", chance.uniform(-870, -760)))
    found.append(measure("low_attenuation_fraction", "lungs", chance.choice((0.4, 2.5, 9.0, 17.0))))
    found.append(measure("density_percentile_15", "lungs", chance.uniform(-960, -890)))
    for side in Side:
        found.append(measure("fluid_volume", "lungs", chance.choice((2.0, 4.0, 85.0, 310.0, 1240.0)), side))
        found.append(measure("extrapulmonary_air_volume", "lungs", chance.choice((0.0, 1.0, 260.0)), side))
        if chance.random() < 0.5:
            zone, dense = chance.choice(list(Zone)), chance.uniform(25, 140)
            found.append(measure("dense_volume", "lungs", dense * 1.04, side))
            found.append(measure("dense_component_volume", "lungs", dense, side, zone))
            found.append(measure("longest_diameter", "lungs", chance.uniform(31, 92), side, zone))
    heart, thorax = chance.uniform(105, 165), chance.uniform(240, 290)
    found.append(measure("cardiothoracic_ratio", "heart_great_vessels", heart / thorax))
    found.append(measure("heart_width", "heart_great_vessels", heart))
    found.append(measure("thorax_width", "heart_great_vessels", thorax))
    found.append(measure("calcium_volume", "heart_great_vessels", chance.choice((0.0, 45.0, 720.0))))
    found.append(measure("transverse_diameter", "airways", chance.uniform(13, 22)))
    found.append(measure("sagittal_diameter", "airways", chance.uniform(15, 25)))
    found.append(measure("tracheal_index", "airways", found[-2].value / found[-1].value))
    found.append(measure("carina_angle", "airways", chance.uniform(50, 90)))
    found.append(measure("mediastinal_width", "mediastinum", chance.uniform(55, 95)))
    found.append(measure("trabecular_density", "bones", chance.uniform(70, 230)))
    found.append(measure("count", "bones", 7.0))
    found.append(measure("liver_density", "upper_abdomen", chance.choice((22.0, 35.0, 54.0, 62.0))))
    found.append(measure("spleen_density", "upper_abdomen", chance.uniform(40, 60)))
    return tuple(found)


def measured_reports(chance: random.Random, count: int) -> Iterator[Report]:
    """Yield drafts of the measured writer."""
    for number in range(count):
        found = measurements(chance)
        yield report(f"measured-{number}", write_measured(found, MASKS.coverage, {}, PLACES), found)


def dictated_reports(chance: random.Random, count: int) -> Iterator[Report]:
    """Yield reports in words of their own that are true to measurements they do not cite."""
    for number in range(count):
        found = measurements(chance)
        text = " ".join(_dictation({(m.quantity, m.side): m.value or 0.0 for m in found}, chance))
        yield report(f"dictated-{number}", ground(text, PLACES), found)


def _dictation(value: dict[tuple[str, Side | None], float], chance: random.Random) -> Iterator[str]:
    for side in Side:
        fluid, air = value["fluid_volume", side], value["extrapulmonary_air_volume", side]
        if fluid > 10:
            yield f"Pleural effusion is seen on the {side.value}, about {fluid:.0f} mL."
        else:
            yield f"No {side.value} pleural effusion."
        if air > 10:
            yield f"{side.value.capitalize()} pneumothorax of {air:.0f} mL is present."
        else:
            yield f"There is no {side.value} pneumothorax."
        dense = value.get(("dense_volume", side))
        if dense is not None:
            yield f"Consolidation of {dense:.0f} mL is seen in the {side.value} lung."
    ratio = value["cardiothoracic_ratio", None]
    yield "The heart is enlarged." if ratio > 0.5 else "Heart size is normal."
    yield f"The cardiothoracic ratio is {ratio:.2f}."
    if value["calcium_volume", None] > 10:
        yield "Coronary calcifications are present."
    else:
        yield "No coronary calcification was observed."
    liver = value["liver_density", None]
    yield f"Liver density measures {liver:.0f} HU{', hepatic steatosis is present' if liver < 40 else ''}."
    if liver > 40:
        yield "There is no hepatic steatosis."
    if value["low_attenuation_fraction", None] > 5:
        yield chance.choice(("Emphysema is seen in both lungs.", "Emphysematous changes are present in the lungs."))
    else:
        yield "No emphysema in both lungs."
