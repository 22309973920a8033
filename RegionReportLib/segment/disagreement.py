"""Do the lungs of given or learned masks agree with those that density and shape alone find?

A scan whose sides are swapped by its header, or masks of another scan, look plausible one by one; beside each other
they do not. The check warns, it never changes a mask.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..anatomy.regions import Side, region
from ..imaging.masks import RegionMasks
from ..imaging.resample import blocks, nearest
from ..imaging.volume import Volume
from ..progress import Progress, Work, part
from .airways import airways
from .classical import around_body, working
from .lungs import lungs
from .spine import spine
from .working import SPACING_MM, Mask

LEAST_DICE = 0.8
"""The built-in lungs reach 0.98 on scans with aerated lungs; a lung that is all fluid or consolidated is missed by the
comparison, which therefore looks at the aerated part only, and 0.8 leaves room for large pleural findings."""
MOST_OUTSIDE = 0.05
"""Lungs lie behind the chest wall; what is left of them on the coarse grid differs by a percent or two."""
SWAP_MARGIN = 0.3
"""Sides are swapped if the wrong pairing fits by this much better; in true anatomy it fits not at all."""


@dataclass(frozen=True, slots=True)
class Disagreement:
    """Dice of each lung with the built-in one, None where one of them is missing, and whether the sides are swapped.

    `outside` is the share of both lungs' masks that lies outside the body.
    """

    dice: dict[Side, float | None]
    swapped: bool
    outside: float

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a reader should be told, empty if all agrees."""
        if self.swapped:
            return (
                "Right and left lung of the masks lie the other way round than in the scan: one of the two is "
                "mirrored. Check the side of every finding.",
            )
        if self.outside > MOST_OUTSIDE:
            return (
                f"{self.outside:.0%} of the lung masks lie outside the body: they are of another scan or damaged. "
                "What is measured within them, air above all, is not to be trusted.",
            )
        low = {side: value for side, value in self.dice.items() if value is not None and value < LEAST_DICE}
        return tuple(
            f"The {side.value} lung of the masks lies where the scan shows none (Dice {value:.2f}): check them."
            for side, value in low.items()
        )


def disagreement(volume: Volume, masks: RegionMasks) -> Work[Disagreement]:
    """Compare the lungs of `masks` with the built-in ones, where the scan holds air; on the coarse working grid.

    Raises InputRefused if the built-in method finds no lungs: the scan is no chest CT.
    """
    small = yield from part(blocks(volume, SPACING_MM), 0.0, 0.4)
    scan, trunk = around_body(working(small))
    yield Progress(0.5, "finding the lungs again, without the masks")
    line = spine(scan, trunk)
    tree = airways(scan, trunk, line)
    yield Progress(0.7, "finding the lungs again, without the masks")
    pair = lungs(scan, trunk, tree.trachea | tree.bronchi, line)
    yield Progress(0.9, "comparing the lungs")
    labels = nearest(masks.labels, volume.grid, scan.grid)
    given = {side: np.isin(labels, masks.values(_of(masks, side))) for side in Side}
    built_in = {Side.RIGHT: pair.right, Side.LEFT: pair.left}
    aerated = pair.right | pair.left
    dice = {side: _dice(given[side] & aerated, built_in[side]) for side in Side}
    crossed = {side: _dice(given[side] & aerated, built_in[other]) for side, other in _OTHER.items()}
    inside_ml = float(((given[Side.RIGHT] | given[Side.LEFT]) & trunk).sum()) * scan.voxel_ml
    values = [value for side in Side for value in masks.values(_of(masks, side))]
    all_ml = float(np.isin(masks.labels, values).sum()) * volume.grid.voxel_ml
    outside = max(0.0, 1 - inside_ml / all_ml) if all_ml else 0.0
    return Disagreement(dice, _mean(crossed) > _mean(dice) + SWAP_MARGIN, outside)


_OTHER = {Side.RIGHT: Side.LEFT, Side.LEFT: Side.RIGHT}


def _of(masks: RegionMasks, side: Side) -> list[str]:
    return [s.id for s in region("lungs").structures if s.side is side and s.id in masks.structures]


def _dice(one: Mask, other: Mask) -> float | None:
    total = int(one.sum()) + int(other.sum())
    return None if not one.any() or not other.any() else 2 * int((one & other).sum()) / total


def _mean(values: dict[Side, float | None]) -> float:
    known = [value for value in values.values() if value is not None]
    return sum(known) / len(known) if known else 0.0
