"""What a frame says, as frozen pydantic models: one per mode.

A field left out means "the meter did not send it"; a field that is None means "sent, and not announced now"
(DEMAIN `----`). Units are the meter's: Wh, varh, VA, kVA, W, A, V, min.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import cache
from typing import Annotated, Any, ClassVar, Final, Self

from pydantic import BaseModel, ConfigDict, Field, InstanceOf, TypeAdapter, with_config
from typing_extensions import TypedDict

from bridge.tic.catalogue import BY_SLUG, Mode
from bridge.tic.values import DayProfile, Json, PhaseLoss, Relays, Stamp, StatusRegister, Value, to_json

Digits2 = Annotated[int, Field(ge=0, le=99)]
Digits3 = Annotated[int, Field(ge=0, le=999)]
Digits5 = Annotated[int, Field(ge=0, le=99_999)]
Digits9 = Annotated[int, Field(ge=0, le=999_999_999)]
ADDRESS: Final = {Mode.HISTORIQUE: "adco", Mode.STANDARD: "adsc"}
MeterId = Annotated[str, Field(pattern=r"^[0-9]{12}$")]


class Reading(BaseModel):
    """All accepted values of one frame."""

    # The decoder hands over typed values; nothing may be coerced on the way in.
    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True, strict=True)
    mode: ClassVar[Mode]

    complete: bool = True  # False: the frame was cut, or a group says something twice
    stamps: Mapping[str, InstanceOf[Stamp]] = Field(default_factory=dict)  # slug -> the horodate sent with it
    extra: Mapping[str, str] = Field(default_factory=dict)  # unknown labels with a right checksum, raw

    def values(self) -> Iterator[tuple[str, Value]]:
        """(slug, value) of each label that the frame carried, in the order of the catalogue."""
        sent = self.model_fields_set
        return ((slug, getattr(self, slug)) for slug in BY_SLUG if slug in sent)

    def to_json(self) -> dict[str, Json]:
        """slug -> value as JSON, of each label that the frame carried."""
        return {slug: to_json(value) for slug, value in self.values()}

    @property
    def address(self) -> tuple[str, str | None]:
        """The slug of the meter's address in this mode, and the address: 12 digits."""
        slug = ADDRESS[self.mode]
        return slug, getattr(self, slug)

    @property
    def meter_id(self) -> str | None:
        """The meter's address (ADCO, ADSC)."""
        return self.address[1]

    def without(self, *slugs: str) -> Self:
        """The same reading with these labels left out."""
        state = self.__dict__.copy()
        for slug in slugs:
            state[slug] = None
        if not self.stamps.keys().isdisjoint(slugs):
            state["stamps"] = {slug: stamp for slug, stamp in self.stamps.items() if slug not in slugs}
        return self._like(state, self.__pydantic_fields_set__.difference(slugs))

    def revised(self, values: Mapping[str, Any], stamps: Mapping[str, Stamp]) -> Self:
        """The same labels and perhaps more, some with other values: only those are validated again.

        No validator of a reading looks at two labels, so what held for the others still holds.
        """
        model = type(self)
        state = self.__dict__.copy()
        if len(values) > _MANY:
            state.update(_validator(model)(values))
        else:
            for slug, value in values.items():
                state[slug] = _validator(model, slug)(value)
        if stamps:
            state["stamps"] = {**self.stamps, **stamps}
        sent = self.__pydantic_fields_set__
        return self._like(state, sent if sent.issuperset(values) else sent.union(values))

    def _like(self, state: dict[str, Any], sent: set[str]) -> Self:
        """Another reading of this mode: what pydantic's own copy does, without copying what a frozen model shares."""
        new = self.__new__(type(self))
        object.__setattr__(new, "__dict__", state)
        object.__setattr__(new, "__pydantic_fields_set__", sent)
        object.__setattr__(new, "__pydantic_extra__", None)
        object.__setattr__(new, "__pydantic_private__", None)
        return new

    def get(self, slug: str) -> Any:  # the type depends on the slug; callers that know it use the attribute
        """The value of a label, or None."""
        return getattr(self, slug, None)


