"""What a worker of a cohort does for one study: draft it into its folder, and tell how it went. It never raises."""

from __future__ import annotations

import logging
import shutil
import time
import uuid
from dataclasses import asdict
from functools import cache
from pathlib import Path

from ..draft import choose as writers
from ..draft.choose import WriterChoice, model_folder
from ..draft.folder import write_draft
from ..draft.given_masks import masks_at
from ..draft.pipeline import draft
from ..draft.region_token_asking import Ask, AskingWriter
from ..draft.writer import Writer
from ..errors import InputRefused, NeedMissing
from ..imaging.mask_files import MASKS_NAME, STRUCTURES_NAME
from ..imaging.read import read_volume
from ..progress import finish
from ..report.canonical import canonical, parse, sha256
from ..report.files import sync_folder
from ..report.report_file import REPORT_NAME
from ..segment import choose as segmenters
from ..segment.backend import Segmenter
from .order import Done, Failed, Order, Outcome

_log = logging.getLogger(__name__)

UNFINISHED = ".unfinished-"
"""How the name of a folder begins that a worker is still writing; what a killed one left is removed by the driver."""
_MASKS = (MASKS_NAME, STRUCTURES_NAME)


def draft_study(order: Order, ask: Ask | None = None) -> Outcome:
    """Draft the study of `order` into its folder, unless that is there already; return how it went.

    With `ask` the words are asked of a model that is elsewhere.
    """
    folder = Path(order.folder)
    try:
        if folder.exists():
            return found(order)
        return _drafted(order, folder, ask)
    except InputRefused as error:
        return Failed(order.row.id, "refused", str(error))
    except NeedMissing as error:
        return Failed(order.row.id, "missing", str(error))
    except MemoryError:
        return Failed(order.row.id, "memory", "not enough memory for this study")
    except OSError as error:
        return Failed(order.row.id, "files", f"{error.strerror or error}: {error.filename or folder}")
    except Exception as error:
        _log.exception("a defect in study %s", order.row.id)
        return Failed(order.row.id, "defect", f"{type(error).__name__}: {error}")


def found(order: Order) -> Done:
    """Return the outcome of a study whose folder is there, because an earlier run ended before it could say so."""
    folder = Path(order.folder)
    return Done(order.row.id, digest_of(folder), {}, _size(folder))


def digest_of(folder: Path) -> str:
    """Return the SHA-256 of a draft's content: report and masks, without the time it was made and the id made of it."""
    report = parse((folder / REPORT_NAME).read_bytes())
    report["created_at"] = report["id"] = ""
    masks = {name: sha256((folder / name).read_bytes()) for name in _MASKS if (folder / name).is_file()}
    return sha256(canonical({"report": report, "masks": masks}))


def _drafted(order: Order, folder: Path, ask: Ask | None) -> Done:
    started = time.perf_counter()
    volume = finish(read_volume(order.row.path, series_uid=order.row.series))
    masks = None if order.row.masks is None else finish(masks_at(Path(order.row.masks), volume))
    seconds = {"read": round(time.perf_counter() - started, 3)}
    settings = order.settings
    result = finish(
        draft(
            volume,
            _segmenter(settings.segmenter),
            _writer(settings.writer, ask),
            created_at=settings.created_at,
            masks=masks,
            prior=order.row.prior,
        )
    )
    staging = folder.with_name(UNFINISHED + uuid.uuid4().hex)
    staging.mkdir(parents=True)
    try:
        seconds = finish(write_draft(staging, volume, result, asdict(settings), seconds))
        staging.rename(folder)
        sync_folder(folder.parent)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return Done(order.row.id, digest_of(folder), seconds, _size(folder))


@cache
def _segmenter(name: str) -> Segmenter:
    """Kept from study to study, so that a model is loaded once."""
    return segmenters.segmenter(name)


@cache
def _writer(choice: WriterChoice, ask: Ask | None) -> Writer:
    """Kept from study to study, so that a model is loaded once."""
    return writers.writer(choice) if ask is None else AskingWriter(model_folder(choice), ask)


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.iterdir())
