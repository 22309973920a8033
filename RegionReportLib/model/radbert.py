"""The labeller of CT-RATE: which of 18 findings a report names, by a RoBERTa classifier from a local folder.

Hamamci et al., arXiv 2403.17834; encoder RadBERT-RoBERTa-4m, one linear layer on its pooled first token, sigmoid.
It reads texts for evaluation; it is no reader of scans. Nothing is fetched here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from tokenizers import Tokenizer
from tokenizers.implementations import ByteLevelBPETokenizer  # type: ignore[attr-defined]
from tokenizers.processors import RobertaProcessing
from torch import Tensor, nn
from transformers import RobertaConfig, RobertaModel

from ..errors import InputRefused, NeedMissing
from ..progress import Progress, Work
from .reg2rg_checkpoint import Weights

FILE = "RadBertClassifier.pth"
MOST_TOKENS = 512
THRESHOLD = 0.5
# Old versions of the library saved a table of positions that newer ones compute.
_DROPPED = ("model.embeddings.position_ids", "model.embeddings.token_type_ids")


class Classifier(nn.Module):
    """Encoder and linear layer under the names of the published state dict."""

    def __init__(self, config: RobertaConfig, labels: int) -> None:
        super().__init__()
        self.model = RobertaModel(config)
        self.classifier = nn.Linear(config.hidden_size, labels)

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Return logits `(n, labels)` of token ids and their mask `(n, t)`."""
        pooled: Tensor = self.model(input_ids=ids, attention_mask=mask).pooler_output
        out: Tensor = self.classifier(pooled)
        return out


@dataclass(frozen=True, slots=True, eq=False)
class Labeller:
    """The opened classifier; `labels` is how many findings it knows, in the order of CT-RATE."""

    network: Classifier
    tokenizer: Tokenizer

    @property
    def labels(self) -> int:
        """The number of findings."""
        return self.network.classifier.out_features

    @property
    def numbers(self) -> int:
        """The number of weights."""
        return sum(p.numel() for p in self.network.parameters())

    def label(self, texts: Sequence[str], batch: int = 8) -> Work[npt.NDArray[np.bool_]]:
        """Return `(n, labels)`: what each text names; an empty text names nothing."""
        found = np.zeros((len(texts), self.labels), dtype=bool)
        # Texts of like length together: little is padded.
        order = sorted((n for n, text in enumerate(texts) if text.strip()), key=lambda n: len(texts[n]))
        for start in range(0, len(order), batch):
            yield Progress(start / len(order), f"labelling, {start} of {len(order)} texts")
            rows = order[start : start + batch]
            encoded = self.tokenizer.encode_batch([texts[n] for n in rows])
            ids = torch.tensor([e.ids for e in encoded])
            mask = torch.tensor([e.attention_mask for e in encoded])
            with torch.inference_mode():
                found[rows] = (self.network(ids, mask).sigmoid() >= THRESHOLD).numpy()
        yield Progress(1.0, "labelled")
        return found


def open_labeller(folder: Path) -> Labeller:
    """Open the classifier in `folder`; NeedMissing names what is absent, InputRefused what is not this network."""
    file = folder / FILE
    if not file.is_file():
        raise NeedMissing(f"no {FILE} in {folder}; see `regionreport models fetch radbert`")
    config = _config(folder)
    with Weights(file) as weights:
        state = {key: read() for key, read in weights.items() if key not in _DROPPED}
        if "classifier.weight" not in state:
            raise InputRefused(f"{file} has no classifier.weight: it is not the labeller of CT-RATE")
        network = Classifier(config, len(state["classifier.weight"]))
        try:
            network.load_state_dict(state)
        except RuntimeError as error:
            raise InputRefused(f"{file} does not fit: {' '.join(str(error).split())[:300]}") from error
    return Labeller(network.eval(), _tokenizer(folder))


def _config(folder: Path) -> RobertaConfig:
    file = folder / "config.json"
    if not file.is_file():
        # What RoBERTa-base is, and what the published encoder is.
        return RobertaConfig(vocab_size=50265, max_position_embeddings=514, type_vocab_size=1, layer_norm_eps=1e-5)
    try:
        config: RobertaConfig = RobertaConfig.from_json_file(file)
    except ValueError as error:
        raise InputRefused(f"{file} is not JSON: {error}") from error
    return config


def _tokenizer(folder: Path) -> Tokenizer:
    """Return the words of RoBERTa: from one file, or from the two of older models."""
    vocabulary, merges = folder / "vocab.json", folder / "merges.txt"
    if (folder / "tokenizer.json").is_file():
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    elif vocabulary.is_file() and merges.is_file():
        made: Any = ByteLevelBPETokenizer(str(vocabulary), str(merges))
        made.post_processor = RobertaProcessing(("</s>", _id(made, "</s>")), ("<s>", _id(made, "<s>")))
        tokenizer = made._tokenizer
    else:
        raise NeedMissing(f"{folder} lacks the words of the labeller: tokenizer.json, or vocab.json and merges.txt")
    tokenizer.enable_truncation(MOST_TOKENS)
    tokenizer.enable_padding(pad_id=_id(tokenizer, "<pad>"), pad_token="<pad>")
    return tokenizer


def _id(tokenizer: Any, token: str) -> int:
    number = tokenizer.token_to_id(token)
    if number is None:
        raise InputRefused(f"the tokenizer knows no {token}: it is not that of RoBERTa")
    return int(number)
