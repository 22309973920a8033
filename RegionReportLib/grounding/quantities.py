"""Numbers with units in the words of a sentence, and sizes that lack a unit.

What a number is a size of is decided in `mentions` and `contradictions`.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass

from .lexicon import Hit, Token

_NUMBER = r"\d{1,6}(?:[.,]\d{1,4})?"
_UNIT = (
    r"(?:mm3|mm³|mm\^3|cm3|cm³|cm\^3|mm2|mm²|cm2|cm²|mm|cm|mL|ml|ML|cc|HU|hu|Hu|%|percent|millimet(?:re|er)s?"
    r"|centimet(?:re|er)s?|millilit(?:re|er)s?|lit(?:re|er)s?|degrees?|°|[Ll](?![A-Za-z0-9-])|kg|g|kV|mAs)"
    r"(?![a-wyzA-WYZ])"
)
# "26 and 18 mm" share a unit, "310 mL and 2.7 L" do not.
# At most three numbers are read together, so the pattern cannot backtrack over a long text.
_SIZE = re.compile(
    rf"(?<![\w.,])[-−]?({_NUMBER})(?:[ ]?({_UNIT}))?"
    rf"(?:[ ]?([x×*])[ ]?({_NUMBER})(?:[ ]?({_UNIT}))?)?"
    rf"(?:(?:[ ]?([x×*–/-])[ ]?|(?(2)(?!)|[ ](?:and|or|to)[ ]))({_NUMBER})(?:[ ]?({_UNIT}))?)?"
)
_NAMES = {
    "millimeter": "mm",
    "millimetre": "mm",
    "centimeter": "cm",
    "centimetre": "cm",
    "milliliter": "mL",
    "millilitre": "mL",
    "liter": "L",
    "litre": "L",
    "l": "L",
    "ml": "mL",
    "cc": "mL",
    "hu": "HU",
    "percent": "%",
    "mm³": "mm3",
    "mm^3": "mm3",
    "cm³": "cm3",
    "cm^3": "cm3",
    "mm²": "mm2",
    "cm²": "cm2",
    "°": "deg",
    "degree": "deg",
}
_BOUND = re.compile(
    r"(?:[<>≤≥≈]|\b(?:below|above|under|over|than|least|most|exceeding|beyond|limit|threshold"
    r"|cut-?off(?: for [A-Za-z0-9]{1,8})?))[ ]?[-−]?\Z",
    re.I,
)
_FLOOR = re.compile(r"\bat least[ ]?[-−]?\Z", re.I)
# How many of the report's own unit make one of these: lengths to mm, volumes to mL.
_SCALE = {"mm": ("mm", 1.0), "cm": ("mm", 10.0), "mL": ("mL", 1.0), "L": ("mL", 1000.0), "cm3": ("mL", 1.0)}


@dataclass(frozen=True, slots=True)
class Quantity:
    """The numbers of one expression ("58 × 41 mm") and their unit as written, None where none is written.

    `is_size` tells that the words around or the form "a × b" make it a size, which needs a unit; `is_product` that
    form alone. `is_bound` tells that it is a limit ("below −950 HU", "< 10 mL"), not a value; `is_floor` that it is
    the least there is ("at least 310 mL").
    """

    values: tuple[float, ...]
    unit: str | None
    start: int
    stop: int
    is_size: bool
    is_product: bool = False
    is_bound: bool = False
    is_floor: bool = False
    decimals: int = 0

    @property
    def step(self) -> float:
        """One unit in the last written place, in the unit of `scaled`: 100 for a value given as 2.7 L."""
        return float(10.0**-self.decimals) * _SCALE.get(self.unit or "", ("", 1.0))[1]

    def scaled(self) -> tuple[tuple[float, ...], str | None]:
        """Return the values in mm or mL where the unit is a length or volume, else as they stand."""
        unit, factor = _SCALE.get(self.unit or "", (self.unit, 1.0))
        return tuple(v * factor for v in self.values), unit


def quantities_in(text: str, tokens: tuple[Token, ...], sizes: list[Hit], bare: list[Hit]) -> tuple[Quantity, ...]:
    """Return the numbers of a sentence but for plain counts.

    `sizes` are the words that ask for a unit ("diameter"), `bare` those that forbid one ("image", "ratio").
    """
    starts = [t.start for t in tokens]
    size_ends, bare_ends = [h.last for h in sizes], [h.last for h in bare]
    found = []
    for match in _SIZE.finditer(text):
        if text[match.end() : match.end() + 1].isalpha():  # an ordinal or "3D": not a quantity
            continue
        number = bisect_left(starts, match.start())
        governed = _within(size_ends, number - 3, number) and not _within(bare_ends, number - 3, number + 1)
        is_count = not governed and match.group().isdigit()  # or an image number: nothing to compare
        if not is_count:
            found.append(_quantity(match, governed))
    return tuple(found)


def _quantity(match: re.Match[str], governed: bool) -> Quantity:
    sign = -1.0 if match.group().startswith(("-", "−")) else 1.0
    first, *others = (float(n.replace(",", ".")) for n in match.group(1, 4, 7) if n)
    values = (sign * first, *others)
    decimals = len(re.split("[.,]", match.group(1) + ".")[1])
    unit = next((u for u in match.group(8, 5, 2) if u), None)
    product = match.group(3) is not None or (match.group(6) or "-") in "x×*"
    before = (match.string, max(0, match.start() - 24), match.start())
    bound, floor = (pattern.search(*before) is not None for pattern in (_BOUND, _FLOOR))
    return Quantity(values, _unit(unit), *match.span(), product or governed, product, bound, floor, decimals)


def _within(ends: list[int], low: int, high: int) -> bool:
    """Tell whether a sorted list holds a number from `low` to `high`."""
    at = bisect_left(ends, low)
    return at < len(ends) and ends[at] <= high


def _unit(written: str | None) -> str | None:
    if written is None:
        return None
    plain = written.lower()
    if len(plain) > 4:
        plain = plain.rstrip("s")
    return _NAMES.get(plain, plain)
