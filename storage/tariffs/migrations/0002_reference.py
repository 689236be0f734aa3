"""Loads the prices that come with ticbridge; backwards it takes back those that nobody touched.

The tables are this migration's own; the prices are those of the installed version, whose checksum a test compares with
the one written here. A version with new prices brings a migration like this one.
"""

from typing import Any

from django.db import migrations

from storage.tariffs.shipping import Models, load_reference, unload_reference

DIGEST = '4a70b74a0b75958e'



def load(apps: Any, editor: Any) -> None:
    load_reference(_models(apps))


def unload(apps: Any, editor: Any) -> None:
    unload_reference(_models(apps))


def _models(apps: Any) -> Models:
    return Models(*(apps.get_model('tariffs', name) for name in ('Offer', 'Period', 'TariffPrice', 'Contract')))


class Migration(migrations.Migration):

    dependencies = [
        ('tariffs', '0001_first'),
    ]

    operations = [
        migrations.RunPython(load, unload),
    ]
