"""What the meter said, and how far each bridge's numbered readings are handled."""

from __future__ import annotations

from typing import ClassVar
from uuid import uuid4

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from bridge.tic.identity import Identity, identify
from storage.entities.models import Entity, natural
from storage.groups import MeterGroup, Sight  # noqa: F401  Django finds its models here
from storage.instants import InstantField


class Meter(Entity):
    """A meter that sent at least one reading."""

    meter_id = models.CharField(_("meter"), max_length=64, unique=True)
    name = models.CharField(_("name"), max_length=64, blank=True)
    position = models.PositiveSmallIntegerField(_("place in lists"), default=0)
    group = models.ForeignKey(MeterGroup, models.SET_NULL, null=True, blank=True, verbose_name=_("group"))
    mode = models.CharField(_("mode"), max_length=10)
    timezone = models.CharField(_("time zone"), max_length=64)
    phases = models.SmallIntegerField(_("phases"), null=True, editable=False)  # by its address, else by what it says
    power = models.SmallIntegerField(_("subscribed power (kVA)"), null=True, editable=False)  # as it says
    # Of older readings only the edges of hours and gaps are kept.
    raw_since = InstantField(_("whole since"), null=True, editable=False)

    natural_key = natural("meter_id")
    bookkeeping: ClassVar = frozenset({"raw_since"})

    class Meta:
        verbose_name = _("meter")
        verbose_name_plural = _("meters")

    def __str__(self) -> str:
        return self.name or self.meter_id

    @property
    def identity(self) -> Identity | None:
        """Maker, year and type, as its address tells; None for an address that is not of 12 digits."""
        return identify(self.meter_id)


def _new_store_id() -> str:
    return uuid4().hex[:12]


class Store(models.Model):
    """This database's name on the broker: one row. Several workers of one database are one store."""

    store_id = models.CharField(max_length=12, default=_new_store_id)

    def __str__(self) -> str:
        return self.store_id


class EpochManager(models.Manager["Epoch"]):
    """Finds an epoch by what it is called outside of this database."""

    def get_by_natural_key(self, meter_id: str, uuid: str) -> Epoch:
        """For fixtures."""
        return self.get(meter__meter_id=meter_id, uuid=uuid)


class Epoch(models.Model):
    """One start of a bridge, for one meter: inside it readings are numbered 1, 2, 3 ..."""

    meter = models.ForeignKey(Meter, models.CASCADE, verbose_name=_("meter"))
    uuid = models.UUIDField(_("epoch"))
    bridge = models.CharField(_("bridge"), max_length=64)
    handled = models.BigIntegerField(_("handled up to"))  # each seq up to here is in Data, DeadLetter or Gap
    floor = models.BigIntegerField(_("oldest held by the bridge"))

    objects = EpochManager()

    class Meta:
        verbose_name = _("epoch")
        verbose_name_plural = _("epochs")
        constraints = (models.UniqueConstraint(fields=("meter", "uuid"), name="epoch_once"),)

    def __str__(self) -> str:
        return f"{self.meter_id}/{self.uuid}"

    def natural_key(self) -> tuple[str, str]:
        """What it is called outside of this database."""
        return *self.meter.natural_key(), str(self.uuid)

    natural_key.dependencies = ("storage.meter",)  # type: ignore[attr-defined]  # Django's own way


def _index() -> models.IntegerField[int | None, int | None]:
    """Wh: nine digits fit a 32-bit integer."""
    return models.IntegerField(null=True)


def _small() -> models.SmallIntegerField[int | None, int | None]:
    return models.SmallIntegerField(null=True)


