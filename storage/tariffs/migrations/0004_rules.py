"""Loads the hours of shipped offers beside what is there already; backwards, the tables go with the migration before."""

from typing import Any

from django.db import migrations

from storage.tariffs.shipping import Models, load_reference

DIGEST = 'd604d73a4685eb58'


def load(apps: Any, editor: Any) -> None:
    names = ('Offer', 'Period', 'TariffPrice', 'Contract', 'CalendarRule')
    load_reference(Models(*(apps.get_model('tariffs', name) for name in names)))


class Migration(migrations.Migration):

    dependencies = [
        ('tariffs', '0003_calendar'),
    ]

    operations = [
        migrations.RunPython(load, migrations.RunPython.noop),
    ]
