"""The great vessels that masks name: aorta and pulmonary trunk, measured at one level."""

from __future__ import annotations

from ..progress import Work, part
from ..report.measurement import Measurement
from .aorta import aorta_measurements
from .pulmonary import find_trunk, trunk_diameter, trunk_to_aorta
from .scan import Scan


def vessel_measurements(scan: Scan) -> Work[tuple[Measurement, ...]]:
    """Write down calibre of aorta and pulmonary trunk and their ratio; None with a reason where they are not there."""
    trunk = yield from part(find_trunk(scan), 0.0, 0.3)
    aorta = yield from part(aorta_measurements(scan, trunk.bifurcation_mm if trunk else None), 0.3, 1.0)
    pulmonary = trunk_diameter(scan, trunk)
    ascending = aorta[0]
    return (*aorta, pulmonary, trunk_to_aorta(pulmonary, ascending))
