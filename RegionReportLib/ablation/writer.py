"""Makes the record of a patient: what each row writes about it, what the baselines say, how its claims are scored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..model import checkpoint
from ..model.generate import Settings
from ..model.network import RegionReporter
from ..progress import Progress, Work, aside, part
from ..train.phantom_source import PhantomSource
from .baselines import normal_template
from .judging import claims_of, judged
from .order import Order
from .patients import Patient, Patients
from .rows import MEASURED, NORMAL, Row, rows_named
from .told import PatientRecord
from .writing import look, write_rows


@dataclass(frozen=True, slots=True, eq=False)
class Writer:
    """A network in evaluation mode, the patients, and the rows to be written."""

    network: RegionReporter
    patients: Patients
    rows: tuple[Row, ...]
    settings: Settings | None = None

    def records(self, numbers: Sequence[int]) -> Work[tuple[PatientRecord, ...]]:
        """Return the records of some patients; what their partners are said to have serves as false claims."""
        known: dict[int, Patient] = {}
        out = []
        for done, number in enumerate(numbers):
            for wanted in (number, number ^ 1):
                if wanted not in known:
                    at = Progress(done / len(numbers), f"making patient {wanted + 1}")
                    known[wanted] = yield from aside(lambda n=wanted: self.patients.patient(n), at)  # type: ignore[misc]
            work = self._record(known[number], known[number ^ 1])
            out.append((yield from part(work, done / len(numbers), (done + 1) / len(numbers))))
        return tuple(out)

    def _record(self, patient: Patient, partner: Patient) -> Work[PatientRecord]:
        case = patient.case
        yield Progress(0.0, f"reading {case.id}")
        seen = yield from part(aside(lambda: look(self.network, case.inputs), Progress(0.0, "reading")), 0.0, 0.1)
        others = [sentence for wording in partner.case.wordings for sentence in wording]
        claims = seen.judge(claims_of(case, patient.errors, others))
        written = yield from part(write_rows(seen, [row.hidden for row in self.rows], self.settings), 0.1, 1.0)
        reports = {row.id: judged(case, written[row.hidden]) for row in self.rows}
        reports |= {NORMAL: judged(case, normal_template()), MEASURED: judged(case, patient.measured)}
        return PatientRecord(patient.seed, case.wordings[0], claims, reports)


def open_writer(order: Order) -> Work[Writer]:
    """Return the writer of an order; NeedMissing without a model, InputRefused for a damaged one."""
    network = yield from checkpoint.load(order.model)
    # A partner may be one patient more than is asked for.
    source = PhantomSource(network.config, order.data, order.first, order.count + order.count % 2)
    return Writer(network, Patients(source, order.cache), rows_named(order.rows))
