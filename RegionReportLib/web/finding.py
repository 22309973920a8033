"""The place of a sentence found by its words in the worker, as a page asks for it."""

from __future__ import annotations

from collections.abc import Callable

from ..errors import InputRefused
from ..grounding.found import Found
from ..report.json_form import anchor_from_dict
from ..review.session import Session
from ..worker.client import Told, WorkerClient
from ..worker.doing import do_job
from ..worker.messages import FindPlaces, PlacesFound, ScanFile
from .acts import Message, text_of
from .drafting import in_steps
from .reading import Source
from .uploads import new_name


def sentence_wished(message: Message) -> str:
    """Return the id of the sentence that a page asks about; InputRefused if it names none."""
    sentence_id = text_of(message, "id", 200)
    if not sentence_id:
        raise InputRefused("choose a sentence first; its words are looked for in the scan")
    return sentence_id


async def found_places(
    client: WorkerClient, session: Session, source: Source, sentence_id: str, hear: Callable[[Told], None]
) -> tuple[Found, ...]:
    """Let the worker look for what a sentence says and return what was found; the report stays as it is.

    Raises RegionReportError with the worker's reason. Whoever cancels this ends the job.
    """
    scan = ScanFile(str(source.scan), source.series)
    job = FindPlaces(new_name("find-places"), str(session.draft.folder), (sentence_id,), scan)
    made = await in_steps(do_job(client, job, hear))
    assert isinstance(made, PlacesFound)  # each job has a result of its own kind
    return tuple(
        Found(one.sentence_id, one.phrase, tuple(anchor_from_dict(a) for a in one.anchors), one.words)
        for one in made.found
    )
