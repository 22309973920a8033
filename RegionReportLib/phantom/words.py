"""What the names in a phrase stand for in one lesion, and a note of which of them were said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..anatomy.regions import Side, Zone
from ..report.sentence import Polarity
from .grammar import one_of
from .kinds import FindingKind
from .lesions import Lesion

# From which size on a finding is moderate and severe (large), in the unit of its size; effusions go by volume in mL.
GRADES: dict[FindingKind, tuple[float, float]] = {
    FindingKind.EFFUSION: (200, 600),
    FindingKind.PNEUMOTHORAX: (200, 600),
    FindingKind.ATELECTASIS: (50, 120),
    FindingKind.EMPHYSEMA: (10, 22),
    FindingKind.CARDIOMEGALY: (0.55, 0.60),
    FindingKind.CORONARY_CALCIUM: (100, 400),
    FindingKind.AORTIC_CALCIUM: (150, 700),
    FindingKind.STEATOSIS: (25, 10),
    FindingKind.MOSAIC: (25, 42),
    FindingKind.PERIBRONCHIAL: (2.0, 2.9),
    FindingKind.BRONCHIECTASIS: (6.5, 10),
    FindingKind.SEPTAL: (1.2, 1.7),
    FindingKind.PERICARDIAL_EFFUSION: (10, 20),
    FindingKind.HIATAL_HERNIA: (35, 55),
}
_AMOUNTS, _DEGREES = ("small", "moderate", "large"), ("mild", "moderate", "severe")
_ADVERBS = ("mildly", "moderately", "markedly")


@dataclass(frozen=True, slots=True)
class Claim:
    """What a sentence says of one finding, as said: None or empty where it is silent.

    `sides` are the sides named, both for "both lungs"; `zone` and `lobe` the part of the lung; `lesions` the numbers of
    the lesions meant, none for an absence. A hedged claim has the polarity UNCERTAIN; what it speaks of is there.
    """

    kind: FindingKind
    polarity: Polarity
    sides: tuple[Side, ...] = ()
    zone: Zone | None = None
    lobe: str = ""
    size_mm: float | None = None
    volume_ml: float | None = None
    lesions: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Company:
    """What a phrase may say beyond its lesion: how many of the kind there are, and the side with more of it."""

    count: int = 1
    larger: Side | None = None


_COUNTS = {2: "two", 3: "three", 4: "four", 5: "five"}


class Words(dict[str, str]):
    """The words for one lesion; asking for a word notes what it says, see `claim`."""

    def __init__(self, lesion: Lesion, rng: np.random.Generator, company: Company = Company()) -> None:
        super().__init__()
        self._lesion, self._planted, self._rng, self._company = lesion, lesion.planted, rng, company
        self._said: dict[str, object] = {}

    def __missing__(self, name: str) -> str:
        maker: Callable[[], str] = getattr(self, f"_{name}_words")
        self[name] = maker()
        return self[name]

    def claim(self, polarity: Polarity, lesions: tuple[int, ...]) -> Claim:
        """Return what the words asked for so far say."""
        said = self._said
        return Claim(self._planted.kind, polarity, lesions=lesions, **said)  # type: ignore[arg-type]

    def _grade(self) -> int:
        p = self._planted
        low, high = GRADES[p.kind]
        value = self._lesion.volume_ml if p.unit == "mL" else p.size
        steps = (value >= low, value >= high) if high > low else (value <= low, value <= high)
        return sum(steps)

    def _size_words(self) -> str:
        size = max(1, round(self._planted.size))
        self._said["size_mm"] = float(size)
        return f"{size / 10:.1f} cm" if size >= 10 and self._rng.random() < 0.3 else f"{size} mm"

    def _ml_words(self) -> str:
        ml = self._lesion.volume_ml
        ml = max(1, round(ml, -1 if ml > 100 else 0))
        self._said["volume_ml"] = float(ml)
        return f"{ml:.0f} mL"

    def _side_words(self) -> str:
        p = self._planted
        side = Side(p.lobe) if p.kind is FindingKind.LIVER_CYST else p.side
        assert side is not None
        self._said["sides"] = (side,)
        return side.value

    def _zone_words(self) -> str:
        assert self._planted.zone is not None
        self._said["zone"] = self._planted.zone
        return self._planted.zone.value

    def _lobe_words(self) -> str:
        self._said["lobe"] = self._planted.lobe
        return self._planted.lobe

    def _place_words(self) -> str:
        if self._planted.side is None:
            self._said["sides"] = tuple(Side)
            return one_of(("both lungs", "the right and left lung"), self._rng)
        side = self._side_words()
        lobe = bool(self._planted.lobe) and self._rng.random() < 0.55
        if not lobe and self._planted.zone is None:
            return f"the {side} lung"
        if lobe:
            part = self._lobe_words()
            return one_of((f"the {side} {part} lobe", f"the {part} lobe of the {side} lung"), self._rng)
        part = self._zone_words()
        forms = (f"the {part} zone of the {side} lung", f"the {side} {part} zone", f"the {side} {part} lung zone")
        return one_of(forms, self._rng)

    def _shows_words(self) -> str:
        return "show" if self._planted.side is None else "shows"

    def _both_words(self) -> str:
        return one_of(("both lungs", "the lungs"), self._rng)

    def _uppers_words(self) -> str:
        self._said["zone"] = Zone.UPPER
        return one_of(("the upper zones", "the upper lobes", "the apices"), self._rng)

    def _bases_words(self) -> str:
        self._said["zone"] = Zone.LOWER
        return one_of(("the bases", "the lung bases", "the lower zones"), self._rng)

    def _larger_words(self) -> str:
        assert self._company.larger is not None
        return self._company.larger.value

    def _count_words(self) -> str:
        return _COUNTS.get(self._company.count, "several")

    def _variety_words(self) -> str:
        return self._planted.variety or "solid"

    def _amount_words(self) -> str:
        return _AMOUNTS[self._grade()]

    def _severity_words(self) -> str:
        return _DEGREES[self._grade()]

    def _severely_words(self) -> str:
        return _ADVERBS[self._grade()]

    def _site_words(self) -> str:
        return self._planted.lobe

    def _level_words(self) -> str:
        return self._planted.lobe

    def _percent_words(self) -> str:
        return f"{self._planted.size:.0f} %"

    def _ratio_words(self) -> str:
        return f"{self._planted.size:.2f}"

    def _hu_words(self) -> str:
        return f"{self._planted.size:.0f} HU"

    def _mm3_words(self) -> str:
        return f"{self._planted.size:.0f} mm³"

    def _pieces_words(self) -> str:
        return f"{self._planted.size:.0f}"
