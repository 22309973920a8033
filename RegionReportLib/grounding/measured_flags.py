"""Contradictions between the words of a sentence and what was measured: sizes, and denials of what is there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ..anatomy.regions import Side
from ..report.measurement import Measurement
from ..report.sentence import Flag, FlagKind, Polarity, Sentence
from .mentions import Mentions
from .polarity import NamedFinding
from .quantities import Quantity

# A written size may differ from the measured one by so much, or by one unit of its last written place if that is more:
# about what two readers differ by on a sharp border, and less than any error worth stopping for.
SIZE_TOLERANCE = 0.05


@dataclass(frozen=True, slots=True)
class Presence:
    """From where on a measured value says that something is there: above `limit`, or below it."""

    limit: float
    below: bool = False

    def holds(self, value: float) -> bool:
        """Tell whether a value speaks for presence."""
        return value < self.limit if self.below else value > self.limit


# Volumes: what a mask's rim or noise can reach is not called present.
# Emphysema: at least 5 % of the lung at or below −950 HU (Amaza IP et al., Int J COPD 2021;16:1231).
# Heart: Gollub MJ et al., J Comput Assist Tomogr 2012;36:67. Steatosis: Kodama Y et al., AJR 2007;188:1307.
# Liver minus spleen: Limanond P et al., Radiology 2004;230:276. Bone: Pickhardt PJ et al., Ann Intern Med 2013;158:588.
# Vertebra: a moderate deformity (Genant HK et al., J Bone Miner Res 1993;8:1137); less is not told from a normal wedge.
PRESENT: dict[str, Presence] = {
    "fluid_volume": Presence(10.0),
    "extrapulmonary_air_volume": Presence(10.0),
    "dense_volume": Presence(20.0),
    "dense_component_volume": Presence(20.0),
    "low_attenuation_fraction": Presence(5.0),
    "calcium_volume": Presence(10.0),
    "cardiothoracic_ratio": Presence(0.50),
    "liver_density": Presence(40.0, below=True),
    "trabecular_density": Presence(110.0, below=True),
    "liver_spleen_difference": Presence(-10.0, below=True),
    "vertebral_height_ratio": Presence(0.75, below=True),
}
# A vessel is wide by its own limit: ascending aorta (ESC guideline, Eur Heart J 2014;35:2873), pulmonary artery
# (Truong QA et al., Circ Cardiovasc Imaging 2012;5:147), both in mm.
WIDE_MM = {"aorta": 40.0, "pulmonary_artery": 29.0}

# Where these are low, the finding is not there; the others can be low beside a small or early finding.
_ABSENT_BELOW = {
    "fluid_volume": 10.0,
    "extrapulmonary_air_volume": 10.0,
    "cardiothoracic_ratio": 0.50,
    "calcium_volume": 1.0,
}
_DIMENSIONS = {"mm": "mm", "mL": "mL", "HU": "HU", "%": "%", "mm3": "mm3", "deg": "deg"}


def measured_flags(sentence: Sentence, mentions: Mentions, measurements: Iterable[Measurement]) -> Iterator[Flag]:
    """Yield where the words of a sentence and the measurements of its place disagree."""
    known = [m for m in measurements if m.value is not None]
    yield from _sizes(sentence, mentions, known)
    for finding in mentions.findings:
        if finding.polarity is Polarity.ABSENT and finding.denies:
            yield from _denials(sentence, mentions, finding, known)
        elif finding.polarity is Polarity.PRESENT and finding.denies:
            yield from _inventions(sentence, mentions, finding, known)


def _denials(sentence: Sentence, mentions: Mentions, finding: NamedFinding, known: list[Measurement]) -> Iterator[Flag]:
    regions = set(mentions.regions) or set(sentence.regions)
    sides = _sides_of(finding, mentions)
    for m in known:
        if m.quantity not in finding.denies or m.region_id not in regions or m.zone is not None:
            continue
        if (sides and m.side is not None and m.side not in sides) or not _present(m, mentions):
            continue
        words = sentence.text[finding.start : finding.stop]
        message = f"The text denies “{words}”, measured: {described(m)}."
        yield Flag(FlagKind.NEGATION, message, measurement_ids=(m.id,))


def _inventions(
    sentence: Sentence, mentions: Mentions, finding: NamedFinding, known: list[Measurement]
) -> Iterator[Flag]:
    """Yield where a finding is stated that every measurement of it there speaks against; a reminder, not a bar."""
    sides = _sides_of(finding, mentions)
    against = [
        m
        for m in known
        if m.quantity in _ABSENT_BELOW
        and m.quantity in finding.denies
        and m.region_id in mentions.regions[:1]
        and m.zone is None
        and (not sides or m.side is None or m.side in sides)
    ]
    if against and all((m.value or 0.0) < _ABSENT_BELOW[m.quantity] for m in against):
        words = sentence.text[finding.start : finding.stop]
        message = f"The text states “{words}”, measured: {', '.join(described(m) for m in against)}."
        yield Flag(FlagKind.NEGATION, message, blocking=False, measurement_ids=tuple(m.id for m in against))


def _present(m: Measurement, mentions: Mentions) -> bool:
    assert m.value is not None
    if m.quantity == "transverse_diameter":
        limit = WIDE_MM.get(m.structure or "")
        return limit is not None and m.value > limit and any(p.structure == m.structure for p in mentions.places)
    if m.quantity == "count":
        return m.structure == "lung_nodule" and m.value > 0
    presence = PRESENT.get(m.quantity)
    return presence is not None and presence.holds(m.value)


def _sides_of(finding: NamedFinding, mentions: Mentions) -> set[Side]:
    """Return the sides of the place word that the finding overlaps, else all sides of the sentence."""
    own = {s for p in mentions.places if p.start < finding.stop and finding.start < p.stop for s in p.sides}
    return own or set(mentions.sides)


def _sizes(sentence: Sentence, mentions: Mentions, known: list[Measurement]) -> Iterator[Flag]:
    cited = [m for m in known if m.id in sentence.evidence]
    about = cited or _of_its_place(sentence, mentions, known)
    for quantity in mentions.quantities:
        if quantity.is_bound and not quantity.is_floor:
            continue
        values, unit = quantity.scaled()
        if unit is None:
            yield from _ratio(sentence, quantity, about)
            continue
        candidates = [m for m in about if m.unit == _DIMENSIONS.get(unit)]
        if not candidates:
            continue
        # Of "58 × 41 × 47 mm" only the longest is measured; the others have nothing to be compared with.
        for value in (max(values),) if quantity.is_product and not _all_measured(values, candidates) else values:
            # What a sentence cites it must quote; "at least" without a citation must only not claim more.
            fits = _within if quantity.is_floor and not cited else _same
            if not any(fits(value, m, quantity) for m in candidates):
                yield _size_flag(sentence, quantity, value, candidates)


def _all_measured(values: tuple[float, ...], candidates: list[Measurement]) -> bool:
    return len(candidates) >= len(values)


def _ratio(sentence: Sentence, quantity: Quantity, about: list[Measurement]) -> Iterator[Flag]:
    """Compare a number without a unit with the ratios, if it is written as one (with decimals)."""
    ratios = [m for m in about if m.unit == "1" and m.quantity != "count"]
    if quantity.decimals == 0 or quantity.is_product or not ratios:
        return
    if not any(_same(quantity.values[0], m, quantity) for m in ratios):
        yield _size_flag(sentence, quantity, quantity.values[0], ratios)


def _of_its_place(sentence: Sentence, mentions: Mentions, known: list[Measurement]) -> list[Measurement]:
    """Return the measurements of what a sentence without evidence says is present, at the places it is tied to."""
    wanted = {q for f in mentions.findings if f.polarity is not Polarity.ABSENT for q in f.denies}
    wanted |= {q for words, q in _BY_WORDS if any(w in sentence.text.lower() for w in words)}
    sides = set(mentions.sides) or {a.place.side for a in sentence.anchors if a.place.side}
    regions = set(sentence.regions) | {a.place.region_id for a in sentence.anchors}
    structures = {p.structure for p in mentions.places}
    found = [
        m
        for m in known
        if m.quantity in wanted
        and m.region_id in regions
        and (not sides or m.side is None or m.side in sides)
        and (m.quantity != "transverse_diameter" or m.structure in structures)
    ]
    # "The right lung volume is 5 L" must not be taken for that of both.
    one_sided = {m.quantity for m in found if m.side} if len(sides) == 1 else set()
    return [m for m in found if m.side or m.quantity not in one_sided]


_BY_WORDS = (
    (("cardiothoracic", "cto", "ctr"), "cardiothoracic_ratio"),
    (("lung volume",), "volume"),
    (("diameter", "calib", "width"), "transverse_diameter"),
    (("liver density", "density of the liver"), "liver_density"),
    (("carina",), "carina_angle"),
)


def _same(value: float, m: Measurement, quantity: Quantity) -> bool:
    assert m.value is not None
    return abs(value - m.value) <= max(SIZE_TOLERANCE * abs(m.value), quantity.step)


def _within(value: float, m: Measurement, quantity: Quantity) -> bool:
    assert m.value is not None
    return value <= m.value or _same(value, m, quantity)


def _size_flag(sentence: Sentence, quantity: Quantity, value: float, candidates: list[Measurement]) -> Flag:
    nearest = min(candidates, key=lambda m: abs((m.value or 0.0) - value))
    words = sentence.text[quantity.start : quantity.stop].strip()
    message = f"The text says “{words}”, measured: {described(nearest)}."
    return Flag(FlagKind.SIZE, message, measurement_ids=(nearest.id,))


def described(m: Measurement) -> str:
    """Return a measurement in words: 'fluid volume right 310 mL'."""
    where = [m.structure.replace("_", " ") if m.structure else "", m.side.value if m.side and not m.structure else ""]
    unit = "" if m.unit == "1" else f" {m.unit}"
    number = f"{m.value:.3g}" if abs(m.value or 0.0) < 999.5 else f"{m.value:.0f}"  # never 2.34e+03
    return " ".join(w for w in (m.quantity.replace("_", " "), *where, f"{number}{unit}") if w)
