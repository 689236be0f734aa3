"""What a simulated meter says in mode historique (54E section 6.1)."""

from __future__ import annotations

from collections.abc import Iterable

from bridge.simulated.contract import INDEXES, TERMS, Contract, ejp_notice, name, tomorrow
from bridge.simulated.registers import Instant, Registers, apparent, five_digits
from bridge.tic.catalogue import Mode
from bridge.tic.values import PhaseLoss, Value


def over(now: Instant) -> list[int]:
    """The phases that exceed the subscribed current."""
    return [n for n, amperes in now.currents.items() if amperes > now.plan.subscribed_current]


def short_frame(now: Instant, phases: Iterable[int]) -> dict[str, Value]:
    """Three phases during an overrun: those in overrun, the address, the currents, and nothing else."""
    currents = now.currents
    return {
        **{f"adir{n}": currents[n] for n in phases},
        "adco": now.plan.meter_id,
        **{f"iinst{n}": amperes for n, amperes in currents.items()},
    }


def long_frame(now: Instant, registers: Registers) -> dict[str, Value]:
    """All there is to say, in the order of the note."""
    plan = now.plan
    values: dict[str, Value] = {
        "adco": plan.meter_id, "optarif": TERMS[plan.contract].option, "isousc": plan.subscribed_current,
        **dict(zip(INDEXES[plan.contract], registers.drawn, strict=False)),
    }  # fmt: skip
    if plan.contract is Contract.EJP and ejp_notice(now.local, plan.seed):
        values["pejp"] = 30
    values["ptec"] = name(plan.contract, Mode.HISTORIQUE, now.index)
    if plan.contract is Contract.TEMPO:
        values["demain"] = tomorrow(now.local, plan.seed)
    values |= _single_phase(now) if plan.phases == 1 else _three_phases(now, registers)
    values |= {"papp": apparent(now.total), "hhphc": "A", "motdetat": "000000"}
    if plan.phases == 3:
        values["ppot"] = PhaseLoss(0)
    return values


def _single_phase(now: Instant) -> dict[str, Value]:
    current = now.currents[1]
    warning: dict[str, Value] = {"adps": current} if over(now) else {}
    return {"iinst": current, **warning, "imax": 90}


def _three_phases(now: Instant, registers: Registers) -> dict[str, Value]:
    return {
        **{f"iinst{n}": amperes for n, amperes in now.currents.items()},
        **{f"imax{n}": 60 for n in (1, 2, 3)},
        "pmax": five_digits(registers.taking[0].before.power),
    }
