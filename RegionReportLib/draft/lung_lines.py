"""What the measured writer says of lungs and pleura."""

from __future__ import annotations

from collections.abc import Iterator

from ..anatomy.regions import Coverage, Side, Zone
from ..report.measurement import Measurement
from ..report.sentence import Polarity
from . import wording
from .findings import Findings, Line, value_of

# Emphysema on CT: at least 5 % of the lung at or below −950 HU (Amaza IP et al., Int J COPD 2021;16:1231).
EMPHYSEMA_PERCENT = 5.0
# A rounded opacity up to 30 mm is a nodule, a larger one a mass (Hansell DM et al., Fleischner glossary, Radiology
# 2008;246:697).
NODULE_MM = 30.0
# Below these, what was found is not told from pleura, rim or noise; `measure.pleura` and `measure.dense` say why.
FLUID_LIMIT_ML = 10.0
AIR_LIMIT_ML = 10.0
_MAIN_SHARE = 0.8
_SINGLE_SHARE = 0.9


def lung_lines(findings: Findings, coverage: Coverage) -> Iterator[Line]:
    """Yield the lines on volume, density, dense lung, fluid and air, in the order a report gives them."""
    yield from _volumes(findings, coverage)
    yield from _density(findings)
    for side in Side:
        yield from _dense(findings, side)
    for side in Side:
        yield from _fluid(findings, side)
    yield from _air(findings, coverage)


def _volumes(findings: Findings, coverage: Coverage) -> Iterator[Line]:
    total = findings.whole("volume")
    sided = {side: m for side in Side if (m := findings.whole("volume", side)) is not None}
    parts = [f"{side.value} {wording.volume(value_of(m))}" for side, m in sided.items()]
    within = "Total lung volume" if coverage is Coverage.COMPLETE else "Lung volume within the scan"
    place = findings.place("lungs")
    if total is not None:
        text = f"{within} {wording.volume(value_of(total))} ({', '.join(parts)})."
        yield Line(text, within, (total, *sided.values()), places=(place,) if place else ())
        return
    for side, m in sided.items():
        words = f"{side.value.capitalize()} lung volume"
        words += "" if coverage is Coverage.COMPLETE else " within the scan"
        yield Line(f"{words} {wording.volume(value_of(m))}.", words, (m,))


def _density(findings: Findings) -> Iterator[Line]:
    sided = [m for side in Side if (m := findings.whole("mean_density", side)) is not None]
    mean = findings.whole("mean_density") or (sided[0] if len(sided) == 1 else None)
    place = findings.place("lungs")
    places = (place,) if place and mean and mean.side is None else ()
    if mean is not None:
        of = f"{mean.side.value} " if mean.side else ""
        text = f"Mean {of}lung density {wording.density(value_of(mean))}."
        yield Line(text, f"Mean {of}lung density", (mean,), places=places)
    side = mean.side if mean is not None else None
    low = findings.whole("low_attenuation_fraction", side)
    tail = findings.whole("density_percentile_15", side)
    if low is None or tail is None:
        why = findings.unknown("low_attenuation_fraction", side)
        if why is not None and "too coarse" in why.reason:
            text = f"Low-attenuation area not measured: {why.reason}."
            yield Line(text, "Low-attenuation area", (why,), Polarity.UNCERTAIN, places)
        return
    high = value_of(low) >= EMPHYSEMA_PERCENT
    text = (
        f"Low-attenuation area {wording.percent(value_of(low))} below −950 HU, 15th percentile "
        f"{wording.density(value_of(tail))}{_emphysema(high, low.reason)}."
    )
    yield Line(text, "Low-attenuation area", (low, tail), places=places)


def _emphysema(high: bool, caveat: str) -> str:
    """Call a raised index by the published cut-off, but not where noise or thick slices make it."""
    if not high:
        return ""
    doubtful = "noise" in caveat
    return ": raised, with image noise as a possible cause" if doubtful else ": raised, as in emphysema"


def _dense(findings: Findings, side: Side) -> Iterator[Line]:
    total = findings.whole("dense_volume", side)
    component = next(iter(findings.all("dense_component_volume", side)), None)
    # That of a nodule from the masks is told with the nodule.
    longest = next((m for m in findings.all("longest_diameter", side) if m.structure is None), None)
    if total is None or component is None or longest is None:
        return
    if value_of(component) >= _SINGLE_SHARE * value_of(total):
        yield _single(component, longest, side)
    else:
        yield _several(findings, total, component, longest)


