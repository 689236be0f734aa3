"""Roll-ups of the meter and of Enedis's files as one series: the one place that decides between them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple

from django.db.models import BigIntegerField, F, Func

from storage.models import Meter, Rollup
from storage.queries.periods import Period, instant
from storage.window import REGISTERS

_METER: Final = int(Rollup.Origin.METER)


class Bucket(NamedTuple):
    """What is known of a bucket."""

    start: int  # seconds since 1970
    seconds: int
    readings: int
    covered: int  # seconds heard
    estimated: bool
    has_reset: bool
    from_file: bool  # at least one of its energies is
    energies: tuple[int | None, ...]  # Wh of each register that was asked for


class Plain(Func):
    """A column as the database holds it: whole seconds, or 0 and 1."""

    template = "%(expressions)s"
    output_field = BigIntegerField()


def merged(meter: Meter, step: Rollup.Step, period: Period, registers: Sequence[str] = REGISTERS) -> list[Bucket]:
    """The buckets that begin in a period, by time; a bucket of which nothing is known is left out.

    `seconds` are those of the step, also of a day that has fewer or more.
    """
    rows = (
        Rollup.objects.filter(meter=meter, step=step, start__gte=instant(period.start), start__lt=instant(period.end))
        .order_by("start", "origin")
        .values_list(
            Plain("start"), "origin", "readings", "covered", Plain(F("estimated")), Plain(F("has_reset")), *registers
        )
    )
    return list(_merge(rows, int(step)))


def _merge(rows: Iterable[tuple[Any, ...]], seconds: int) -> Iterator[Bucket]:  # integers, and the energies' None
    """Rows of one start follow each other, the meter's first."""
    last: Bucket | None = None
    for start, origin, readings, covered, estimated, has_reset, *energies in rows:
        if origin != _METER and last is not None and last.start == start:
            last = prefer(last, energies)
            continue
        if last is not None:
            yield last
        last = Bucket(
            start, seconds, readings, covered, bool(estimated), bool(has_reset), origin != _METER, tuple(energies)
        )
    if last is not None:
        yield last


def prefer(own: Bucket, file: Sequence[int | None]) -> Bucket:
    """The meter's energies, but a file's where the meter was silent or did not say.

    A file tells totals only: the supplier indexes stay the meter's, and their sum over a silence is exact.
    """
    pairs = list(zip(own.energies, file, strict=True))
    if own.readings or not own.estimated:
        energies = tuple(other if mine is None else mine for mine, other in pairs)
        estimated = own.estimated
    else:
        energies = tuple(mine if other is None else other for mine, other in pairs)
        estimated = any(other is None for mine, other in pairs if mine is not None)
    return own._replace(energies=energies, estimated=estimated, from_file=energies != own.energies)
