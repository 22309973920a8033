"""What the measured writer says of single lobes, nodules and vertebrae, where the masks name them."""

from __future__ import annotations

from collections.abc import Iterator

from ..anatomy.regions import region, structure
from ..report.measurement import Measurement
from ..report.sentence import Polarity
from . import wording
from .findings import Findings, Line, value_of
from .lung_lines import EMPHYSEMA_PERCENT, NODULE_MM

NODULE = "lung_nodule"
# So many nodules have a sentence of their own; the count names the others.
MOST_NODULES = 10
# A loss of 25 % of the anterior height: a moderate deformity (Genant HK et al., J Bone Miner Res 1993;8:1137), and two
# standard deviations below the normal wedge of the lower thoracic bodies (Matsumoto M et al., Surg Radiol Anat
# 2011;33:223). Smaller losses are not told from a normal wedge.
WEDGE_RATIO = 0.75

_LOBES = tuple(s.id for s in region("lungs").structures if "_lobe_" in s.id)
_LEVELS = tuple(s.id for s in region("bones").structures if s.id.startswith(("vertebrae_T", "vertebrae_L")))


def lobe_lines(findings: Findings) -> Iterator[Line]:
    """Yield the volumes of the lobes, and their low-attenuation areas where one of them is raised."""
    volumes = _of_each(findings, "volume", _LOBES)
    if volumes:
        parts = [f"{structure(name).name} {wording.volume(value_of(m))}" for name, m in volumes.items()]
        cut = any("cut" in m.reason for m in volumes.values())
        phrase = "Lobes within the scan" if cut else "Lobes"
        yield Line(f"{phrase}: {', '.join(parts)}.", phrase, tuple(volumes.values()))
    low = _of_each(findings, "low_attenuation_fraction", _LOBES)
    if low and max(value_of(m) for m in low.values()) >= EMPHYSEMA_PERCENT:
        order = sorted(low, key=lambda name: -value_of(low[name]))
        parts = [f"{structure(name).name} {wording.percent(value_of(low[name]))}" for name in order]
        phrase = "Low-attenuation area by lobe"
        yield Line(f"{phrase}: {', '.join(parts)}.", phrase, tuple(low[name] for name in order))


def nodule_lines(findings: Findings) -> Iterator[Line]:
    """Yield how many nodules the masks hold and who found them, then each, largest first."""
    count = findings.known("count", NODULE)
    if count is None:
        return
    place = findings.place("lungs")
    if value_of(count) == 0:
        phrase = "No nodule in the given masks"
        # What a segmenter did not mark may still be there: the words keep to the masks.
        yield Line(
            f"{phrase} ({count.reason}).".replace("found by", "from"),
            phrase,
            (count,),
            Polarity.ABSENT,
            (place,) if place else (),
        )
        return
    sizes = sorted(findings.of("longest_diameter", NODULE), key=lambda m: -value_of(m))
    number = round(value_of(count))
    phrase = f"{number} lung {'nodule' if number == 1 else 'nodules'}"
    more = f", the {MOST_NODULES} largest below" if number > MOST_NODULES else ""
    places = tuple(m.place for m in sizes if m.place is not None)
    yield Line(f"{phrase} {count.reason}{more}.", phrase, (count,), places=places[:MOST_NODULES])
    for size in sizes[:MOST_NODULES]:
        yield _nodule(findings, size)


def _nodule(findings: Findings, size: Measurement) -> Line:
    volume = next((m for m in findings.of("volume", NODULE) if m.place == size.place), None)
    name = "Nodule" if value_of(size) <= NODULE_MM else "Mass"
    evidence = (size,) if volume is None else (size, volume)
    text = f"{name}, longest diameter {wording.millimetres(value_of(size))}"
    text += "" if volume is None else f", volume {wording.volume(value_of(volume))}"
    lobe = size.place.structure if size.place is not None else None
    if lobe is not None and lobe != NODULE:
        text += f", in the {structure(lobe).name}"
    elif size.side is not None:
        text += f", in the {size.side.value} lung"
    return Line(f"{text}.", name, evidence)


def vertebra_lines(findings: Findings) -> Iterator[Line]:
    """Yield the wedged vertebral bodies, or that none is."""
    ratios = _of_each(findings, "vertebral_height_ratio", _LEVELS)
    wedged = {name: m for name, m in ratios.items() if value_of(m) < WEDGE_RATIO}
    for name, ratio in wedged.items():
        front, back = (findings.known(q, name) for q in ("anterior_height", "posterior_height"))
        if front is None or back is None:
            continue
        phrase = f"{_level(name)} wedged"
        text = (
            f"{phrase}: height {value_of(front):.0f} mm in front, {value_of(back):.0f} mm at the back, ratio "
            f"{value_of(ratio):.2f}: possible compression fracture."
        )
        yield Line(text, phrase, (ratio, front, back))
    if ratios and not wedged:
        phrase = "No wedging"
        low = min(value_of(m) for m in ratios.values())
        where = wording.listed(_runs(list(ratios)))
        text = f"{phrase} of {where} measured (anterior over posterior height at least {low:.2f})."
        yield Line(text, phrase, tuple(ratios.values()), Polarity.ABSENT)


def heights_told(findings: Findings) -> bool:
    """Tell whether the heights of any vertebral body are known."""
    return bool(_of_each(findings, "vertebral_height_ratio", _LEVELS))


def _runs(names: list[str]) -> list[str]:
    """Return measured levels in words, unbroken runs as 'T5 to T9': one that was not measured is not denied."""
    runs: list[list[str]] = []
    for name in names:
        if runs and _LEVELS.index(name) == _LEVELS.index(runs[-1][-1]) + 1:
            runs[-1].append(name)
        else:
            runs.append([name])
    return [_level(r[0]) if len(r) == 1 else f"{_level(r[0])} to {_level(r[-1])}" for r in runs]


def _level(name: str) -> str:
    return name.removeprefix("vertebrae_")


def _of_each(findings: Findings, quantity: str, names: tuple[str, ...]) -> dict[str, Measurement]:
    """Return the known measurements of a quantity by structure, in the order of `names`."""
    found = {name: findings.known(quantity, name) for name in names}
    return {name: m for name, m in found.items() if m is not None}
