"""What a measurement is about, and the two ways to write one down: known or unknown with a reason."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..anatomy.codes import Code
from ..anatomy.regions import Side, Zone
from ..report.measurement import QUANTITIES, Measurement
from ..report.place import Place

# DICOM PS3.16 CID 7469 and CID 7470; quantities without a fitting concept there carry no code.
_VOLUME = Code("SCT", "118565006", "Volume")
_ATTENUATION = Code("DCM", "112031", "Attenuation Coefficient")
_DIAMETER = Code("SCT", "81827009", "Diameter")
_WIDTH = Code("SCT", "103355008", "Width")
_LONG_AXIS = Code("SCT", "103339001", "Long Axis")
_ANGLE = Code("SCT", "1483009", "Angle")

_CODES: dict[str, Code] = {
    "volume": _VOLUME,
    "dense_volume": _VOLUME,
    "dense_component_volume": _VOLUME,
    "fluid_volume": _VOLUME,
    "extrapulmonary_air_volume": _VOLUME,
    "calcium_volume": _VOLUME,
    "mean_density": _ATTENUATION,
    "density_percentile_15": _ATTENUATION,
    "blood_density": _ATTENUATION,
    "trabecular_density": _ATTENUATION,
    "liver_density": _ATTENUATION,
    "spleen_density": _ATTENUATION,
    "longest_diameter": _LONG_AXIS,
    "transverse_diameter": _DIAMETER,
    "sagittal_diameter": _DIAMETER,
    "heart_width": _WIDTH,
    "thorax_width": _WIDTH,
    "mediastinal_width": _WIDTH,
    "carina_angle": _ANGLE,
}


@dataclass(frozen=True, slots=True)
class Subject:
    """The region, or the structure, side or zone of it, that a measurement is about."""

    region_id: str
    structure: str | None = None
    side: Side | None = None
    zone: Zone | None = None

    def id_of(self, quantity: str) -> str:
        """Return the stable, readable id of a measurement: `lungs.dense_volume.right.lower`."""
        # A sided structure's name already tells the side.
        named = self.structure is not None and self.side is not None and self.structure.endswith(self.side.value)
        parts = [self.region_id, quantity, self.structure]
        parts += [None if named or self.side is None else self.side.value, self.zone.value if self.zone else None]
        return ".".join(p for p in parts if p)

    def known(self, quantity: str, value: float, method: str, place: Place | None, reason: str = "") -> Measurement:
        """Write down a value; `reason` holds a caveat, if any."""
        return replace(self._blank(quantity, method, reason or "-"), value=float(value), reason=reason, place=place)

    def unknown(self, quantity: str, method: str, reason: str, place: Place | None = None) -> Measurement:
        """Write down that a value is not known, and why."""
        return replace(self._blank(quantity, method, reason), place=place)

    def _blank(self, quantity: str, method: str, reason: str) -> Measurement:
        return Measurement(
            id=self.id_of(quantity),
            quantity=quantity,
            region_id=self.region_id,
            value=None,
            unit=QUANTITIES[quantity],
            method=method,
            reason=reason,
            structure=self.structure,
            side=self.side,
            zone=self.zone,
            code=_CODES.get(quantity),
        )
