"""One region of the open report written anew by the worker, as a page asks for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..anatomy.regions import REGION_IDS
from ..draft.choose import DEVICES, WRITERS, cannot_redraft, title_of
from ..errors import InputRefused
from ..report.json_form import sentence_from_dict
from ..review.redraft import Rewritten, next_seed
from ..review.session import Session
from ..worker.client import Told, WorkerClient
from ..worker.doing import do_job
from ..worker.messages import Redraft, Redrafted, ScanFile
from .acts import Message, text_of
from .drafting import in_steps
from .reading import Source
from .uploads import new_name

_LONGEST = 1000


@dataclass(frozen=True, slots=True)
class RedraftWish:
    """Which region a page wants written anew and by whom; `model` None is the writer's usual one."""

    region_id: str
    writer: str
    model: str | None = None
    device: str = "auto"


def redraft_wish(message: Message) -> RedraftWish:
    """Return what a page asks for; InputRefused if it is nothing known or the writer cannot do it."""
    region_id, writer = text_of(message, "region", 60), text_of(message, "writer", 60)
    device = text_of(message, "device", 60) if message.get("device") else "auto"
    model = text_of(message, "model", _LONGEST).strip() if message.get("model") else ""
    for what, name, names in (
        ("region", region_id, REGION_IDS),
        ("writer", writer, WRITERS),
        ("device", device, DEVICES),
    ):
        if name not in names:
            raise InputRefused(f"there is no {what} {name!r:.60}; there are {', '.join(names)}")
    if not model and (reason := cannot_redraft(writer)):
        raise InputRefused(reason)
    return RedraftWish(region_id, writer, model or None, device)


def redrafters() -> list[dict[str, Any]]:
    """Return the writers that a page offers; `reason` says why one cannot write a region anew, empty if it can."""
    return [
        {
            "name": name,
            "title": title_of(name),
            "needs": kind.needs,
            "able": kind.by_region,
            "reason": cannot_redraft(name),
        }
        for name, kind in WRITERS.items()
    ]


async def rewritten(
    client: WorkerClient, session: Session, source: Source, wish: RedraftWish, hear: Callable[[Told], None]
) -> Rewritten:
    """Let the worker write the region and return what it wrote; the report stays as it is.

    Raises RegionReportError with the worker's reason. Whoever cancels this ends the job.
    """
    folder: Path = session.draft.folder
    report = session.report
    seed = None if wish.writer == "measured" else next_seed(report, wish.region_id, session.draft.head.length)
    job = Redraft(
        job=new_name("redraft"),
        folder=str(folder),
        region=wish.region_id,
        scan=ScanFile(str(source.scan), source.series),
        writer=wish.writer,
        model=wish.model,
        device=wish.device,
        seed=seed,
    )
    made = await in_steps(do_job(client, job, hear))
    assert isinstance(made, Redrafted)  # each job has a result of its own kind
    sentences = tuple(sentence_from_dict(one) for one in made.sentences)
    return Rewritten(made.region, sentences, made.writer, made.model, made.seed)
