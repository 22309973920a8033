"""The words of the command line; each command names the function that runs it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

from .. import __version__
from ..draft.choose import DEVICES, PRECISIONS, WRITERS
from ..export.formats import FORMAT_NAMES
from ..segment.choose import SEGMENTERS, checked_name
from .ablating import add_ablation_arguments
from .finding_arguments import add_finding_arguments
from .model_arguments import add_model_arguments
from .redraft_arguments import add_redraft_arguments


class _OneLineParser(argparse.ArgumentParser):
    """A parser whose errors are one line, as all errors of the program are."""

    def error(self, message: str) -> NoReturn:
        print(f"regionreport: error: {message} (see {self.prog} --help)", file=sys.stderr)
        self.exit(2)


def parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    top = _OneLineParser(
        prog="regionreport", description="Grounded chest CT reports: six regions, every sentence tied to its place."
    )
    top.add_argument("--version", action="version", version=f"regionreport {__version__}")
    top.add_argument("--debug", action="store_true", help="show a traceback when something fails")
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _making(commands)
    _living(commands)
    _sending(commands)
    _scoring(commands)
    _many(commands)
    _training(commands)
    return top


def _making(commands: Any) -> None:
    draft = _command(commands, "draft", "drafting:draft", "draft a grounded report of a chest CT")
    _volume(draft)
    _masks(draft)
    _writer(draft)
    _output(draft)
    _overwrite(draft)

    ground = _command(commands, "ground", "drafting:ground", "tie an existing report to the places of its scan")
    ground.add_argument("report", type=Path, metavar="REPORT", help="the report as UTF-8 text")
    _volume(ground)
    _masks(ground)
    _output(ground)
    _overwrite(ground)

    add_redraft_arguments(_command(commands, "redraft", "redrafting:redraft", "write one region of a report anew"))
    add_finding_arguments(_command(commands, "find-places", "finding:find_places", "find places by sentences' words"))

    segment = _command(commands, "segment", "drafting:segment", "make the six region masks of a chest CT")
    _volume(segment)
    _segmenter(segment)
    _output(segment)

    measure = _command(commands, "measure", "drafting:measure", "measure a chest CT")
    _volume(measure)
    _masks(measure)
    _output(measure)

    _phantom(_command(commands, "phantom", "phantoms:phantom", "make a procedural chest CT with known findings"))

    models = _command(commands, "models", "models:models", "list, fetch, check and remove models")
    add_model_arguments(models, _later)

    doctor = _command(commands, "doctor", "doctor:doctor", "say what is installed and what would run")
    doctor.add_argument("--json", action="store_true", help="as JSON")


def _phantom(phantom: argparse.ArgumentParser) -> None:
    phantom.add_argument("--seed", type=int, required=True, help="which patient")
    finding = "KIND[:SIZE[:SIDE[:ZONE[:VARIETY]]]], repeatable, such as nodule:12:left:upper, or 'none'"
    phantom.add_argument("--finding", action="append", metavar="FINDING", help=f"{finding} (default: the seed's)")
    phantom.add_argument("--random", action="store_true", help="draw all findings as often as they occur in practice")
    phantom.add_argument("--pictures", action="store_true", help="also write slices through each finding as PNG")
    phantom.add_argument("--rows", type=int, help="voxels in plane (default 256)")
    phantom.add_argument("--slices", type=int, help="number of slices (default: the whole chest)")
    phantom.add_argument("--step", type=float, metavar="MM", help="distance of slices")
    _output(phantom)


def _living(commands: Any) -> None:
    show = _command(commands, "show", "reports:show", "print a report with the place of each sentence")
    show.add_argument("folder", type=Path, metavar="DIR", help="a report folder")

    export = _command(commands, "export", "reports:export", "write a report folder's report in other formats")
    export.add_argument("folder", type=Path, metavar="DIR", help="a report folder")
    export.add_argument("--format", action="append", choices=FORMAT_NAMES, help="repeatable (default: text and html)")
    where = "where the scan lies now, for pictures, seg and dicom (default: where the report says)"
    export.add_argument("--series", type=Path, metavar="PATH", help=where)
    each = "one segment per structure (lobes, vessels, ribs …) and not per region, for masks, seg and dicom"
    export.add_argument("--structures", action="store_true", help=each)
    export.add_argument("--wado-rs", metavar="URL", help="base address that serves the images, for the links of fhir")
    export.add_argument("--organization", metavar="NAME", help="who is responsible for the report, for dicom and fhir")
    export.add_argument("-o", "--output", type=Path, metavar="DIR", help="where to (default: into the report folder)")
    export.add_argument("--json-progress", action="store_true", help="progress as JSON lines on standard output")

    importing = _command(commands, "import-dicom", "dicom:import_dicom", "read a report back from its DICOM SR and SEG")
    importing.add_argument("sr", type=Path, metavar="SR", help="the report, a DICOM SR that RegionReport wrote")
    importing.add_argument("seg", type=Path, metavar="SEG", help="the masks, a DICOM SEG on the same scan")
    importing.add_argument("-o", "--output", type=Path, metavar="DIR", required=True, help="folder for the results")

    verify = _command(commands, "verify", "reports:verify", "look for tampering with a report or its trail")
    verify.add_argument("folder", type=Path, metavar="DIR", help="a report folder")

    sign = _command(commands, "sign", "reports:sign", "sign a report, or say what still forbids it")
    sign.add_argument("folder", type=Path, metavar="DIR", help="a report folder")
    sign.add_argument("--name", required=True, help="who signs")

    history = _command(commands, "history", "reports:history", "print who did what to a report, and when")
    history.add_argument("folder", type=Path, metavar="DIR", help="a report folder")


def _sending(commands: Any) -> None:
    send = _command(commands, "send", "sending:send", "send DICOM files to an archive, after listing them")
    send.add_argument("paths", type=Path, nargs="+", metavar="DIR|FILE", help="DICOM files, or folders of them")
    where = send.add_mutually_exclusive_group(required=True)
    where.add_argument("--dicomweb", metavar="URL", help="base address of a DICOMweb service (STOW-RS)")
    where.add_argument("--dimse", metavar="HOST:PORT", help="address of a DICOM archive (C-STORE)")
    send.add_argument("--aet", metavar="TITLE", help="AE title of the archive (default: ANY-SCP)")
    send.add_argument("--calling-aet", metavar="TITLE", help="our own AE title (default: REGIONREPORT)")
    send.add_argument("--tls", action="store_true", help="C-STORE over TLS; certificates are checked")
    send.add_argument("--ca", type=Path, metavar="FILE", help="certificates to trust instead of the system's (PEM)")
    own = "our own certificate and its key, where the archive asks for one (PEM)"
    send.add_argument("--certificate", type=Path, metavar="FILE", help=own)
    token = "a file that holds the token (default: environment variable REGIONREPORT_TOKEN, then netrc)"
    send.add_argument("--token-file", type=Path, metavar="FILE", help=token)
    send.add_argument("--tries", type=int, choices=range(1, 11), default=4, metavar="N", help="1 to 10 (default: 4)")
    send.add_argument("--yes", action="store_true", help="send without asking")
    send.add_argument("--json-progress", action="store_true", help="progress as JSON lines on standard output")


def _scoring(commands: Any) -> None:
    evaluate = _command(commands, "evaluate", "evaluating:evaluate", "score reports against references")
    columns = "CSV with the columns case, text and, for scores by region, region"
    evaluate.add_argument("--reference", type=Path, metavar="CSV", help=f"the reference reports: {columns}")
    evaluate.add_argument("--prediction", type=Path, metavar="CSV", help="the reports to score, in the same form")
    both = "instead: CSVs that hold both texts in a row (columns case, reference, prediction), as published ones do"
    evaluate.add_argument("--pairs", type=Path, metavar="CSV", nargs="+", help=both)
    labels = "CSV with the column case and one 0/1 column for each of the 18 CT-RATE findings"
    evaluate.add_argument("--reference-labels", type=Path, metavar="CSV", help=f"findings of the references: {labels}")
    evaluate.add_argument("--prediction-labels", type=Path, metavar="CSV", help="findings of the predictions")
    labeller = "find the 18 labels in both texts by the RadBERT labeller there (default: see `regionreport models`)"
    evaluate.add_argument("--labeller", type=Path, nargs="?", const="", metavar="FOLDER", help=labeller)
    evaluate.add_argument("--by-region", action="store_true", help="score each region too")
    evaluate.add_argument("-o", "--output", type=Path, metavar="DIR", help="write CSV, JSON and Markdown there")
    evaluate.add_argument("--json-progress", action="store_true", help="progress as JSON lines on standard output")
    add_ablation_arguments(evaluate)

    _review(_command(commands, "review", "reviewing:review", "review a report in the browser, or draft a scan there"))


def _many(commands: Any) -> None:
    batch = _command(commands, "batch", "cohorts:batch", "draft many studies; run again, it goes on where it stopped")
    table = "table (.csv, .parquet) with the columns study and path, if wished series, masks, prior; or a folder"
    batch.add_argument("studies", type=Path, metavar="TABLE|FOLDER", help=table)
    _segmenter(batch)
    _writer(batch)
    batch.add_argument("--engine", choices=("local", "ray"), default="local", help="this machine's processes, or Ray")
    batch.add_argument(
        "--workers", type=_positive, default=1, metavar="N", help="studies at the same time (default: 1)"
    )
    cores = "CPU cores that the workers of this machine share (default: all that may be used)"
    batch.add_argument("--cores", type=_positive, metavar="N", help=cores)
    batch.add_argument("--address", help="of the Ray cluster (default: start one on this machine)")
    batch.add_argument("--gpus", type=int, default=0, metavar="N", help="GPUs that the workers share (default: 0)")
    once = "studies that a model writes about at once, in a process beside the workers (default: 1, each for itself)"
    batch.add_argument("--at-once", type=_positive, default=1, metavar="K", help=once)
    batch.add_argument(
        "--limit", type=_positive, default=60, metavar="MIN", help="give a study up after so long (default: 60)"
    )
    batch.add_argument("--retry-failed", action="store_true", help="draft those again that failed before")
    _output(batch)


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1, got {text!r}")
    return int(text)


def _training(commands: Any) -> None:
    train = _command(commands, "train", "training:train", "train the region-token network by a recipe")
    train.add_argument("recipe", type=Path, metavar="RECIPE", help="what to train and on what, TOML or JSON")
    train.add_argument(
        "-o", "--output", type=Path, metavar="DIR", required=True, help="where to; a run that was stopped goes on there"
    )
    train.add_argument("--cache", type=Path, metavar="DIR", help="where made cases are kept (default: in the output)")
    train.add_argument("--workers", type=int, default=0, metavar="N", help="processes that make cases (default: 0)")
    train.add_argument("--json-progress", action="store_true", help="progress as JSON lines on standard output")


def _review(review: argparse.ArgumentParser) -> None:
    what = (
        "a report folder, or a scan to draft: NIfTI, NRRD, MetaImage file or DICOM folder (default: choose in the page)"
    )
    review.add_argument("path", type=Path, nargs="?", metavar="DIR|VOLUME", help=what)
    review.add_argument("--series", metavar="UID", help="which series of a DICOM folder")
    review.add_argument(
        "--volume", type=Path, metavar="PATH", help="where the scan of the report lies, if it was moved"
    )
    review.add_argument(
        "--drafts", type=Path, metavar="DIR", help="where drafts are kept (default: the user's own folder)"
    )
    review.add_argument("--name", help="who reads; named in the trail (default: the account's name)")
    review.add_argument(
        "--host",
        default="127.0.0.1",
        help="address to listen on; another than this computer's own needs the token that is printed",
    )
    review.add_argument("--port", type=int, default=8642, help="0 takes any free one (default: 8642)")
    review.add_argument(
        "--token", action="store_true", help="ask for a token on this computer too, where others use it as well"
    )
    review.add_argument(
        "--open", action=argparse.BooleanOptionalAction, default=True, help="open the page in the browser"
    )


def _command(commands: Any, name: str, target: str, summary: str) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = commands.add_parser(
        name, help=summary, description=summary[0].upper() + summary[1:]
    )
    command.set_defaults(run=_later(target))
    return command


def _later(target: str) -> Callable[[argparse.Namespace], None]:
    """Return a function that imports `file:function` only when it is called, so that --help is instant."""
    module, function = target.split(":")

    def run(arguments: argparse.Namespace) -> None:
        getattr(import_module(f".{module}", __package__), function)(arguments)

    return run


def _volume(command: argparse.ArgumentParser) -> None:
    command.add_argument("volume", type=Path, metavar="VOLUME", help="NIfTI, NRRD or MetaImage file, or a DICOM folder")
    command.add_argument("--series", metavar="UID", help="which series of a DICOM folder")


def _masks(command: argparse.ArgumentParser) -> None:
    _segmenter(command)
    command.add_argument("--segmentation", type=Path, metavar="FILE", help="use these masks (.seg.nrrd) instead")


def _segmenter(command: argparse.ArgumentParser) -> None:
    names = f"what makes the region masks: {', '.join(SEGMENTERS)}, or monai-bundle:FOLDER (default: {SEGMENTERS[0]})"
    command.add_argument("--segmenter", type=_known_segmenter, default=SEGMENTERS[0], metavar="NAME", help=names)


def _known_segmenter(text: str) -> str:
    try:
        return checked_name(text)
    except ValueError as unknown:
        raise argparse.ArgumentTypeError(str(unknown)) from None


def _writer(command: argparse.ArgumentParser) -> None:
    kinds = "; ".join(kind.title for kind in WRITERS.values())
    command.add_argument("--writer", choices=tuple(WRITERS), default="measured", help=f"what writes: {kinds}")
    command.add_argument("--model", metavar="FOLDER", help="the writer's model (default: see `regionreport models`)")
    command.add_argument("--device", choices=DEVICES, default="auto", help="where a model runs (default: auto)")
    command.add_argument(
        "--precision", choices=PRECISIONS, default="auto", help="numbers of a language model (default: by the device)"
    )
    command.add_argument("--compat", action="store_true", help="reg2rg: all regions in one pass, as published")


def _overwrite(command: argparse.ArgumentParser) -> None:
    command.add_argument("--overwrite", action="store_true", help="replace a report that a reader has worked on")


def _output(command: argparse.ArgumentParser) -> None:
    command.add_argument("-o", "--output", type=Path, metavar="DIR", required=True, help="folder for the results")
    command.add_argument("--json-progress", action="store_true", help="progress as JSON lines on standard output")