def _single(component: Measurement, longest: Measurement, side: Side) -> Line:
    """One component makes up all dense lung: its own zone, box and size."""
    name = "Dense focus" if value_of(longest) <= NODULE_MM else "Dense lung"
    phrase = f"{name} of {wording.volume(value_of(component))}"
    where = f"{side.value} {component.zone.value} zone" if component.zone else f"{side.value} lung"
    size = f"longest diameter {wording.millimetres(value_of(longest))}"
    return Line(f"{phrase} in the {where}, {size}: {_call(longest)}.", phrase, (component, longest))


def _several(findings: Findings, total: Measurement, component: Measurement, longest: Measurement) -> Line:
    side = total.side or Side.RIGHT
    where, zones = _dense_where(findings, side, value_of(total))
    phrase = f"Dense lung of {wording.volume(value_of(total))}"
    size = f"longest diameter {wording.millimetres(value_of(longest))}"
    text = (
        f"{phrase} in the {where}, largest component {wording.volume(value_of(component))}, {size}: {_call(longest)}."
    )
    places = tuple(m.place for m in (total, component) if m.place is not None)
    return Line(text, phrase, (total, *zones, component, longest), places=places)


def _call(longest: Measurement) -> str:
    small = value_of(longest) <= NODULE_MM
    return "nodule, consolidation or atelectasis" if small else "consolidation, atelectasis or mass"


def _dense_where(findings: Findings, side: Side, whole: float) -> tuple[str, tuple[Measurement, ...]]:
    """Return the zone that holds most of it in words, or the side with what each zone holds."""
    zones = findings.zones("dense_volume", side)
    for zone, m in zones.items():
        if value_of(m) >= _MAIN_SHARE * whole:
            return f"{side.value} {zone.value} zone", (m,)
    held = {z: zones[z] for z in Zone if z in zones and value_of(zones[z]) >= 0.05 * whole}
    shares = [f"{zone.value} zone {wording.volume(value_of(m))}" for zone, m in held.items()]
    return f"{side.value} lung ({', '.join(shares)})" if shares else f"{side.value} lung", tuple(held.values())


def _fluid(findings: Findings, side: Side) -> Iterator[Line]:
    m = findings.whole("fluid_volume", side)
    place = findings.place("lungs", side)
    if m is None:
        why = findings.unknown("fluid_volume", side)
        if why is not None and place is not None:
            text = f"{side.value.capitalize()} pleural fluid not measured: {why.reason}."
            yield Line(text, f"{side.value.capitalize()} pleural fluid", (why,), Polarity.UNCERTAIN, (place,))
        return
    if value_of(m) >= FLUID_LIMIT_ML:
        phrase = f"{side.value.capitalize()} pleural fluid"
        # At least: thin layers are neither segmented nor measured, a seventh of the fluid on phantoms.
        yield Line(f"{phrase} at least {wording.volume(value_of(m))}.", phrase, (m,))
        return
    phrase = f"No {side.value} pleural fluid measured"
    text = f"{phrase} (< {FLUID_LIMIT_ML:.0f} mL)."
    yield Line(text, phrase, (m,), Polarity.ABSENT, (place,) if place else ())


def _air(findings: Findings, coverage: Coverage) -> Iterator[Line]:
    sided = {side: m for side in Side if (m := findings.whole("extrapulmonary_air_volume", side)) is not None}
    for side, m in sided.items():
        if value_of(m) >= AIR_LIMIT_ML:
            phrase = f"{side.value.capitalize()}-sided air outside the lung"
            text = f"{phrase} {wording.volume(value_of(m))}: pneumothorax, or a large subpleural bulla."
            yield Line(text, phrase, (m,))
    for side in Side:
        why = findings.unknown("extrapulmonary_air_volume", side)
        if why is not None and "bullae" in why.reason:
            phrase = f"{side.value.capitalize()}-sided air outside the lung"
            yield Line(f"{phrase} not measured: {why.reason}.", phrase, (why,), Polarity.UNCERTAIN)
    none = {side: m for side, m in sided.items() if value_of(m) < AIR_LIMIT_ML}
    if none:
        phrase = "No air outside the lungs measured"
        if len(none) == 1:
            phrase = f"No air outside the {next(iter(none)).value} lung measured"
        within = "" if coverage is Coverage.COMPLETE else " within the scan"
        places = tuple(p for side in none if (p := findings.place("lungs", side)) is not None)
        text = f"{phrase}{within} (< {AIR_LIMIT_ML:.0f} mL)."
        yield Line(text, phrase, tuple(none.values()), Polarity.ABSENT, places)
