"""THE table: every label of both modes, and every value that we derive from them.

Sources: Enedis-NOI-CPT_54E v3, sections 6.1 (historique) and 6.2 (standard), for a Linky; Enedis-NOI-CPT_02E v6 for
older meters. A row states physics and the meter's own words; no MQTT, Home Assistant or SQL term stands in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Mode(StrEnum):
    """The two languages a Linky speaks; told by the separator, never by the speed."""

    HISTORIQUE = "historique"
    STANDARD = "standard"


# Bits a second, ten for each character. A few older meters speak historique faster; none slower.
BAUD: Final = {Mode.STANDARD: 9600, Mode.HISTORIQUE: 1200}


class Quantity(StrEnum):
    """What a value is. Decides its character class, its type and how it is shown."""

    IDENTIFIER = "identifier"  # digits that are a name: leading zeros count
    TEXT = "text"  # printable characters, padded with blanks
    WORD = "word"  # one of a closed list of words
    INSTANT = "instant"  # a date and time
    NUMBER = "number"  # a whole number without a unit
    ENERGY = "energy"  # Wh, an index that only rises
    REACTIVE_ENERGY = "reactive_energy"  # varh, an index that only rises
    APPARENT_POWER = "apparent_power"  # VA or kVA
    ACTIVE_POWER = "active_power"  # W
    CURRENT = "current"  # A
    VOLTAGE = "voltage"  # V
    DURATION = "duration"  # min or s
    SHARE = "share"  # %
    RATE = "rate"  # frames a minute
    STATUS_REGISTER = "status_register"  # STGE, 32 bits
    RELAYS = "relays"  # RELAIS, 8 bits
    PHASE_LOSS = "phase_loss"  # PPOT, 2 hexadecimal digits
    DAY_PROFILE = "day_profile"  # PJOURF+1, PPOINTE: 1 to 11 blocks
    FACT = "fact"  # true or false


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """One row: a label of the meter or, when `label` is None, a value derived from labels. Each row is itself only."""

    slug: str
    label: str | None
    mode: Mode | None
    fr: str
    en: str
    quantity: Quantity
    digits: int = 0  # exact number of characters of the data
    unit: str = ""
    limits: tuple[int, int] | None = None  # a number outside is no value of this label
    dated: bool = False  # carries a horodate
    seasonless: bool = False  # the horodate's season letter may be blank
    personal: bool = False  # leaves the bridge only on request
    transient: bool = False  # absent means "not now", not "unknown"
    same_as: str | None = None  # the canonical slug, when this label says the same thing
    phase: int = 0  # 1, 2 or 3: said by three-phase meters about one phase
    producer: bool = False  # said only by meters that also count injected energy
    words: Mapping[str, str | None] | None = None  # data as sent -> word; None is "not announced"

    @property
    def canonical(self) -> str:
        """The slug shared by all rows that say the same thing."""
        return self.same_as or self.slug

    @property
    def derived(self) -> bool:
        """True for what no meter sends and we compute."""
        return self.label is None


def _words(*pairs: tuple[str, str | None]) -> Mapping[str, str | None]:
    return MappingProxyType(dict(pairs))


_H, _S = Mode.HISTORIQUE, Mode.STANDARD
_Q = Quantity

TEMPO_COLOURS: Final = ("bleu", "blanc", "rouge")
_OPTIONS = _words(("BASE", "BASE"), ("HC..", "HC"), ("EJP.", "EJP"), ("BBR", "BBR"))  # BBRx: see values.py
_PERIODS = _words(
    *((f"{word:.<4}", word) for word in ("TH", "HC", "HP", "HN", "PM")),
    *((word, word) for word in ("HCJB", "HCJW", "HCJR", "HPJB", "HPJW", "HPJR")),
)
_TOMORROW = _words(("----", None), ("BLEU", "bleu"), ("BLAN", "blanc"), ("ROUG", "rouge"))


def _index(slug: str, mode: Mode, fr: str, en: str, same_as: str | None = None, *, producer: bool = False) -> Field:
    """A nine-digit energy index in Wh."""
    return Field(slug, slug.upper(), mode, fr, en, _Q.ENERGY, 9, "Wh", same_as=same_as, producer=producer)


_POWER: Final = (_Q.APPARENT_POWER, 5, "VA")

# One row, one line, so far as it fits.
# fmt: off
_HISTORIQUE: tuple[Field, ...] = (
    Field("adco", "ADCO", _H, "Adresse du compteur", "Meter address", _Q.IDENTIFIER, 12, same_as="adsc"),
    Field("optarif", "OPTARIF", _H, "Option tarifaire", "Tariff option", _Q.WORD, 4, words=_OPTIONS),
    Field("isousc", "ISOUSC", _H, "Intensité souscrite", "Subscribed current", _Q.CURRENT, 2, "A"),
    _index("base", _H, "Index total", "Total index", "east"),
    _index("hchc", _H, "Index heures creuses", "Off-peak index", "easf01"),
    _index("hchp", _H, "Index heures pleines", "Peak index", "easf02"),
    _index("ejphn", _H, "Index heures normales", "Normal hours index", "easf01"),
    _index("ejphpm", _H, "Index pointe mobile", "Mobile peak index", "easf02"),
    _index("bbrhcjb", _H, "Index heures creuses bleu", "Off-peak index, blue days", "easf01"),
    _index("bbrhpjb", _H, "Index heures pleines bleu", "Peak index, blue days", "easf02"),
    _index("bbrhcjw", _H, "Index heures creuses blanc", "Off-peak index, white days", "easf03"),
    _index("bbrhpjw", _H, "Index heures pleines blanc", "Peak index, white days", "easf04"),
    _index("bbrhcjr", _H, "Index heures creuses rouge", "Off-peak index, red days", "easf05"),
    _index("bbrhpjr", _H, "Index heures pleines rouge", "Peak index, red days", "easf06"),
    Field("pejp", "PEJP", _H, "Préavis EJP", "Mobile peak notice (EJP)", _Q.DURATION, 2, "min", transient=True),
    Field("ptec", "PTEC", _H, "Période tarifaire en cours", "Current tariff period", _Q.WORD, 4, words=_PERIODS),
    Field("demain", "DEMAIN", _H, "Couleur de demain", "Tomorrow's colour", _Q.WORD, 4, words=_TOMORROW),
    Field("iinst", "IINST", _H, "Intensité", "Current", _Q.CURRENT, 3, "A", same_as="irms1"),
    *(Field(f"iinst{n}", f"IINST{n}", _H, f"Intensité phase {n}", f"Current, phase {n}", _Q.CURRENT, 3, "A",
            same_as=f"irms{n}", phase=n)
      for n in (1, 2, 3)),
    Field("adps", "ADPS", _H, "Avertissement de dépassement", "Overrun warning", _Q.CURRENT, 3, "A", transient=True),
    *(Field(f"adir{n}", f"ADIR{n}", _H, f"Dépassement phase {n}", f"Overrun, phase {n}", _Q.CURRENT, 3, "A",
            transient=True, phase=n)
      for n in (1, 2, 3)),
    Field("imax", "IMAX", _H, "Intensité maximale", "Maximum current", _Q.CURRENT, 3, "A"),
    *(Field(f"imax{n}", f"IMAX{n}", _H, f"Intensité maximale phase {n}", f"Maximum current, phase {n}",
            _Q.CURRENT, 3, "A", phase=n)
      for n in (1, 2, 3)),
    # 54E section 6.1 heads the column "W" and then says "Smax (en VA) du jour n-1": a Linky sends VA.
    Field("pmax", "PMAX", _H, "Puissance maximale de la veille", "Yesterday's maximum power", *_POWER),
    Field("papp", "PAPP", _H, "Puissance apparente", "Apparent power", *_POWER, same_as="sinsts"),
    Field("hhphc", "HHPHC", _H, "Horaire heures pleines heures creuses", "Peak and off-peak schedule", _Q.TEXT, 1),
    Field("motdetat", "MOTDETAT", _H, "Mot d'état", "Status word", _Q.TEXT, 6),
    Field("ppot", "PPOT", _H, "Présence des potentiels", "Missing phases", _Q.PHASE_LOSS, 2),
)

_STANDARD: tuple[Field, ...] = (
    Field("adsc", "ADSC", _S, "Adresse du compteur", "Meter address", _Q.IDENTIFIER, 12),
    Field("vtic", "VTIC", _S, "Version de la TIC", "TIC version", _Q.IDENTIFIER, 2),
    Field("date", "DATE", _S, "Horloge du compteur", "Meter clock", _Q.INSTANT, 0, dated=True),
    Field("ngtf", "NGTF", _S, "Calendrier tarifaire", "Tariff calendar", _Q.TEXT, 16),
    Field("ltarf", "LTARF", _S, "Tarif en cours", "Current tariff", _Q.TEXT, 16),
    _index("east", _S, "Énergie soutirée totale", "Total energy drawn"),
    *(_index(f"easf{n:02}", _S, f"Index fournisseur {n}", f"Supplier index {n}") for n in range(1, 11)),
    *(_index(f"easd{n:02}", _S, f"Index distributeur {n}", f"Distributor index {n}") for n in range(1, 5)),
    _index("eait", _S, "Énergie injectée totale", "Total energy injected", producer=True),
    *(Field(f"erq{n}", f"ERQ{n}", _S, f"Énergie réactive quadrant {n}", f"Reactive energy, quadrant {n}",
            _Q.REACTIVE_ENERGY, 9, "varh", producer=True)
      for n in (1, 2, 3, 4)),
    Field("irms1", "IRMS1", _S, "Intensité phase 1", "Current, phase 1", _Q.CURRENT, 3, "A"),
    *(Field(f"irms{n}", f"IRMS{n}", _S, f"Intensité phase {n}", f"Current, phase {n}", _Q.CURRENT, 3, "A", phase=n)
      for n in (2, 3)),
    Field("urms1", "URMS1", _S, "Tension phase 1", "Voltage, phase 1", _Q.VOLTAGE, 3, "V"),
    *(Field(f"urms{n}", f"URMS{n}", _S, f"Tension phase {n}", f"Voltage, phase {n}", _Q.VOLTAGE, 3, "V", phase=n)
      for n in (2, 3)),
    Field("pref", "PREF", _S, "Puissance souscrite", "Subscribed power", _Q.APPARENT_POWER, 2, "kVA"),
    Field("pcoup", "PCOUP", _S, "Puissance de coupure", "Cut-off power", _Q.APPARENT_POWER, 2, "kVA"),
    Field("sinsts", "SINSTS", _S, "Puissance apparente", "Apparent power", *_POWER),
    # Pilot meters (Euridis type 67) spell three labels in their own way; SINST1 is not SINSTI.
    Field("sinst1", "SINST1", _S, "Puissance apparente", "Apparent power", *_POWER, same_as="sinsts"),
    *(Field(f"sinsts{n}", f"SINSTS{n}", _S, f"Puissance apparente phase {n}", f"Apparent power, phase {n}", *_POWER,
            phase=n)
      for n in (1, 2, 3)),
    Field("smaxsn", "SMAXSN", _S, "Puissance maximale du jour", "Today's maximum power", *_POWER, dated=True),
    Field("smaxn", "SMAXN", _S, "Puissance maximale du jour", "Today's maximum power", *_POWER, dated=True,
          same_as="smaxsn"),
    *(Field(f"smaxsn{n}", f"SMAXSN{n}", _S, f"Puissance maximale du jour phase {n}",
            f"Today's maximum power, phase {n}", *_POWER, dated=True, phase=n)
      for n in (1, 2, 3)),
    Field("smaxsn_prev", "SMAXSN-1", _S, "Puissance maximale de la veille", "Yesterday's maximum power", *_POWER,
          dated=True),
    Field("smaxn_prev", "SMAXN-1", _S, "Puissance maximale de la veille", "Yesterday's maximum power", *_POWER,
          dated=True, same_as="smaxsn_prev"),
    *(Field(f"smaxsn{n}_prev", f"SMAXSN{n}-1", _S, f"Puissance maximale de la veille phase {n}",
            f"Yesterday's maximum power, phase {n}", *_POWER, dated=True, phase=n)
      for n in (1, 2, 3)),
    Field("sinsti", "SINSTI", _S, "Puissance apparente injectée", "Apparent power injected", *_POWER, producer=True),
    Field("smaxin", "SMAXIN", _S, "Puissance injectée maximale du jour", "Today's maximum power injected", *_POWER,
          dated=True, producer=True),
    Field("smaxin_prev", "SMAXIN-1", _S, "Puissance injectée maximale de la veille",
          "Yesterday's maximum power injected", *_POWER, dated=True, producer=True),
    Field("ccasn", "CCASN", _S, "Courbe de charge soutirée", "Load curve, drawn", _Q.ACTIVE_POWER, 5, "W", dated=True),
    Field("ccasn_prev", "CCASN-1", _S, "Courbe de charge soutirée précédente", "Load curve, drawn, previous",
          _Q.ACTIVE_POWER, 5, "W", dated=True),
    Field("ccain", "CCAIN", _S, "Courbe de charge injectée", "Load curve, injected", _Q.ACTIVE_POWER, 5, "W",
          dated=True, producer=True),
    Field("ccain_prev", "CCAIN-1", _S, "Courbe de charge injectée précédente", "Load curve, injected, previous",
          _Q.ACTIVE_POWER, 5, "W", dated=True, producer=True),
    Field("umoy1", "UMOY1", _S, "Tension moyenne phase 1", "Mean voltage, phase 1", _Q.VOLTAGE, 3, "V", dated=True),
    *(Field(f"umoy{n}", f"UMOY{n}", _S, f"Tension moyenne phase {n}", f"Mean voltage, phase {n}", _Q.VOLTAGE, 3, "V",
            dated=True, phase=n)
      for n in (2, 3)),
    Field("stge", "STGE", _S, "Registre de statuts", "Status register", _Q.STATUS_REGISTER, 8),
    *(Field(f"{edge}pm{n}", f"{edge.upper()}PM{n}", _S, f"{fr} pointe mobile {n}", f"Mobile peak {n}, {en}",
            _Q.INSTANT, 2, dated=True, seasonless=True, transient=True)
      for n in (1, 2, 3) for edge, fr, en in (("d", "Début", "start"), ("f", "Fin", "end"))),
    Field("msg1", "MSG1", _S, "Message court", "Short message", _Q.TEXT, 32),
    Field("msg2", "MSG2", _S, "Message ultra-court", "Very short message", _Q.TEXT, 16, transient=True),
    Field("prm", "PRM", _S, "Point de référence mesure", "Delivery point", _Q.IDENTIFIER, 14, personal=True),
    Field("relais", "RELAIS", _S, "Relais", "Relays", _Q.RELAYS, 3),
    Field("ntarf", "NTARF", _S, "Index tarifaire en cours", "Current tariff index", _Q.NUMBER, 2, limits=(1, 10)),
    Field("njourf", "NJOURF", _S, "Jour du calendrier, aujourd'hui", "Calendar day, today", _Q.NUMBER, 2,
          limits=(0, 9)),
    Field("njourf_next", "NJOURF+1", _S, "Jour du calendrier, demain", "Calendar day, tomorrow", _Q.NUMBER, 2,
          limits=(0, 9)),
    Field("pjourf_next", "PJOURF+1", _S, "Profil du prochain jour", "Profile of the next day", _Q.DAY_PROFILE, 98),
    Field("ppointe", "PPOINTE", _S, "Profil du prochain jour de pointe", "Profile of the next peak day",
          _Q.DAY_PROFILE, 98, transient=True),
)
# fmt: on


def _said(*words: str) -> Mapping[str, str | None]:
    """The words of a derived value: they are their own data."""
    return _words(*((word, word) for word in words))


def _derived(
    slug: str,
    fr: str,
    en: str,
    quantity: Quantity,
    unit: str = "",
    words: Mapping[str, str | None] | None = None,
    phase: int = 0,
) -> Field:
    return Field(slug, None, None, fr, en, quantity, unit=unit, words=words, phase=phase)


_PEAKS = _said("pm1", "pm2", "pm3")

# fmt: off
_DERIVED: tuple[Field, ...] = (
    _derived("breaker", "Organe de coupure", "Breaker", _Q.WORD,
             words=_said("closed", "over_power", "over_voltage", "load_shedding", "order", "overheating_high",
                         "overheating_low", "unknown")),
    _derived("terminal_cover", "Cache-bornes ouvert", "Terminal cover open", _Q.FACT),
    _derived("overvoltage", "Surtension", "Over-voltage", _Q.FACT),
    _derived("over_power", "Dépassement de la puissance souscrite", "Above subscribed power", _Q.FACT),
    *(_derived(f"over_power_{n}", f"Dépassement de l'intensité souscrite, phase {n}",
               f"Above subscribed current, phase {n}", _Q.FACT, phase=n)
      for n in (1, 2, 3)),
    _derived("role", "Fonctionnement", "Role", _Q.WORD, words=_said("consumer", "producer")),
    _derived("energy_direction", "Sens de l'énergie active", "Direction of active energy", _Q.WORD,
             words=_said("drawn", "injected")),
    _derived("tariff_index", "Numéro de l'index en cours", "Number of the current index", _Q.NUMBER),
    _derived("distributor_tariff", "Index distributeur en cours", "Current distributor index", _Q.NUMBER),
    _derived("tariff_period", "Période tarifaire", "Tariff period", _Q.TEXT),
    _derived("next_tariff_change", "Prochain changement de tarif", "Next tariff change", _Q.INSTANT),
    _derived("clock_degraded", "Horloge du compteur dégradée", "Meter clock degraded", _Q.FACT),
    _derived("tic_output", "Mode de la sortie TIC", "Mode of the TIC output", _Q.WORD,
             words=_said("historique", "standard")),
    _derived("euridis", "Sortie Euridis", "Euridis output", _Q.WORD, words=_said("off", "open", "secured", "unknown")),
    _derived("plc", "Liaison CPL", "Power line link", _Q.WORD,
             words=_said("new_unlock", "new_lock", "registered", "unknown")),
    _derived("plc_synchronised", "CPL synchronisé", "Power line link synchronised", _Q.FACT),
    _derived("tempo_today", "Couleur Tempo du jour", "Tempo colour today", _Q.WORD, words=_said(*TEMPO_COLOURS)),
    _derived("tempo_tomorrow", "Couleur Tempo de demain", "Tempo colour tomorrow", _Q.WORD,
             words=_said(*TEMPO_COLOURS)),
    _derived("peak_notice", "Préavis de pointe mobile", "Mobile peak notice", _Q.WORD, words=_PEAKS),
    _derived("peak", "Pointe mobile en cours", "Mobile peak in force", _Q.WORD, words=_PEAKS),
    _derived("relay_1", "Contact sec", "Dry contact", _Q.FACT),
    *(_derived(f"relay_{n}", f"Relais virtuel {n}", f"Virtual relay {n}", _Q.FACT) for n in range(2, 9)),
    _derived("power_used_percent", "Part de la puissance souscrite", "Share of subscribed power", _Q.SHARE, "%"),
    _derived("active_power_mean", "Puissance active moyenne (calculée)", "Mean active power (computed)",
             _Q.ACTIVE_POWER, "W"),
    _derived("breaker_margin", "Puissance disponible avant disjonction", "Power left before the breaker opens",
             _Q.APPARENT_POWER, "VA"),
    _derived("breaker_seconds_to_trip", "Temps restant avant disjonction", "Time left before the breaker opens",
             _Q.DURATION, "s"),
    _derived("link_quality", "Qualité de la liaison", "Line quality", _Q.SHARE, "%"),
    _derived("frames_per_minute", "Trames par minute", "Frames per minute", _Q.RATE, "1/min"),
    _derived("last_frame", "Dernière trame", "Last frame", _Q.INSTANT),
    _derived("refused_groups", "Groupes refusés", "Groups refused", _Q.NUMBER),
)
# fmt: on

FIELDS: Final[tuple[Field, ...]] = (*_HISTORIQUE, *_STANDARD, *_DERIVED)

BY_LABEL: Final[Mapping[Mode, Mapping[str, Field]]] = MappingProxyType(
    {mode: MappingProxyType({f.label: f for f in FIELDS if f.mode is mode and f.label is not None}) for mode in Mode}
)
BY_SLUG: Final[Mapping[str, Field]] = MappingProxyType({f.slug: f for f in FIELDS})
DERIVED: Final[Mapping[str, Field]] = MappingProxyType({f.slug: f for f in FIELDS if f.derived})
