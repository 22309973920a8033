"""The errors a caller acts on; each maps to one exit code of the command line.

Anything else that is raised is a defect of the program, not of its input.
"""


class RegionReportError(Exception):
    """Base of the errors that a door shows to its user as one line."""


class InputRefused(RegionReportError):
    """The input cannot be used; the message names the cause in one line."""


class NeedMissing(RegionReportError):
    """Something that this step needs (package, weights, memory) is absent; the message says what and how to get it."""


class Cancelled(RegionReportError):
    """The user stopped the work."""


class Conflict(RegionReportError):
    """The state of a report forbids the request, for example editing a signed one; nothing was changed."""