class Data(models.Model):
    """One reading. Columns keep the names of the first tutorial's table; a label not sent is NULL, never 0."""

    meter = models.ForeignKey(Meter, models.CASCADE, verbose_name=_("meter"), db_index=False)
    epoch = models.ForeignKey(Epoch, models.CASCADE, verbose_name=_("epoch"), db_index=False)
    seq = models.BigIntegerField()
    dateTime = models.DateTimeField(_("received"))  # noqa: N815  the tutorial's column; the only axis of time
    date = models.CharField(_("meter's stamp"), max_length=13, null=True)  # the raw horodate
    stamp_utc = models.DateTimeField(_("meter's time"), null=True)  # from `date`, unless the meter doubts its clock
    ltarf = models.CharField(_("tariff"), max_length=16, null=True)
    ntarf = _small()
    east = _index()
    easf01 = _index()
    easf02 = _index()
    easf03 = _index()
    easf04 = _index()
    easf05 = _index()
    easf06 = _index()
    easf07 = _index()
    easf08 = _index()
    easf09 = _index()
    easf10 = _index()
    easd01 = _index()
    easd02 = _index()
    easd03 = _index()
    easd04 = _index()
    eait = _index()
    sinsts = models.IntegerField(null=True)
    sinsts1 = models.IntegerField(null=True)
    sinsts2 = models.IntegerField(null=True)
    sinsts3 = models.IntegerField(null=True)
    sinsti = models.IntegerField(null=True)
    irms1 = _small()
    irms2 = _small()
    irms3 = _small()
    urms1 = _small()
    urms2 = _small()
    urms3 = _small()
    extra = models.JSONField(null=True)

    class Meta:
        verbose_name = _("reading")
        verbose_name_plural = _("readings")
        constraints = (models.UniqueConstraint(fields=("epoch", "seq"), name="data_once"),)
        indexes = (models.Index(fields=("meter", "dateTime"), name="data_meter_time"),)

    def __str__(self) -> str:
        return f"{self.meter_id} {self.dateTime:%Y-%m-%d %H:%M:%S}"


class Gap(models.Model):
    """What is missing: readings of an epoch that can no longer come, or the time before it when no bridge ran."""

    class Reason(models.TextChoices):
        DROPPED = "dropped", _("no room at the bridge")
        STOPPED = "stopped", _("the bridge did not run")
        LACKING = "lacking", _("not all of storage.required was there")

    epoch = models.ForeignKey(Epoch, models.CASCADE, verbose_name=_("epoch"))
    reason = models.CharField(_("reason"), max_length=8, choices=Reason, default=Reason.DROPPED)
    first = models.BigIntegerField(_("first"), null=True)  # seq, of what was dropped
    last = models.BigIntegerField(_("last"), null=True)
    begins = models.DateTimeField(_("from"), null=True)  # of a bridge that did not run: the last reading before
    ends = models.DateTimeField(_("until"), null=True)  # and the first one after
    noticed = models.DateTimeField(_("noticed"), default=timezone.now)

    class Meta:
        verbose_name = _("gap")
        verbose_name_plural = _("gaps")

    def __str__(self) -> str:
        if self.begins is not None and self.ends is not None:
            return f"{self.epoch_id}: {self.begins:%Y-%m-%d %H:%M:%S} - {self.ends:%Y-%m-%d %H:%M:%S}"
        return f"{self.epoch_id}: {self.first}-{self.last}"


class DeadLetter(models.Model):
    """A `reading` message that cannot become a row: kept as it came, with the reason."""

    received = models.DateTimeField(_("received"), auto_now_add=True)
    topic = models.CharField(_("topic"), max_length=255)
    body = models.BinaryField(_("message"), max_length=65536)
    reason = models.CharField(_("reason"), max_length=255)
    epoch = models.ForeignKey(Epoch, models.CASCADE, null=True, verbose_name=_("epoch"))
    seq = models.BigIntegerField(null=True)

    class Meta:
        verbose_name = _("message set aside")
        verbose_name_plural = _("messages set aside")
        constraints = (models.UniqueConstraint(fields=("epoch", "seq"), name="dead_letter_once"),)

    def __str__(self) -> str:
        return f"{self.topic}: {self.reason}"


class Register(models.Model):
    """An index that a meter says, and its newest value: what a bucket that does not hear it looks back to."""

    meter = models.ForeignKey(Meter, models.CASCADE, verbose_name=_("meter"))
    name = models.CharField(_("index"), max_length=6)  # a column of Data
    since = models.DateTimeField(_("since"))  # its first reading
    at = models.DateTimeField(_("at"))
    value = models.IntegerField(_("value"))  # Wh

    class Meta:
        verbose_name = _("index")
        verbose_name_plural = _("indexes")
        constraints = (models.UniqueConstraint(fields=("meter", "name"), name="register_once"),)

    def __str__(self) -> str:
        return f"{self.meter_id} {self.name} {self.value} Wh"


