"""The region-token network, assembled: a scan becomes tokens that a language model reads between its words.

What `generate` needs: `prefix(study)`, for each region `region_prompt(study, region_id)`, then text from
`language_model`; `features(study)` for boxes; `support(study, region_id, sentences)` for scores. The common prefix
comes first, so its cache can be copied for six regions that are written as one batch. What training needs: `forward`.
`encode(study)` does the visual work once; all of these take its result in place of the study.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from einops import rearrange
from torch import Tensor, nn

from .box_head import BoxHead
from .config import ModelConfig
from .inputs import StudyInputs, target_of
from .language_model import base_of, language_model
from .packing import Block, Packed, pack
from .plan import FindingName, Plan
from .structure_queries import TextSide
from .support import Support
from .tokenizer import BOX, ReportTokenizer
from .visual_tokens import EncodedStudy, VisualTokens


@dataclass(frozen=True, slots=True)
class Claim:
    """A sentence about a region, to be told true from false by the support score."""

    region_id: str
    text: str


@dataclass(frozen=True, slots=True)
class Told:
    """A sentence that tells of findings, with the `names` of these."""

    text: str
    names: frozenset[FindingName]


@dataclass(frozen=True, slots=True, eq=False)
class TrainingStudy:
    """A study and what there is to say: `texts` of its regions, with `<box>` marks (one left out: nothing to report).

    `claims` are sentences, true or false, for the support score. `without` names what is hidden from the language
    model, so that it learns to write from what is left. `told` are the sentences with which texts begin, those that
    tell of findings; a network that plans learns to write each of them alone, and what follows them.
    """

    study: StudyInputs
    texts: dict[str, str]
    claims: tuple[Claim, ...] = ()
    without: frozenset[str] = frozenset()
    told: Mapping[str, tuple[Told, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Written:
    """What the language model says of each study, its regions one after another in slot order; prefixes are left out.

    `logits` `(B, n, V)`; `hidden` `(B, n, d)`, the states behind them; `labels` `(B, n)`, the id that stands at each
    place (so logits at n - 1 speak of it), -100 for prompts and padding.
    """

    logits: Tensor
    hidden: Tensor
    labels: Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Contrasted:
    """Unit vectors of images `(B, R, E)` and texts `(B, R, E)` of regions; `told` `(B, R)` where there is a text.

    `support` `(n,)` are the logits of all claims of the batch, in order.
    """

    image: Tensor
    text: Tensor
    told: Tensor
    support: Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Output:
    """The pieces of the losses, None where not asked for, the 3D `features` `(B, C, D, h, w)`, and the `region_tokens`
    `(B, R, q, d)` that the language model was shown."""

    written: Written | None
    contrasted: Contrasted | None
    features: Tensor
    region_tokens: Tensor


class RegionReporter(nn.Module):
    """The whole network. `language_model` is the causal model itself, `tokenizer` knows words and marks, `box_head` and
    `plan` are None where the configuration has none; hidden states are `config.language.width` wide."""

    def __init__(
        self,
        config: ModelConfig,
        tokenizer: ReportTokenizer,
        *,
        weights: bool = False,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        super().__init__()
        self.config, self.tokenizer = config, tokenizer
        self.visual = VisualTokens(config, weights=weights)
        self.text_side = TextSide(config.structure, tokenizer, weights=weights) if config.parts.support else None
        self.support_score = Support(config.structure.embedding) if config.parts.support else None
        self.box_head = BoxHead(config.box) if config.box is not None else None
        self.plan = Plan(config.findings, config.regions, config.language.width) if config.plans else None
        self.language_model = language_model(config, tokenizer, weights=weights, dtype=dtype)

    @property
    def device(self) -> torch.device:
        """Where the weights lie."""
        return next(self.parameters()).device

    def save_memory(self) -> None:
        """Compute the language model's layers a second time on the way back instead of keeping what they made."""
        model = base_of(self.language_model)
        now = getattr(model, "activation_checkpointing_enable", None)  # its name since transformers 5.2x
        (now or model.gradient_checkpointing_enable)()

    def encode(self, study: StudyInputs | EncodedStudy, without: Collection[str] = ()) -> EncodedStudy:
        """Return all that is seen of a study, but for the parts `without` (see `VisualTokens.hidden`).

        What is encoded already is not encoded again.
        """
        seen: EncodedStudy = study if isinstance(study, EncodedStudy) else self.visual(study.to(self.device))
        return self.visual.hidden(seen, without) if without else seen

    def features(self, study: StudyInputs | EncodedStudy) -> Tensor:
        """Return the 3D features `(C, D, h, w)`; they fill the cube of `study.frame`, as `BoxFrame` understands it."""
        return rearrange(self.encode(study).patches, "d c h w -> c d h w")

    def words(self, ids: Sequence[int]) -> Tensor:
        """Return the embeddings `(n, d)` of ids, in the language model's own number type."""
        table = base_of(self.language_model).get_input_embeddings()
        out: Tensor = table(torch.tensor(list(ids), dtype=torch.long, device=self.device))
        return out

    def prefix(self, study: StudyInputs | EncodedStudy) -> Tensor:
        """Return the common prefix `(1, P, d)`: the whole scan, a slice for each slot, attributes, instruction."""
        seen, marks = self.encode(study), self.tokenizer
        parts = [self.words([] if marks.begin_id is None else [marks.begin_id])]
        if self.config.global_tokens:
            parts += [self.words([marks.image_id]), seen.global_tokens, self.words([marks.image_end_id])]
        if self.config.slice_tokens:
            for mark, region_id in zip(marks.slot_ids, seen.study.slots, strict=False):
                parts += [self.words([mark]), seen.slice_tokens[seen.study.index(region_id)]]
        parts.append(self.words(self.attribute_ids(seen.study.attributes)))
        parts.append(self.words(marks.encode(self.config.instruction, marks=True)))
        return self._joined(parts)

    def region_prompt(self, study: StudyInputs | EncodedStudy, region_id: str) -> Tensor:
        """Return what follows the prefix for one region `(1, Q, d)`, equally long for all.

        Its name comes next; if the network plans, the token of its plan is between them.
        """
        seen = self.encode(study)
        mark = self.tokenizer.slot_ids[seen.study.slot(region_id)]
        tokens = seen.region_tokens[seen.study.index(region_id)]
        return self._joined([self.words([mark]), tokens, self.words([self.tokenizer.region_end_id])])

    def plan_token(self, seen: EncodedStudy, settled: Tensor) -> Tensor:
        """Return what follows a region's prompt `(1, d)`, if the network plans: the token of what is `settled`
        `(names,)` for it, zeros where that is hidden from the language model."""
        assert self.plan is not None
        token = self.plan.token(settled[None]) if seen.plans else torch.zeros(1, self.config.language.width)
        return token.to(self.words([]))

    def attribute_ids(self, lines: Sequence[str]) -> list[int]:
        """Return the ids of the lines that fit into `attribute_tokens`, each whole; none if attributes are off."""
        ids: list[int] = []
        for line in lines if self.config.parts.attributes else ():
            more = self.tokenizer.encode(line.strip() + "\n")
            if len(ids) + len(more) <= self.config.attribute_tokens:
                ids += more
        return ids

    def target_ids(self, region_id: str, text: str | None) -> list[int]:
        """Return what is to be written for a region: its name, its text or `<none>`, and the mark of its end."""
        return [*self.tokenizer.encode(target_of(region_id, text), marks=True), self.tokenizer.end_id]

    def apart(self, one: TrainingStudy, region_id: str) -> tuple[Told, ...]:
        """Return the sentences of a region that are taught alone: none without a plan."""
        return one.told.get(region_id, ()) if self.plan is not None and "plan" not in one.without else ()

    def text_embedding(self, texts: Sequence[str]) -> Tensor:
        """Return vectors `(n, E)` of length one for sentences or whole texts, marks of boxes left out.

        ValueError if there is no text side.
        """
        if self.text_side is None:
            raise ValueError("this network has no text side: `support` is switched off in its configuration")
        out: Tensor = self.text_side([text.replace(BOX, "") for text in texts])
        return out

    def support(self, study: StudyInputs | EncodedStudy, region_id: str, sentences: Sequence[str]) -> Tensor:
        """Return for each sentence how well it agrees with the image of a region, `(n,)` in 0..1."""
        seen = self.encode(study)
        claims = [Claim(region_id, sentence) for sentence in sentences]
        return self._support_logits(seen, claims).sigmoid()

    def forward(self, batch: Sequence[TrainingStudy], *, writing: bool = True, contrast: bool = True) -> Output:
        """Return the pieces of the losses for some studies; contrast needs the `support` part."""
        seen = [self.encode(one.study, one.without) for one in batch]
        return Output(
            written=self._written(batch, seen) if writing else None,
            contrasted=self._contrasted(batch, seen) if contrast and self.text_side is not None else None,
            features=torch.stack([self.features(one) for one in seen]),
            region_tokens=torch.stack([one.region_tokens for one in seen]),
        )

    def packed(self, batch: Sequence[TrainingStudy], seen: Sequence[EncodedStudy]) -> Packed:
        """Return studies as rows of one prefix and all regions, in slot order: sentences taught alone, then the rest.

        That is one block for each region, if its sentences are not taught apart.
        """
        rows = [
            [block for r in what.study.slots for block in self._blocks(one, what, r)]
            for one, what in zip(batch, seen, strict=True)
        ]
        return pack([self.prefix(what) for what in seen], rows)

    def _blocks(self, one: TrainingStudy, what: EncodedStudy, region_id: str) -> list[Block]:
        prompt = self.region_prompt(what, region_id)[0]

        def block(names: frozenset[FindingName], given: list[int], ids: list[int]) -> Block:
            begun = prompt
            if self.plan is not None:
                begun = torch.cat((prompt, self.plan_token(what, self.plan.row(names))))
            return Block(torch.cat((begun, self.words(given), self.words(ids))), ids)

        told, text = self.apart(one, region_id), one.texts.get(region_id)
        if not told:
            return [block(frozenset(), [], self.target_ids(region_id, text))]
        lines = "\n".join(sentence.text for sentence in told)
        given = self.tokenizer.encode(target_of(region_id, lines) + "\n", marks=True)
        rest = self.tokenizer.encode((text or "").removeprefix(lines).lstrip("\n"), marks=True)
        return [
            *(block(sentence.names, [], self.target_ids(region_id, sentence.text)) for sentence in told),
            block(frozenset().union(*(sentence.names for sentence in told)), given, [*rest, self.tokenizer.end_id]),
        ]

    def _written(self, batch: Sequence[TrainingStudy], seen: Sequence[EncodedStudy]) -> Written:
        rows = self.packed(batch, seen)
        said = self.language_model(
            inputs_embeds=rows.embeds,
            attention_mask=rows.sees,
            position_ids=rows.positions,
            use_cache=False,
            output_hidden_states=True,
            logits_to_keep=rows.embeds.shape[1] - rows.start,
        )
        return Written(said.logits, said.hidden_states[-1][:, rows.start :], rows.labels[:, rows.start :])

    def _contrasted(self, batch: Sequence[TrainingStudy], seen: Sequence[EncodedStudy]) -> Contrasted:
        texts = [[one.texts.get(r, "") for r in what.study.regions] for one, what in zip(batch, seen, strict=True)]
        embedded = self.text_embedding([text for row in texts for text in row])
        support = [self._support_logits(what, one.claims) for one, what in zip(batch, seen, strict=True)]
        return Contrasted(
            image=torch.stack([what.observed.embedding for what in seen if what.observed is not None]),
            text=rearrange(embedded, "(b r) e -> b r e", b=len(batch)),
            told=torch.tensor([[bool(text) for text in row] for row in texts], device=embedded.device),
            support=torch.cat(support),
        )

    def _support_logits(self, seen: EncodedStudy, claims: Sequence[Claim]) -> Tensor:
        if not claims:
            return torch.zeros(0, device=self.device)
        text = self.text_embedding([claim.text for claim in claims])
        rows = torch.tensor([seen.study.index(claim.region_id) for claim in claims], device=text.device)
        assert self.support_score is not None  # there is one if there is a text side
        out: Tensor = self.support_score(text, rows, seen.observed)
        return out

    def _joined(self, parts: Sequence[Tensor]) -> Tensor:
        dtype = parts[0].dtype  # the first part is words
        return torch.cat([part.to(dtype) for part in parts])[None]
