"""A meter becomes an entity: dated, signed, with a uuid and a history that begins with what it is now."""

import django.core.serializers.json
import django.db.models.deletion
import django.utils.timezone
import simple_history.models
import storage.instants
import uuid
from typing import Any

from django.conf import settings
from django.db import migrations, models


def begin(apps: Any, editor: Any) -> None:
    """Each meter its own uuid; it is there since its first reading."""
    meters, history, data = (apps.get_model('storage', name) for name in ('Meter', 'HistoricalMeter', 'Data'))
    now = django.utils.timezone.now()
    for meter in meters.objects.all():
        first = data.objects.filter(meter=meter).order_by('dateTime').values_list('dateTime', flat=True).first()
        meter.uuid = uuid.uuid4()
        meter.creation_date = first or meter.creation_date
        meter.save(update_fields=['uuid', 'creation_date', 'modification_date'])
        told = {field.attname: getattr(meter, field.attname) for field in meters._meta.concrete_fields}
        history.objects.create(**told, history_type='+', history_date=now)


class Migration(migrations.Migration):

    dependencies = [
        ('storage', '0006_mark_all'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='meter',
            name='creation_date',
            field=models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='created'),
        ),
        migrations.AddField(
            model_name='meter',
            name='current_user',
            field=models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='last changed by'),
        ),
        migrations.AddField(
            model_name='meter',
            name='modification_date',
            field=models.DateTimeField(auto_now=True, verbose_name='changed'),
        ),
        migrations.AddField(
            model_name='meter',
            name='phases',
            field=models.SmallIntegerField(editable=False, null=True, verbose_name='phases'),
        ),
        migrations.AddField(
            model_name='meter',
            name='power',
            field=models.SmallIntegerField(editable=False, null=True, verbose_name='subscribed power (kVA)'),
        ),
        migrations.AddField(
            model_name='meter',
            name='uuid',
            field=models.UUIDField(default=uuid.uuid4, editable=False, null=True, verbose_name='UUID'),
        ),
        migrations.CreateModel(
            name='HistoricalMeter',
            fields=[
                ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                ('restored_from', models.BigIntegerField(editable=False, null=True, verbose_name='restored from')),
                ('unlinked', models.JSONField(editable=False, encoder=django.core.serializers.json.DjangoJSONEncoder, null=True)),
                ('history_change_reason', models.TextField(null=True, verbose_name='reason')),
                ('uuid', models.UUIDField(db_index=True, default=uuid.uuid4, editable=False, verbose_name='UUID')),
                ('creation_date', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='created')),
                ('modification_date', models.DateTimeField(blank=True, editable=False, verbose_name='changed')),
                ('meter_id', models.CharField(db_index=True, max_length=64, verbose_name='meter')),
                ('name', models.CharField(blank=True, max_length=64, verbose_name='name')),
                ('mode', models.CharField(max_length=10, verbose_name='mode')),
                ('timezone', models.CharField(max_length=64, verbose_name='time zone')),
                ('phases', models.SmallIntegerField(editable=False, null=True, verbose_name='phases')),
                ('power', models.SmallIntegerField(editable=False, null=True, verbose_name='subscribed power (kVA)')),
                ('raw_since', storage.instants.InstantField(editable=False, null=True, verbose_name='whole since')),
                ('history_id', models.AutoField(primary_key=True, serialize=False)),
                ('history_date', models.DateTimeField(db_index=True)),
                ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
                ('current_user', models.ForeignKey(blank=True, db_constraint=False, editable=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='last changed by')),
                ('history_user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'historical meter',
                'verbose_name_plural': 'historical meters',
                'ordering': ('-history_date', '-history_id'),
                'get_latest_by': ('history_date', 'history_id'),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.RunPython(begin, migrations.RunPython.noop),
        migrations.AlterField(
            model_name='meter',
            name='uuid',
            field=models.UUIDField(default=uuid.uuid4, editable=False, unique=True, verbose_name='UUID'),
        ),
    ]
