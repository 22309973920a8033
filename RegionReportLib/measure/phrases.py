"""Patient-specific attributes as text for a language model's prompt, after MedRegion-CT (arXiv 2506.23102 §3.4).

Deterministic: one line per region, every known number but those of single vertebrae with its unit, one decimal for
volumes and lengths. Its template is not published; the words here are ours. Not for readers: the measured writer speaks
to them.
"""

from __future__ import annotations

from collections.abc import Iterable

from ..anatomy.regions import region, regions, structure
from ..report.measurement import Measurement

_NAMES: dict[str, str] = {
    "volume": "volume",
    "mean_density": "mean density",
    "low_attenuation_fraction": "low attenuation below -950 HU",
    "density_percentile_15": "15th percentile of density",
    "dense_volume": "dense lung",
    "dense_component_volume": "largest dense component",
    "longest_diameter": "its longest diameter",
    "fluid_volume": "pleural fluid",
    "extrapulmonary_air_volume": "air outside the lung",
    "transverse_diameter": "transverse diameter",
    "sagittal_diameter": "sagittal diameter",
    "tracheal_index": "tracheal index",
    "carina_angle": "carina angle",
    "heart_width": "heart width",
    "thorax_width": "thorax width",
    "cardiothoracic_ratio": "cardiothoracic ratio",
    "mediastinal_width": "mediastinal width",
    "calcium_volume": "calcium",
    "blood_density": "blood density",
    "trabecular_density": "trabecular density",
    "vertebral_height_ratio": "vertebral height ratio",
    "liver_density": "density",
    "spleen_density": "density",
    "count": "measured",
}
_OF_STRUCTURE: dict[tuple[str | None, str], str] = {
    ("aorta", "transverse_diameter"): "diameter",
    ("pulmonary_artery", "transverse_diameter"): "diameter",
    ("pulmonary_artery", "pulmonary_aortic_ratio"): "over ascending aorta",
    ("pericardial_effusion", "fluid_volume"): "volume",
    ("lung_nodule", "count"): "count",
    ("lung_nodule", "longest_diameter"): "longest diameter",
    ("liver", "liver_spleen_difference"): "minus spleen",
}
_UNITS = {"1": "", "mm3": "mm³", "deg": "°"}
_DECIMALS = {"mL": 1, "mm": 1, "%": 1, "1": 2}


def attributes_text(measurements: Iterable[Measurement]) -> str:
    """Return one line per region with its known measurements; unknown ones are left out, never written as zero.

    A zone in which there is nothing is left out too: the number of its side tells it, and prompts stay short.
    """
    known = [m for m in measurements if m.value is not None and not (m.structure or "").startswith("vertebrae_")]
    known = [m for m in known if m.value or m.zone is None]
    lines = []
    for one in regions():
        parts = [_phrase(m) for m in known if m.region_id == one.id]
        if parts:
            lines.append(f"{region(one.id).name}: {'; '.join(parts)}.")
    return "\n".join(lines)


def _phrase(measurement: Measurement) -> str:
    name = _NAMES.get(measurement.quantity, measurement.quantity.replace("_", " "))
    words = [*_where(measurement), _OF_STRUCTURE.get((measurement.structure, measurement.quantity), name)]
    value = measurement.value if measurement.value is not None else 0.0
    if measurement.quantity == "count":
        return f"{' '.join(words)} {value:.0f}"
    number = f"{value:.{_DECIMALS.get(measurement.unit, 0)}f}"
    unit = _UNITS.get(measurement.unit, measurement.unit)
    return f"{' '.join(words)} {number}{'' if unit in ('', '°') else ' '}{unit}"


def _where(measurement: Measurement) -> list[str]:
    """Return side, zone and structure in words, side first."""
    if measurement.structure is not None:
        # Diameters of one vessel differ by where they were taken, which their ids tell.
        placed = (measurement.structure, measurement.quantity) == ("aorta", "transverse_diameter")
        level = [measurement.id.rsplit(".", 1)[-1]] if placed else []
        return [*level, structure(measurement.structure).name]
    words = [measurement.side.value] if measurement.side else []
    return [*words, f"{measurement.zone.value} zone"] if measurement.zone else words
