"""What a reader sets for all pages of a server: how places are brought into view, and which CT windows are offered."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any

from ..errors import InputRefused
from ..scene.pointing import Jump, Manner
from .acts import Message, number_of

PRESETS = (
    ("Lung", 1500, -600),
    ("Soft tissue", 400, 40),
    ("Bone", 1500, 400),
    ("Abdomen", 350, 50),
    ("Vessels", 600, 200),
)
"""Name, width and level in HU; those of the regions, and one for contrast-filled vessels."""
_WIDTHS, _LEVELS = (1.0, 10_000.0), (-2000.0, 5000.0)


@dataclass(frozen=True, slots=True)
class Settings:
    """How places are brought into view, in the words of the Slicer module."""

    follow_window: bool = True
    center: bool = False
    turn_3d: bool = True

    @property
    def manner(self) -> Manner:
        """The same as the viewer of a scene takes it."""
        jump = Jump.CENTER if self.center else Jump.CENTER_IF_HIDDEN
        return Manner(jump, follow_window=self.follow_window, turn_3d=self.turn_3d)

    def state(self) -> dict[str, Any]:
        """Return what a page shows of the settings."""
        return {**asdict(self), "presets": [{"name": n, "width": w, "level": c} for n, w, c in PRESETS]}


def settings_of(message: Message) -> Settings:
    """Return the settings that a page sent; InputRefused if they are none."""
    values = {field.name: message.get(field.name) for field in fields(Settings)}
    if not all(isinstance(value, bool) for value in values.values()):
        raise InputRefused("settings are on or off")
    return Settings(**values)  # type: ignore[arg-type]


def window_of(message: Message) -> tuple[float, float]:
    """Return the CT window, width and level in HU, that a page sent; InputRefused if it is out of reason."""
    window = number_of(message, "width"), number_of(message, "level")
    for value, (low, high), name in zip(window, (_WIDTHS, _LEVELS), ("width", "level"), strict=True):
        if not low <= value <= high:
            raise InputRefused(f"the {name} of a window lies between {low:.0f} and {high:.0f} HU, got {value:.0f}")
    return window
