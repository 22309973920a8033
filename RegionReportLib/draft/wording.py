"""How numbers and places read in a report: rounded to what they are worth, with a true minus and their unit."""

from __future__ import annotations

from math import floor, log10


def significant(value: float, digits: int = 2) -> str:
    """Return a number with so many significant digits, never in exponent form: 84.3 → 84, 1234 → 1200, 0.46 → 0.46."""
    if value == 0:
        return "0"
    places = digits - 1 - floor(log10(abs(value)))
    rounded = round(value, places)
    # Rounding up may add a digit (9.96 → 10.0): decide the decimals by the rounded number.
    places = digits - 1 - floor(log10(abs(rounded)))
    return f"{rounded:.{max(places, 0)}f}"


def volume(ml: float) -> str:
    """Return a volume: litres with one decimal from one litre on, else millilitres."""
    return f"{ml / 1000:.1f} L" if ml >= 995 else f"{significant(ml)} mL"


def density(hu: float) -> str:
    """Return a density in whole HU with a true minus."""
    return f"{round(hu):d} HU".replace("-", "−")


def percent(value: float) -> str:
    """Return a share in whole percent, one decimal below one."""
    return f"{value:.1f} %" if value < 0.95 else f"{value:.0f} %"


def millimetres(value: float) -> str:
    """Return a length in whole millimetres."""
    return f"{value:.0f} mm"


def listed(parts: list[str]) -> str:
    """Return parts joined as a sentence does: 'a, b and c'."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)
