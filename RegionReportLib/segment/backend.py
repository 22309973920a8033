"""What every segmenter offers, so that a draft does not care which one made its masks."""

from __future__ import annotations

from typing import Protocol

from ..imaging.masks import RegionMasks
from ..imaging.volume import Volume
from ..progress import Work


class Segmenter(Protocol):
    """Makes the region masks of a chest CT; `name` is what a user chooses it by."""

    @property
    def name(self) -> str:
        """The name on the command line and in the report."""

    def check(self) -> None:
        """Raise NeedMissing if something that it needs is not on this machine."""

    def segment(self, volume: Volume) -> Work[RegionMasks]:
        """Return masks on the volume's own grid; InputRefused if the scan is not a chest CT."""
