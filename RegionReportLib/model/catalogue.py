"""The models that can be fetched: what for, how large, whose, under which licence. No torch, no network here."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Source:
    """Files of one repository of the Hugging Face hub.

    A `gated` one gives them only to accounts that accepted its licence on its page.
    """

    repository: str
    files: tuple[str, ...]
    licence: str
    gated: bool = False

    @property
    def page(self) -> str:
        """The address for people."""
        return f"https://huggingface.co/{self.repository}"


@dataclass(frozen=True, slots=True)
class KnownModel:
    """A model under the `name` of the folder it is kept in; `about_gb` is its size as far as it is known beforehand.

    `notice` is what a user should know before fetching.
    """

    name: str
    title: str
    purpose: str
    sources: tuple[Source, ...]
    about_gb: float
    notice: str = ""

    @property
    def files(self) -> tuple[str, ...]:
        """The names of all files as they lie in the model's folder, below it with `/`."""
        return tuple(name for source in self.sources for name in source.files)

    @property
    def licence(self) -> str:
        """The licences of all sources."""
        return "; ".join(dict.fromkeys(source.licence for source in self.sources))


@dataclass(frozen=True, slots=True)
class ShippedModel:
    """A model that lies in the folder `folder` of this room and comes with the program; `writer` is who takes it."""

    writer: str
    title: str
    purpose: str
    folder: str


SHIPPED = ShippedModel(
    "region-tokens",
    "demonstration model (phantoms only, not for patients)",
    "shows learned sentences: draft --writer region-tokens",
    "demo",
)
"""Trained by `train/recipes/demo.toml`; an installation may have been made without it."""

_LLAMA = "Llama 2 Community License"

MODELS: tuple[KnownModel, ...] = (
    KnownModel(
        "reg2rg",
        "Reg2RG (Chen et al., IEEE TMI 2025)",
        "writes reports by region: draft --writer reg2rg",
        (
            # The small gated file first: who may not have it learns so before gigabytes have come.
            Source("meta-llama/Llama-2-7b-chat-hf", ("tokenizer.json",), _LLAMA, gated=True),
            Source("Trusure/Reg2RG", ("pytorch_model.bin",), f"Apache-2.0, holds weights under the {_LLAMA}"),
        ),
        13.7,
        "research use; trained on RadGenome-Chest CT alone; misses four of five findings (recall 0.18)",
    ),
    KnownModel(
        "radbert",
        "RadBERT report labeller, 18 findings of CT-RATE",
        "finds the 18 labels in report texts: evaluate --labeller",
        (
            Source("zzxslp/RadBERT-RoBERTa-4m", ("config.json", "vocab.json", "merges.txt"), "see its page"),
            Source("Trusure/Reg2RG", ("RadBertClassifier.pth",), "Apache-2.0"),
        ),
        0.5,
        "for the evaluation of texts, not of patients",
    ),
    KnownModel(
        "monai-bundle",
        "Whole body CT segmentation, 104 structures (MONAI model zoo)",
        "makes region masks: draft --segmenter monai-bundle",
        (
            Source(
                "MONAI/wholeBody_ct_segmentation",
                (
                    "LICENSE",
                    "configs/metadata.json",
                    "configs/inference.json",
                    "models/model_lowres.pt",
                    "models/model.pt",
                ),
                "Apache-2.0",
            ),
        ),
        0.15,
        "an example of its makers, not for diagnostic purposes; trained on the scans of TotalSegmentator",
    ),
    KnownModel(
        "voxtell",
        "VoxTell (Rokuss et al., CVPR 2026) with the language model that reads its phrases",
        "finds the place that a sentence names: find-places",
        (
            Source(
                "mrokuss/VoxTell",
                (
                    "voxtell_v1.1/plans.json",
                    "voxtell_v1.1/fold_0/checkpoint_final.pth",
                    "embeddings/voxtell_v1.1/text_embeddings.npz",
                ),
                "see its page",
            ),
            Source(
                "Qwen/Qwen3-Embedding-4B",
                (
                    "config.json",
                    "tokenizer.json",
                    "tokenizer_config.json",
                    "model.safetensors.index.json",
                    "model-00001-of-00002.safetensors",
                    "model-00002-of-00002.safetensors",
                ),
                "Apache-2.0",
            ),
        ),
        10.0,
        "runs in a Python of its own with `pip install voxtell`; what it finds is an offer that the reader judges",
    ),
)


def known_model(name: str) -> KnownModel:
    """Return a model by its name; ValueError names the known ones."""
    for model in MODELS:
        if model.name == name:
            return model
    raise ValueError(f"unknown model {name!r}, known are {', '.join(m.name for m in MODELS)}")
