"""Starting an addendum: a new draft about the same scan that names the signed report it adds to."""

from __future__ import annotations

import hashlib
from datetime import datetime, timezone
from pathlib import Path

from ..report.document import Report
from ..report.flags import Check
from ..report.signing import addendum
from ..report.store import create_draft


def begin_addendum(
    signed: Report, folder: Path, *, actor: str, at: datetime | None = None, check: Check | None = None
) -> Report:
    """Lay an addendum to a signed report down in the new `folder` and return it; it has no sentences yet.

    What else the folder of the signed report holds, such as its segmentation, is the caller's to copy. `at` is now if
    not given. Raises Conflict if the report is not signed, was changed since, or the folder holds a draft already.
    """
    moment = (at or datetime.now(timezone.utc)).astimezone(timezone.utc).isoformat(timespec="milliseconds")
    # An id that anybody can compute, as that of a draft.
    report_id = hashlib.sha256(f"addendum {signed.id} {moment}".encode()).hexdigest()[:16]
    return create_draft(folder, addendum(signed, report_id, moment), actor=actor, check=check)
