"""Liver against spleen, each by its own mask: a liver darker than the spleen is fatty, whatever the scanner's scale."""

from __future__ import annotations

from collections.abc import Iterable

from ..report.measurement import Measurement
from .abdomen import LIVER
from .scan import Scan, together

METHOD = (
    "median HU of the liver minus that of the spleen, each 8 mm inside its own mask, without contrast (below −10 HU "
    "more than 30 % steatosis: Limanond P et al., Radiology 2004;230:276; 1 to 18 HU without steatosis: Park YS et "
    "al., Radiology 2011;258:760)"
)


def liver_spleen_difference(scan: Scan, found: Iterable[Measurement]) -> Measurement:
    """Write down how much denser the liver is than the spleen; None with a reason where it would mislead.

    `found` holds the measured densities of both. Contrast enhances them at different times, so that the difference
    says nothing then.
    """
    by = {m.quantity: m for m in found}
    liver, spleen = by["liver_density"], by["spleen_density"]
    missing = [f"{name} not segmented" for name in ("liver", "spleen") if name not in scan.bounds]
    if missing:
        return LIVER.unknown("liver_spleen_difference", METHOD, "; ".join(missing))
    if scan.blood.caveat:
        return LIVER.unknown("liver_spleen_difference", METHOD, scan.blood.caveat)
    if liver.value is None or spleen.value is None:
        why = together(*(m.reason for m in (liver, spleen) if m.value is None))
        return LIVER.unknown("liver_spleen_difference", METHOD, why)
    return LIVER.known("liver_spleen_difference", liver.value - spleen.value, METHOD, liver.place)
