"""`regionreport models`: which models there are, where they lie, fetching, checking and removing them.

The only command that reaches for a network of its own accord does so when it is told `fetch`, and says before what
would come, how large, from where and under which licence.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from ..errors import Cancelled, InputRefused
from ..model.card import card_of
from ..model.catalogue import MODELS, SHIPPED, KnownModel, known_model
from ..model.folders import Kept, kept, models_home, other_folders, shipped_folder, size_of
from .watch import run, tell


def models(arguments: argparse.Namespace) -> None:
    """List the models, the known ones and the user's own."""
    if arguments.json:
        known = [_entry(model) for model in MODELS]
        tell(home=str(models_home()), models=known, shipped=_shipped(), others=_others())
        return
    print(f"Models are kept in {models_home()}")
    for model in MODELS:
        print(f"\n{model.name}: {model.title}")
        print(f"  {model.purpose}")
        print(f"  {_state(model, kept(model))}; about {model.about_gb:g} GB")
        for source in model.sources:
            asked = ", after its licence was accepted there" if source.gated else ""
            print(f"  {', '.join(source.files)} from {source.page} ({source.licence}){asked}")
        if model.notice:
            print(f"  {model.notice}")
    _print_shipped()
    for folder in other_folders(MODELS):
        print(f"\n{folder.name}: your own, {_size(size_of(folder))}")


def fetch(arguments: argparse.Namespace) -> None:
    """Say what would come, ask, fetch it and record what it is; with --from take it from a folder."""
    model = known_model(arguments.name)
    if arguments.source is not None:
        from ..model.keeping import take

        folder = run(take(model, arguments.source), arguments.json_progress)
    else:
        from ..model.fetching import fetch as fetching
        from ..model.fetching import plan

        what = run(plan(model), arguments.json_progress)
        _announce(model, what.folder, [(f.name, f.size, f.source.page, f.source.licence) for f in what.files])
        if what.files:
            _confirm(f"Fetch {_size(what.bytes_left)}?", arguments.yes, "nothing was fetched")
        try:
            folder = run(fetching(what), arguments.json_progress)
        except KeyboardInterrupt as cause:
            raise Cancelled("cancelled; what has arrived is kept, fetch again to go on") from cause
    if arguments.json_progress:
        tell(done=[str(folder)])
    else:
        print(folder)


def check(arguments: argparse.Namespace) -> None:
    """Look whether a folder holds what it should, without running it; say what it is."""
    from ..model.checking import checked

    lines = run(checked(arguments.folder), arguments.json_progress)
    if arguments.json_progress:
        tell(ok=True, found=list(lines))
    else:
        print("\n".join(lines))


def remove(arguments: argparse.Namespace) -> None:
    """Say what would go, ask, and delete it."""
    from ..model.keeping import remove as removing

    model = known_model(arguments.name)
    there = kept(model)
    if not there.folder.is_dir():
        raise InputRefused(f"{model.name} is not kept here: there is no {there.folder}")
    _confirm(f"Delete {_size(there.size_bytes)} in {there.folder}?", arguments.yes, "nothing was deleted")
    freed = removing(model)
    print(f"{_size(freed)} freed")
    if there.folder.is_dir():
        print(f"{there.folder} stays: it holds files that are not ours")


def _announce(model: KnownModel, folder: Path, files: list[tuple[str, int, str, str]]) -> None:
    if not files:
        print(f"All files of {model.title} are here already", file=sys.stderr)
        return
    print(f"{model.title}, into {folder}:", file=sys.stderr)
    for name, size, page, licence in files:
        print(f"  {name}  {_size(size)}  from {page}  ({licence})", file=sys.stderr)
    if model.notice:
        print(f"  {model.notice}", file=sys.stderr)


def _confirm(question: str, yes: bool, otherwise: str) -> None:
    """Go on with --yes or a typed yes; InputRefused where nobody can be asked."""
    if yes:
        return
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise InputRefused(f"{otherwise}; say --yes to do it")
    print(f"{question} Type yes: ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() != "yes":
        raise Cancelled(f"cancelled; {otherwise}")


def _state(model: KnownModel, there: Kept) -> str:
    if there.complete:
        return f"here, {_size(there.size_bytes)} in {there.folder}"
    if there.size_bytes:
        return f"in part here ({_size(there.size_bytes)}), lacks {', '.join(there.missing)}"
    return f"not here; regionreport models fetch {model.name}"


def _entry(model: KnownModel) -> dict[str, Any]:
    there = kept(model)
    return {
        "name": model.name,
        "title": model.title,
        "purpose": model.purpose,
        "about_gb": model.about_gb,
        "licence": model.licence,
        "sources": [{"page": s.page, "files": list(s.files), "gated": s.gated} for s in model.sources],
        "folder": str(there.folder),
        "size_bytes": there.size_bytes,
        "complete": there.complete,
        "missing": list(there.missing),
    }


def _shipped() -> dict[str, Any]:
    folder = shipped_folder()
    return {
        "writer": SHIPPED.writer,
        "title": SHIPPED.title,
        "folder": None if folder is None else str(folder),
        "size_bytes": 0 if folder is None else size_of(folder),
        "digest": "" if folder is None else card_of(folder).digest,
    }


def _print_shipped() -> None:
    told = _shipped()
    print(f"\n{SHIPPED.writer}: {SHIPPED.title}")
    print(f"  {SHIPPED.purpose}")
    if told["folder"] is None:
        print("  not in this installation; `regionreport train` makes one, --model FOLDER takes it")
    else:
        print(
            f"  comes with the program, {_size(told['size_bytes'])} in {told['folder']}, SHA-256 {told['digest'][:12]}"
        )


def _others() -> list[dict[str, Any]]:
    return [{"folder": str(f), "size_bytes": size_of(f)} for f in other_folders(MODELS)]


def _size(size: int) -> str:
    for unit, name in ((1e9, "GB"), (1e6, "MB")):
        if size >= 0.1 * unit:
            return f"{size / unit:.1f} {name}"
    return f"{size / 1e3:.1f} kB"
