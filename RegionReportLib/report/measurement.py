"""A measurement: the evidence that a sentence of the report rests on."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ..anatomy import regions as anatomy
from ..anatomy.codes import Code
from ..anatomy.regions import Side, Zone
from .place import Place

# The words for what is measured, each with its one unit. Units are as a report prints them; DICOM and FHIR
# exports translate them to UCUM.
QUANTITIES: dict[str, str] = {
    "volume": "mL",
    "mean_density": "HU",
    "low_attenuation_fraction": "%",
    "density_percentile_15": "HU",
    "dense_volume": "mL",
    "dense_component_volume": "mL",
    "longest_diameter": "mm",
    "fluid_volume": "mL",
    "extrapulmonary_air_volume": "mL",
    "transverse_diameter": "mm",
    "sagittal_diameter": "mm",
    "tracheal_index": "1",
    "carina_angle": "deg",
    "heart_width": "mm",
    "thorax_width": "mm",
    "cardiothoracic_ratio": "1",
    "mediastinal_width": "mm",
    "calcium_volume": "mm3",
    "blood_density": "HU",
    "trabecular_density": "HU",
    "vertebral_height_ratio": "1",
    "anterior_height": "mm",
    "middle_height": "mm",
    "posterior_height": "mm",
    "pulmonary_aortic_ratio": "1",
    "liver_density": "HU",
    "spleen_density": "HU",
    "liver_spleen_difference": "HU",
    "count": "1",
}


@dataclass(frozen=True, slots=True)
class Measurement:
    """One `quantity` (a key of `QUANTITIES`) of a region, or of a structure, side or zone of it.

    An undefined value is None and `reason` says why; a defined one may carry a caveat in `reason`.
    `method` says how it was obtained, with the source of any threshold; `uncertainty` is one standard
    deviation in the same unit where it is known; `place` is where it was taken.
    Raises ValueError for an unknown region or quantity, a foreign unit, a value that is not finite, or a missing
    value without a reason.
    """

    id: str
    quantity: str
    region_id: str
    value: float | None
    unit: str
    method: str
    reason: str = ""
    structure: str | None = None
    side: Side | None = None
    zone: Zone | None = None
    code: Code | None = None
    uncertainty: float | None = None
    place: Place | None = None

    def __post_init__(self) -> None:
        anatomy.region(self.region_id)
        if not (self.id and self.method):
            raise ValueError(f"a measurement needs id and method, got {self}")
        if QUANTITIES.get(self.quantity) != self.unit:
            raise ValueError(
                f"measurement {self.id}: {self.quantity!r} in {self.unit!r} is not in the table of quantities; "
                f"expected one of {QUANTITIES}"
            )
        for field in ("value", "uncertainty"):
            number = getattr(self, field)
            object.__setattr__(self, field, None if number is None else float(number))
        if self.value is None and not self.reason:
            raise ValueError(f"measurement {self.id} has no value and no reason")
        if self.value is not None and not math.isfinite(self.value):
            raise ValueError(f"measurement {self.id} has the value {self.value}; an undefined value is None")
