"""What phantom to make: seed, findings, scan geometry and technique, as plain frozen values.

A recipe and the version of the program give the same case again; nothing here draws anatomy.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import Enum

import numpy as np

from ..anatomy.regions import Side, Zone
from .kinds import FIRST_KINDS, REPEATABLE, SIDED, SIZES, VARIETIES, ZONED, FindingKind

__all__ = [
    "SIDED",
    "SIZES",
    "ZONED",
    "Arms",
    "Contrast",
    "Detail",
    "Finding",
    "FindingKind",
    "Kernel",
    "Recipe",
    "Scan",
]


class Contrast(str, Enum):
    """The contrast phase of the scan."""

    NONE = "none"
    ARTERIAL = "arterial"
    VENOUS = "venous"


class Kernel(str, Enum):
    """The reconstruction kernel: sharp keeps edges and noise, soft smooths both."""

    SOFT = "soft"
    SHARP = "sharp"


class Arms(str, Enum):
    """Where the arms lie; `AWAY` leaves them out of the picture above the shoulders."""

    UP = "up"
    DOWN = "down"
    AWAY = "away"


class Detail(str, Enum):
    """How finely a case is painted: `COARSE` is several times faster and good for voxels of 3 mm or so."""

    FULL = "full"
    COARSE = "coarse"


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding to be planted; None leaves the choice to the seed. `size` has the unit of `SIZES[kind]`.

    Raises ValueError for a size out of range, or a side, zone or variety for a finding that has none such.
    """

    kind: FindingKind
    size: float | None = None
    side: Side | None = None
    zone: Zone | None = None
    variety: str | None = None

    def __post_init__(self) -> None:
        unit, low, high = SIZES[self.kind]
        if self.size is not None and not low <= self.size <= high:
            raise ValueError(f"size of {self.kind.value} must lie in {low:g}..{high:g} {unit}, got {self.size}")
        if self.side is not None and self.kind not in SIDED:
            raise ValueError(f"{self.kind.value} takes no side, got {self.side.value}")
        if self.zone is not None and self.kind not in ZONED:
            raise ValueError(f"{self.kind.value} takes no zone, got {self.zone.value}")
        if self.variety is not None and self.variety not in VARIETIES.get(self.kind, ()):
            known = ", ".join(VARIETIES.get(self.kind, ())) or "none"
            raise ValueError(f"varieties of {self.kind.value} are {known}, got {self.variety!r}")


