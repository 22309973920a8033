"""What the measured writer says of aorta, pulmonary trunk and pericardial fluid, where the masks name them."""

from __future__ import annotations

from collections.abc import Iterator

from ..report.measurement import Measurement
from ..report.sentence import Polarity
from . import wording
from .findings import Findings, Line, value_of

# Upper limit of the ascending aorta in adults (ESC guideline on aortic diseases, Eur Heart J 2014;35:2873).
ASCENDING_MM = 40.0
# 90th percentiles of the pulmonary trunk in men and women, and of its ratio to the ascending aorta (Truong QA et al.,
# Circ Cardiovasc Imaging 2012;5:147).
TRUNK_MEN_MM, TRUNK_WOMEN_MM, TRUNK_RATIO = 29.0, 27.0, 0.9
# Physiological pericardial fluid (BMJ Best Practice, Pericardial effusion).
PERICARDIAL_ML = 50.0
# What the largest diameter must exceed the two others by to be worth a sentence of its own.
_MORE_MM = 3.0


def vessel_lines(findings: Findings) -> Iterator[Line]:
    """Yield calibre of aorta and pulmonary trunk, and marked pericardial fluid."""
    yield from _aorta(findings)
    yield from _trunk(findings)
    yield from _pericardium(findings)


def aortic_diameter(findings: Findings, which: str) -> Measurement | None:
    """Return the known "ascending", "descending" or "largest" diameter of the aorta."""
    found = findings.of("transverse_diameter", "aorta")
    return next((m for m in found if m.value is not None and m.id.endswith(which)), None)


def _aorta(findings: Findings) -> Iterator[Line]:
    ascending, descending = (aortic_diameter(findings, w) for w in ("ascending", "descending"))
    known = [(m, w) for m, w in ((ascending, "ascending"), (descending, "descending")) if m is not None]
    if known:
        parts = [f"{wording.millimetres(value_of(m))} {w}" for m, w in known]
        wide = ascending is not None and value_of(ascending) > ASCENDING_MM
        call = f": ascending aorta dilated (above {ASCENDING_MM:.0f} mm)" if wide else ""
        text = f"Aortic diameter {', '.join(parts)}, perpendicular to its course{call}."
        yield Line(text, "Aortic diameter", tuple(m for m, _ in known))
    largest = aortic_diameter(findings, "largest")
    if largest is not None and all(value_of(largest) >= value_of(m) + _MORE_MM for m, _ in known):
        phrase = "Largest aortic diameter"
        within = next((f" in the {words}" for level, words in _LEVELS.items() if largest.reason.startswith(level)), "")
        yield Line(f"{phrase} {wording.millimetres(value_of(largest))}{within}.", phrase, (largest,))


_LEVELS = {
    "ascending": "ascending aorta",
    "arch": "aortic arch",
    "descending": "descending aorta",
    "abdominal": "abdominal aorta",
}


def _trunk(findings: Findings) -> Iterator[Line]:
    trunk = findings.known("transverse_diameter", "pulmonary_artery")
    ratio = findings.known("pulmonary_aortic_ratio", "pulmonary_artery")
    if trunk is None:
        return
    text = f"Pulmonary trunk {wording.millimetres(value_of(trunk))}{_trunk_call(value_of(trunk))}"
    evidence: tuple[Measurement, ...] = (trunk,)
    if ratio is not None:
        high = value_of(ratio) > TRUNK_RATIO
        text += (
            f", ratio to the ascending aorta {value_of(ratio):.2f}{f', raised (above {TRUNK_RATIO})' if high else ''}"
        )
        evidence = (trunk, ratio)
    yield Line(f"{text}.", "Pulmonary trunk", evidence)


def _trunk_call(mm: float) -> str:
    if mm > TRUNK_MEN_MM:
        return f", wide (above {TRUNK_MEN_MM:.0f} mm)"
    return f", wide for a woman (above {TRUNK_WOMEN_MM:.0f} mm)" if mm > TRUNK_WOMEN_MM else ""


def _pericardium(findings: Findings) -> Iterator[Line]:
    fluid = findings.known("fluid_volume", "pericardial_effusion")
    if fluid is None:
        return
    place = findings.place("heart_great_vessels")
    if value_of(fluid) <= 0:
        phrase = "No pericardial fluid in the given masks"
        yield Line(f"{phrase}.", phrase, (fluid,), Polarity.ABSENT, (place,) if place else ())
        return
    more = f", more than physiological (above {PERICARDIAL_ML:.0f} mL)" if value_of(fluid) > PERICARDIAL_ML else ""
    phrase = "Pericardial fluid"
    yield Line(f"{phrase} {wording.volume(value_of(fluid))}{more}.", phrase, (fluid,))