def _energy() -> models.IntegerField[int | None, int | None]:
    """Wh of a bucket; NULL is unknown."""
    return models.IntegerField(null=True)


class Rollup(models.Model):
    """What a minute, half an hour, an hour or a civil day saw. Columns are named as in Data; energies are differences.

    `sinsts` and `sinsti` tell of power in VA, of the readings that fell into the bucket: no reading, no power. Energy
    comes from the indexes alone, each interpolated between the readings before and after the bucket's ends: so it is
    exact wherever the line was heard at these moments, and marked `estimated` where it was not.
    """

    class Step(models.IntegerChoices):
        MINUTE = 60, _("minute")
        HALF_HOUR = 1800, _("half hour")  # of imported load curves only
        HOUR = 3600, _("hour")
        DAY = 86400, _("day")  # civil, of the meter's zone: 23 or 25 hours twice a year

    class Origin(models.IntegerChoices):
        METER = 0, _("the meter's readings")
        ENEDIS = 1, _("a file of Enedis")

    meter = models.ForeignKey(Meter, models.CASCADE, verbose_name=_("meter"), db_index=False)
    step = models.IntegerField(_("step"), choices=Step)
    start = InstantField(_("start"))
    origin = models.SmallIntegerField(_("origin"), choices=Origin, default=Origin.METER)
    readings = models.IntegerField(_("readings"), default=0)  # that tell the power
    covered = models.IntegerField(_("seconds heard"), default=0)
    sinsts_sum = models.BigIntegerField(null=True)
    sinsts_min = models.IntegerField(null=True)
    sinsts_max = models.IntegerField(null=True)
    sinsti_readings = models.IntegerField(default=0)
    sinsti_sum = models.BigIntegerField(null=True)
    sinsti_max = models.IntegerField(null=True)
    east = _energy()
    easf01 = _energy()
    easf02 = _energy()
    easf03 = _energy()
    easf04 = _energy()
    easf05 = _energy()
    easf06 = _energy()
    easf07 = _energy()
    easf08 = _energy()
    easf09 = _energy()
    easf10 = _energy()
    eait = _energy()
    estimated = models.BooleanField(_("estimated"), default=False)
    has_reset = models.BooleanField(_("an index began anew"), default=False)
    source = models.ForeignKey("Import", models.CASCADE, null=True, verbose_name=_("import"), db_index=False)

    class Meta:
        verbose_name = _("roll-up")
        verbose_name_plural = _("roll-ups")
        constraints = (models.UniqueConstraint(fields=("meter", "step", "start", "origin"), name="rollup_once"),)

    def __str__(self) -> str:
        return f"{self.meter_id} {self.get_step_display()} {self.start:%Y-%m-%d %H:%M}"


class Dirty(models.Model):
    """An hour of which readings came since it was rolled up; written in the transaction that writes them."""

    meter = models.ForeignKey(Meter, models.CASCADE, verbose_name=_("meter"), db_index=False)
    hour = InstantField()
    first = models.BigIntegerField()  # milliseconds since 1970 of the first reading that came
    last = models.BigIntegerField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("meter", "hour"), name="dirty_once"),)

    def __str__(self) -> str:
        return f"{self.meter_id} {self.hour:%Y-%m-%d %H:%M}"


class Import(models.Model):
    """A file that was taken in, or a block of one: where rows come from that no bridge sent."""

    meter = models.ForeignKey(Meter, models.CASCADE, verbose_name=_("meter"))
    epoch = models.ForeignKey(
        Epoch, models.CASCADE, null=True, verbose_name=_("epoch")
    )  # of its readings, if it has any
    layout = models.CharField(_("layout"), max_length=32)
    name = models.CharField(_("file"), max_length=255)
    sha256 = models.CharField(max_length=64)
    block = models.PositiveSmallIntegerField(_("block"), default=1)  # of a file that holds several
    prm = models.CharField("PRM", max_length=14, blank=True)  # the delivery point that the file names
    made = models.DateTimeField(_("imported"), default=timezone.now)
    rows = models.IntegerField(_("rows taken"), default=0)
    begins = InstantField(_("from"), null=True)
    ends = InstantField(_("until"), null=True)

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        constraints = (models.UniqueConstraint(fields=("meter", "sha256", "block"), name="import_once"),)

    def __str__(self) -> str:
        return f"{self.name} ({self.layout})"
