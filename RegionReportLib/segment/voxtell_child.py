"""Runs VoxTell's own predictor on one array, in the Python that has it: started by `voxtell.py`, never imported.

Knows nothing of this library, which that Python need not have. Reads `job.json`, tells its progress on standard
output, and writes one mask for each phrase, eight voxels to a byte. Nothing is fetched, and no file is unpickled.
"""

from __future__ import annotations

import json
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

_RETRY = "fewer phrases at once, for the GPU is full"


def main(job_file: Path) -> None:
    """Do the job of a file with the keys that `voxtell.VoxTell` writes."""
    # The files beside this one are no packages that somebody else might want to import.
    sys.path[:] = [path for path in sys.path if Path(path or ".").resolve() != Path(__file__).resolve().parent]
    job = json.loads(job_file.read_text(encoding="utf-8"))
    _tell(0.0, "loading VoxTell")
    if find_spec("voxtell") is None:  # asked first, for a bare Python lacks the others too
        sys.exit("No module named 'voxtell'")
    import numpy as np
    import torch
    from voxtell.inference.predictor import VoxTellPredictor  # type: ignore[import-not-found,unused-ignore]

    _plain_weights_only(torch)
    device = torch.device(_device(job["device"], torch))
    _tell(0.02, "opening the weights")
    predictor = VoxTellPredictor(
        model_dir=job["model"],
        device=device,
        text_encoding_model=job["text_model"],
        embedding_bank=job["bank"],
        use_precomputed_embeddings=False,
    )
    _tell(0.1, "reading the phrases")
    embedded = _embedded(predictor, job, torch)
    image = np.load(job["image"], allow_pickle=False)
    masks = _Masks(Path(job["out"]), len(job["phrases"]))
    try:
        _predict(predictor, image, embedded, job["at_once"], masks)
    except RuntimeError as error:
        # What fails in the thread that brings the windows comes as the cause of another error.
        if not any(isinstance(one, torch.cuda.OutOfMemoryError) for one in (error, error.__cause__)):
            raise
        _tell(0.3, _RETRY)
        torch.cuda.empty_cache()
        predictor.perform_everything_on_device = False
        _predict(predictor, image, embedded, 1, masks)


def _device(wanted: str, torch: Any) -> str:
    if wanted != "auto":
        return str(wanted)
    return "cuda" if torch.cuda.is_available() else "cpu"


def _plain_weights_only(torch: Any) -> None:
    """Let weights be read as tensors and numbers only; the predictor itself would unpickle whatever the file holds."""
    import numpy as np

    # Records of a training hold numpy's own numbers; since its version 2 they come from a module of another name.
    module = import_module("numpy.core.multiarray" if np.__version__.startswith("1.") else "numpy._core.multiarray")
    kinds = [type(np.dtype(kind)) for kind in ("f4", "f8", "i4", "i8", "b1")]
    torch.serialization.add_safe_globals([np.dtype, module.scalar, *kinds])
    load = torch.load

    def plain(*arguments: Any, **options: Any) -> Any:
        return load(*arguments, **{**options, "weights_only": True})

    torch.load = plain


def _embedded(predictor: Any, job: dict[str, Any], torch: Any) -> Any:
    """Return the phrases as vectors; the language model, in half its numbers' size, is let go before the image."""
    bank = predictor.embedding_bank or {}
    if any(phrase.lower() not in bank for phrase in job["phrases"]):
        from transformers import AutoModel, AutoTokenizer

        predictor.tokenizer = AutoTokenizer.from_pretrained(job["text_model"], padding_side="left")
        predictor.text_backbone = AutoModel.from_pretrained(job["text_model"], dtype=torch.bfloat16).eval()
    embedded = predictor.embed_text_prompts(job["phrases"])
    predictor.text_backbone = None
    return embedded


def _predict(predictor: Any, image: Any, embedded: Any, at_once: int, masks: _Masks) -> None:
    for first in range(0, masks.count, at_once):
        some = embedded[:, first : first + at_once]
        found = predictor.predict_single_image(
            image, text_embeddings=some, progress_callback=_Windows(first, some.shape[1], masks.count)
        )
        for number, mask in enumerate(found, start=first):
            masks.write(number, mask)


class _Windows:
    """Tells each window of one pass over the scan as a part of all passes."""

    def __init__(self, first: int, some: int, count: int) -> None:
        self._first, self._some, self._count = first, some, count

    def __call__(self, done: int, total: int) -> bool:
        fraction = (self._first + self._some * done / max(total, 1)) / self._count
        until = min(self._first + self._some, self._count)
        phrases = f"phrase {self._first + 1}" + (f" to {until}" if until > self._first + 1 else "")
        _tell(0.3 + 0.7 * fraction, f"{phrases} of {self._count}, window {done} of {total}")
        return True


class _Masks:
    """Where the masks go: `0.npy`, `1.npy` … of packed bits in the order of the image's voxels."""

    def __init__(self, folder: Path, count: int) -> None:
        self._folder = folder
        self.count = count

    def write(self, number: int, mask: Any) -> None:
        import numpy as np

        np.save(self._folder / f"{number}.npy", np.packbits(mask.astype(bool).reshape(-1)))


def _tell(fraction: float, stage: str) -> None:
    # A bar that the predictor draws may stand on the line already.
    sys.stdout.write(f"\nprogress {fraction:.4f} {stage}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