class Historique(Reading):
    """A frame in mode historique (54E section 6.1; 02E for CBEMM and CBETM)."""

    mode = Mode.HISTORIQUE

    adco: MeterId | None = None
    optarif: str | None = None
    isousc: Digits2 | None = None
    base: Digits9 | None = None
    hchc: Digits9 | None = None
    hchp: Digits9 | None = None
    ejphn: Digits9 | None = None
    ejphpm: Digits9 | None = None
    bbrhcjb: Digits9 | None = None
    bbrhpjb: Digits9 | None = None
    bbrhcjw: Digits9 | None = None
    bbrhpjw: Digits9 | None = None
    bbrhcjr: Digits9 | None = None
    bbrhpjr: Digits9 | None = None
    pejp: Digits2 | None = None
    ptec: str | None = None
    demain: str | None = None
    iinst: Digits3 | None = None
    iinst1: Digits3 | None = None
    iinst2: Digits3 | None = None
    iinst3: Digits3 | None = None
    adps: Digits3 | None = None
    adir1: Digits3 | None = None
    adir2: Digits3 | None = None
    adir3: Digits3 | None = None
    imax: Digits3 | None = None
    imax1: Digits3 | None = None
    imax2: Digits3 | None = None
    imax3: Digits3 | None = None
    pmax: Digits5 | None = None
    papp: Digits5 | None = None
    hhphc: str | None = None
    motdetat: str | None = None
    ppot: PhaseLoss | None = None


class Standard(Reading):
    """A frame in mode standard (54E section 6.2)."""

    mode = Mode.STANDARD

    adsc: MeterId | None = None
    vtic: str | None = None
    date: datetime | None = None
    ngtf: str | None = None
    ltarf: str | None = None
    east: Digits9 | None = None
    easf01: Digits9 | None = None
    easf02: Digits9 | None = None
    easf03: Digits9 | None = None
    easf04: Digits9 | None = None
    easf05: Digits9 | None = None
    easf06: Digits9 | None = None
    easf07: Digits9 | None = None
    easf08: Digits9 | None = None
    easf09: Digits9 | None = None
    easf10: Digits9 | None = None
    easd01: Digits9 | None = None
    easd02: Digits9 | None = None
    easd03: Digits9 | None = None
    easd04: Digits9 | None = None
    eait: Digits9 | None = None
    erq1: Digits9 | None = None
    erq2: Digits9 | None = None
    erq3: Digits9 | None = None
    erq4: Digits9 | None = None
    irms1: Digits3 | None = None
    irms2: Digits3 | None = None
    irms3: Digits3 | None = None
    urms1: Digits3 | None = None
    urms2: Digits3 | None = None
    urms3: Digits3 | None = None
    pref: Digits2 | None = None
    pcoup: Digits2 | None = None
    sinsts: Digits5 | None = None
    sinst1: Digits5 | None = None
    sinsts1: Digits5 | None = None
    sinsts2: Digits5 | None = None
    sinsts3: Digits5 | None = None
    smaxsn: Digits5 | None = None
    smaxn: Digits5 | None = None
    smaxsn1: Digits5 | None = None
    smaxsn2: Digits5 | None = None
    smaxsn3: Digits5 | None = None
    smaxsn_prev: Digits5 | None = None
    smaxn_prev: Digits5 | None = None
    smaxsn1_prev: Digits5 | None = None
    smaxsn2_prev: Digits5 | None = None
    smaxsn3_prev: Digits5 | None = None
    sinsti: Digits5 | None = None
    smaxin: Digits5 | None = None
    smaxin_prev: Digits5 | None = None
    ccasn: Digits5 | None = None
    ccasn_prev: Digits5 | None = None
    ccain: Digits5 | None = None
    ccain_prev: Digits5 | None = None
    umoy1: Digits3 | None = None
    umoy2: Digits3 | None = None
    umoy3: Digits3 | None = None
    stge: StatusRegister | None = None
    dpm1: datetime | None = None
    fpm1: datetime | None = None
    dpm2: datetime | None = None
    fpm2: datetime | None = None
    dpm3: datetime | None = None
    fpm3: datetime | None = None
    msg1: str | None = None
    msg2: str | None = None
    prm: str | None = None
    relais: Relays | None = None
    ntarf: Digits2 | None = None
    njourf: Digits2 | None = None
    njourf_next: Digits2 | None = None
    pjourf_next: DayProfile | None = None
    ppointe: DayProfile | None = None


MODELS: Mapping[Mode, type[Reading]] = {Mode.HISTORIQUE: Historique, Mode.STANDARD: Standard}


_MANY: Final = 12  # values from which on one call that looks for all labels is cheaper than a call for each


@cache
def _validator(model: type[Reading], slug: str | None = None) -> Callable[[Any], Any]:  # takes a value of any type
    """The validator of one label's value, or of a dict of any number of labels' values; made when first needed."""
    own = {name: field.annotation for name, field in model.model_fields.items() if name not in Reading.model_fields}
    config = ConfigDict(strict=True, arbitrary_types_allowed=True, extra="forbid")
    if slug is not None:
        annotation: Any = own[slug]  # a type, in whatever form pydantic keeps it
        return TypeAdapter[Any](annotation, config=config).validator.validate_python
    values: Any = TypedDict("values", own, total=False)  # type: ignore[misc]  # made here, from the model
    return TypeAdapter[Any](with_config(config)(values)).validator.validate_python
