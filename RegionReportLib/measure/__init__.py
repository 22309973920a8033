"""Numbers from a scan and its region masks: the evidence that sentences rest on."""

from .examine import measure

__all__ = ["measure"]
