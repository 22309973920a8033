"""Brings the files of a known model from the Hugging Face hub into the user's models folder.

Only a user who asked for it comes here. What has arrived is kept when it breaks off and goes on from there; a file
counts when its digest is the hub's. No torch here.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ..errors import InputRefused, NeedMissing
from ..progress import Progress, Work, part
from .catalogue import KnownModel, Source
from .download import download
from .folders import PART_ENDING, models_home
from .keeping import need_space, recorded

_CHUNK = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file as the hub describes it: at one commit, with its size and etag (SHA-256, or git's SHA-1 of small ones)."""

    source: Source
    name: str
    commit: str
    size: int
    etag: str
    location: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What fetching `model` would do: `files` still to come into `folder`, of which `bytes_left` are not here yet."""

    model: KnownModel
    folder: Path
    files: tuple[RemoteFile, ...]
    bytes_left: int


def plan(model: KnownModel) -> Work[Plan]:
    """Ask the hub for sizes and digests of what is not here yet.

    NeedMissing says what to do: without a network, without a licence that was accepted, without space.
    """
    folder = models_home() / model.name
    wanted = [(s, name) for s in model.sources for name in s.files if not (folder / name).is_file()]
    files = []
    for n, (source, name) in enumerate(wanted):
        yield Progress(n / len(wanted), f"asking for {name}")
        files.append(_described(source, name))
    left = sum(f.size - _arrived(folder, f) for f in files)
    need_space(folder, left)
    return Plan(model, folder, tuple(files), left)


def fetch(what: Plan) -> Work[Path]:
    """Fetch the files of a plan, check each against its digest, record all, and return the folder.

    Breaking off keeps what has arrived. InputRefused for a file that is not what the hub says it is; it is removed.
    """
    what.folder.mkdir(parents=True, exist_ok=True)
    done, total = 0, sum(f.size for f in what.files) or 1
    for file in what.files:
        start, stop = 0.9 * done / total, 0.9 * (done + file.size) / total
        yield from part(_fetched(file, what.folder), start, stop)
        done += file.size
    yield from part(recorded(what.model, what.folder), 0.9, 1.0)
    return what.folder


def _described(source: Source, name: str) -> RemoteFile:
    with _hub_errors(source):
        from huggingface_hub import get_hf_file_metadata, hf_hub_url

        endpoint = os.environ.get("HF_ENDPOINT") or None
        found: Any = get_hf_file_metadata(hf_hub_url(source.repository, name, endpoint=endpoint))
    if found.size is None or not found.etag or not found.commit_hash:
        raise NeedMissing(f"the hub does not tell size and digest of {name} in {source.repository}; try again later")
    return RemoteFile(source, name, found.commit_hash, found.size, found.etag, found.location)


def _fetched(file: RemoteFile, folder: Path) -> Work[None]:
    part_file, whole = _part(folder, file), folder / file.name
    part_file.parent.mkdir(parents=True, exist_ok=True)
    if _arrived(folder, file) < file.size:
        with _hub_errors(file.source):
            yield from part(download(file.location, part_file, file.size, _headers(file)), 0.0, 0.8)
    yield from part(_checked(file, part_file), 0.8, 1.0)
    part_file.replace(whole)
    for old in whole.parent.glob(f".{whole.name}.*{PART_ENDING}"):
        old.unlink()


def _headers(file: RemoteFile) -> dict[str, str]:
    """Return the headers of a request; the account's token goes to the hub alone, not to where it forwards to."""
    from huggingface_hub import constants
    from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]

    endpoint = os.environ.get("HF_ENDPOINT") or constants.ENDPOINT
    own = urlsplit(file.location).netloc == urlsplit(endpoint).netloc
    headers: dict[str, str] = build_hf_headers(token=None if own else False)
    return headers


def _checked(file: RemoteFile, arrived: Path) -> Work[None]:
    """Compare a file with its etag: SHA-256 of large files, git's SHA-1 of small ones; other etags prove nothing."""
    size = arrived.stat().st_size
    digest: Any = hashlib.sha256()
    if re.fullmatch(r"[0-9a-f]{40}", file.etag):
        digest = hashlib.sha1(f"blob {size}\0".encode(), usedforsecurity=False)
    elif not re.fullmatch(r"[0-9a-f]{64}", file.etag):
        raise InputRefused(f"the hub gives no digest for {file.name}, got {file.etag!r:.80}")
    with arrived.open("rb") as opened:
        while chunk := opened.read(_CHUNK):
            digest.update(chunk)
            yield Progress(min(1.0, opened.tell() / max(size, 1)), f"checking {file.name}")
    if size != file.size or digest.hexdigest() != file.etag:
        arrived.unlink()
        raise InputRefused(f"{file.name} is not what the hub announced (digest or size differs); it was removed again")


def _part(folder: Path, file: RemoteFile) -> Path:
    # The etag in the name: what arrived of an older version is never continued with a newer one.
    whole = folder / file.name
    return whole.with_name(f".{whole.name}.{file.etag[:12]}{PART_ENDING}")


def _arrived(folder: Path, file: RemoteFile) -> int:
    there = _part(folder, file)
    return min(there.stat().st_size, file.size) if there.is_file() else 0


@contextmanager
def _hub_errors(source: Source) -> Iterator[None]:
    """Turn what the hub's library raises into what a user can do about it."""
    try:
        from huggingface_hub import errors
    except ImportError as error:
        raise NeedMissing("fetching needs the package huggingface_hub: pip install 'regionreport[model]'") from error
    refused: tuple[type[Exception], ...] = (errors.GatedRepoError, errors.RepositoryNotFoundError)
    try:
        yield
    except refused as error:
        raise NeedMissing(_how_to_be_let_in(source)) from error
    except errors.EntryNotFoundError as error:
        raise NeedMissing(f"{source.repository} no longer holds what is wanted: {_first_line(error)}") from error
    except (errors.HfHubHTTPError, errors.OfflineModeIsEnabled, OSError) as error:
        raise NeedMissing(_not_reached(source, error)) from error
    except Exception as error:
        # The HTTP library's own errors have no common name between versions of the hub's library.
        if type(error).__module__.startswith(("httpx", "httpcore", "requests")):
            raise NeedMissing(_not_reached(source, error)) from error
        raise


def _how_to_be_let_in(source: Source) -> str:
    files = ", ".join(source.files)
    return (
        f"{source.repository} gives {files} only to accounts that accepted its licence ({source.licence}): accept it "
        f"on {source.page}, sign in with `hf auth login`, and fetch again; or give a folder that has it "
        "with --from, the rest is fetched then"
    )


def _not_reached(source: Source, error: Exception) -> str:
    return (
        f"{source.repository} was not reached ({_first_line(error)}); what has arrived is kept, fetch again to go on, "
        "or give a folder that has the files with --from"
    )


def _first_line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)[:200]
