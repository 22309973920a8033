"""What a review needs from whatever shows the scan; each door brings its own."""

from __future__ import annotations

from typing import Protocol

from .highlight import Highlight


class Viewer(Protocol):
    """Shows a scan with its regions and lets places stand out. The voxels of the scan are never read for that."""

    def point_at(self, highlight: Highlight) -> tuple[str, ...]:
        """Bring a place into view; return in words what of it could not be shown, nothing if all was.

        Raises RegionReportError if the place cannot be shown where it is; nothing is changed then.
        """

    def clear(self) -> None:
        """Put everything back as it was found before the first `point_at`."""
