"""Writers by the name a user chooses them with, and what each of them needs.

Light: a door lists `WRITERS` without loading any of them. What a writer needs is looked for when it is chosen, before
a scan is read, so that nobody waits for a segmentation to learn that weights are missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType

from ..errors import InputRefused, NeedMissing
from ..model.card import card_of
from ..model.catalogue import MODELS, SHIPPED
from ..model.folders import models_home, shipped_folder
from .writer import Writer

DEVICES = ("auto", "cpu", "cuda")
PRECISIONS = ("auto", "fp32", "bf16", "fp16", "4bit")


@dataclass(frozen=True, slots=True)
class WriterKind:
    """What a door shows of a writer: its `title`, and in `needs` what its folder must hold, empty if it needs none.

    `packages` are import names that it runs on. `by_region` tells that it can write one region of a report anew.
    """

    title: str
    needs: str = ""
    packages: tuple[str, ...] = ()
    by_region: bool = False


WRITERS: Mapping[str, WriterKind] = MappingProxyType(
    {
        "measured": WriterKind("measured (built in, needs no model)", by_region=True),
        "reg2rg": WriterKind(
            "Reg2RG (language model, research use)",
            "the Reg2RG weights and the tokenizer.json of Llama-2-7b-chat",
            ("torch", "transformers", "peft", "safetensors", "einops"),
        ),
        "region-tokens": WriterKind(
            "region tokens (our own language model)",
            "a model trained by `regionreport train`",
            ("torch", "transformers", "peft", "safetensors", "einops"),
            by_region=True,
        ),
    }
)


@dataclass(frozen=True, slots=True)
class WriterChoice:
    """Which writer, with which model and where it runs.

    `model` is a folder, None for the one under the writer's name in the user's models folder. `device` is one of
    `DEVICES`, `precision` one of `PRECISIONS`: the number type of a language model, for auto what suits the device.
    `compat` lets Reg2RG write all regions in one pass, as published. ValueError names what is known.
    """

    name: str = "measured"
    model: str | None = None
    device: str = "auto"
    precision: str = "auto"
    compat: bool = False

    def __post_init__(self) -> None:
        for what, value, known in (
            ("writer", self.name, tuple(WRITERS)),
            ("device", self.device, DEVICES),
            ("precision", self.precision, PRECISIONS),
        ):
            if value not in known:
                raise ValueError(f"unknown {what} {value!r}, known are {', '.join(known)}")


def writer(choice: WriterChoice) -> Writer:
    """Return the chosen writer; its model is opened when it first writes, and stays open with it.

    NeedMissing says what is absent and what to do; InputRefused that a model was given to a writer that takes none.
    """
    if choice.compat and choice.name != "reg2rg":
        raise InputRefused("writing in one pass, as published, is a choice of reg2rg alone")
    if choice.name == "measured":
        if choice.model is not None:
            raise InputRefused("the measured writer takes no model; choose another writer for it")
        from .measured_writer import MeasuredWriter

        return MeasuredWriter()
    folder = model_folder(choice)
    _need_packages(choice.name)
    if choice.name == "region-tokens":
        from .region_token_writer import RegionTokenWriter

        return RegionTokenWriter(folder, choice.device, choice.precision)
    from .reg2rg_writer import Reg2RGWriter

    return Reg2RGWriter(folder, choice.device, choice.precision, one_pass=choice.compat)


def model_folder(choice: WriterChoice) -> Path:
    """Return the folder of the chosen writer's model; NeedMissing if there is none, with what to do about it.

    That is the one given, else the user's own under the writer's name, else the one that comes with the program.
    """
    if choice.model is not None:
        folder = Path(choice.model).expanduser()
        if not folder.is_dir():
            raise NeedMissing(f"no model folder at {folder}; the {choice.name} writer needs {_needs(choice.name)}")
        return folder
    folder = models_home() / choice.name
    if not folder.is_dir():
        shipped = shipped_folder() if choice.name == SHIPPED.writer else None
        if shipped is not None:
            return shipped
        raise NeedMissing(
            f"the {choice.name} writer needs a folder with {_needs(choice.name)}: give it with --model FOLDER, or see "
            f"`regionreport models` (looked for in {folder})"
        )
    return folder


def lacking(name: str) -> str:
    """Return what keeps a writer from writing with what lies in the models folder, empty if nothing does."""
    if not WRITERS[name].needs:
        return ""
    try:
        folder = model_folder(WriterChoice(name))
        _need_packages(name)
        if WRITERS[name].by_region:
            card_of(folder)
    except (NeedMissing, InputRefused) as reason:
        return str(reason)
    absent = [file for m in MODELS if m.name == name for file in m.files if not (folder / file).is_file()]
    return f"{folder} lacks {', '.join(absent)}" if absent else ""


def title_of(name: str) -> str:
    """Return what a door shows of a writer; one that would take the model of the program says what that one is."""
    title = WRITERS[name].title
    if name != SHIPPED.writer or (models_home() / name).is_dir() or shipped_folder() is None:
        return title
    return f"{title.partition(' (')[0]}: {SHIPPED.title}"


def cannot_redraft(name: str) -> str:
    """Return why a writer cannot write one region of a report anew, empty if it can."""
    if not WRITERS[name].by_region:
        return f"the {name} writer writes whole reports only"
    return lacking(name)


def _needs(name: str) -> str:
    return WRITERS[name].needs


def _need_packages(name: str) -> None:
    absent = [package for package in WRITERS[name].packages if find_spec(package) is None]
    if absent:
        raise NeedMissing(
            f"the {name} writer needs the packages {', '.join(absent)}: pip install 'regionreport[model]'"
        )