@dataclass(frozen=True, slots=True)
class Scan:
    """Geometry of the scan.

    `rows` voxels in plane over `fov_mm` (None: fits the body), slices every `step_mm`, each `thickness_mm` thick
    (None: as the step). `slices` None covers from `above_mm` over the lung apex to `below_mm` under the lowest lung;
    negative values cut the lungs. With `fit` the given `slices` are spread over that cover, whatever the step.
    `orientation` names the directions of increasing i, j, k, as nibabel does
    ("LPS", "RAS", "LAS" …; a left-handed choice is allowed); `tilt_deg` turns the grid about x, y, z.
    """

    rows: int = 256
    fov_mm: float | None = None
    step_mm: float = 2.0
    thickness_mm: float | None = None
    slices: int | None = None
    above_mm: float = 20.0
    below_mm: float = 25.0
    orientation: str = "LPS"
    tilt_deg: tuple[float, float, float] = (0.0, 0.0, 0.0)
    circle: bool = False
    fit: bool = False

    def __post_init__(self) -> None:
        axes = "".join(sorted("x" if c in "LR" else "y" if c in "AP" else "z" for c in self.orientation))
        if len(self.orientation) != 3 or set(self.orientation) - set("LRAPSI") or axes != "xyz":
            raise ValueError(f"orientation must name each axis once, such as 'LPS', got {self.orientation!r}")
        if not 16 <= self.rows <= 1024:
            raise ValueError(f"rows must lie in 16..1024, got {self.rows}")
        _within("fov_mm", self.fov_mm, 120, 700)
        _within("step_mm", self.step_mm, 0.3, 10)
        _within("thickness_mm", self.thickness_mm, 0.3, 10)
        if self.fit and self.slices is None:
            raise ValueError("fit spreads a number of slices over the chest, so slices must be given")
        if self.slices is not None and not 8 <= self.slices <= 2000:
            raise ValueError(f"slices must lie in 8..2000, got {self.slices}")
        for angle in self.tilt_deg:
            _within("tilt_deg", angle, -45, 45)

    @property
    def slice_thickness_mm(self) -> float:
        """The thickness of a slice, which is the step unless it is given; with `fit` it is that of the grid."""
        return self.step_mm if self.thickness_mm is None else self.thickness_mm

    @classmethod
    def coarse(cls, shape_kji: tuple[int, int, int] = (96, 128, 128)) -> Scan:
        """Return the whole chest on few voxels, as models are trained on; the plane must be square."""
        slices, rows, columns = shape_kji
        if rows != columns:
            raise ValueError(f"the plane of a scan is square, got {rows} × {columns}")
        return cls(rows=rows, slices=slices, step_mm=3.5, fit=True)


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that a case is made from; the same recipe gives the same case.

    `noise_hu` is the standard deviation in soft tissue (0 for none). Raises ValueError for values out of range or a
    finding that a patient can have only once given twice.
    """

    seed: int
    findings: tuple[Finding, ...] = ()
    scan: Scan = field(default_factory=Scan)
    contrast: Contrast = Contrast.NONE
    kernel: Kernel = Kernel.SOFT
    noise_hu: float = 15.0
    arms: Arms = Arms.UP
    detail: Detail = Detail.FULL

    def __post_init__(self) -> None:
        if self.seed < 0:
            raise ValueError(f"seed must not be negative, got {self.seed}")
        _within("noise_hu", self.noise_hu, 0, 150)
        kinds = [f.kind for f in self.findings if f.kind not in REPEATABLE]
        for kind in set(kinds):
            if kinds.count(kind) > 1:
                raise ValueError(f"{kind.value} can be given once, got {kinds.count(kind)} times")

    @classmethod
    def random(cls, seed: int, scan: Scan | None = None) -> Recipe:
        """Draw a recipe: zero to four of the first twelve findings and a technique; `scan` None draws that too.

        `study.random_recipe` draws from all findings as often as they occur.
        """
        rng = np.random.default_rng([seed, 1])
        kinds = FIRST_KINDS
        chosen = rng.permutation(len(kinds))[: rng.integers(0, 5)]
        sharp = rng.random() < 0.4
        dose = rng.choice([1.0, 0.6, 0.25], p=[0.5, 0.3, 0.2])
        scan = _draw_scan(rng) if scan is None else scan
        return cls(
            seed=seed,
            findings=tuple(Finding(kinds[n]) for n in sorted(chosen)),
            scan=scan,
            contrast=Contrast(rng.choice(["none", "arterial", "venous"], p=[0.5, 0.2, 0.3])),
            kernel=Kernel.SHARP if sharp else Kernel.SOFT,
            # Noise goes with the inverse root of dose and slice thickness (Brooks & Di Chiro, Med Phys 1976).
            noise_hu=round(float((28 if sharp else 11) * math.sqrt(2.0 / (dose * scan.slice_thickness_mm))), 1),
            arms=Arms(rng.choice(["up", "down", "away"], p=[0.6, 0.15, 0.25])),
        )


def _draw_scan(rng: np.random.Generator) -> Scan:
    thickness = float(rng.choice([1.0, 1.25, 2.0, 2.5, 3.0, 5.0]))
    overlap = thickness >= 1.25 and rng.random() < 0.2
    return Scan(
        rows=256,
        step_mm=thickness * 0.8 if overlap else thickness,
        thickness_mm=thickness,
        above_mm=float(np.round(rng.uniform(8, 40))),
        below_mm=float(np.round(rng.uniform(8, 60))),
        orientation=str(rng.choice(["LPS", "RAS", "LAS"], p=[0.7, 0.2, 0.1])),
        circle=bool(rng.random() < 0.3),
    )


def _within(name: str, value: float | None, low: float, high: float) -> None:
    if value is not None and not low <= value <= high:
        raise ValueError(f"{name} must lie in {low:g}..{high:g}, got {value}")
