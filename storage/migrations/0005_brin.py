"""Time alone, on PostgreSQL: what asks for a span of all meters reads the blocks of that span, and it takes 24 kB."""

from django.db import migrations

from storage.vendorsql import VendorSQL


class Migration(migrations.Migration):

    dependencies = [
        ('storage', '0004_daily_view'),
    ]

    operations = [
        VendorSQL(
            {
                'postgresql': [
                    'CREATE INDEX data_time_brin ON storage_data USING brin ("dateTime") '
                    'WITH (pages_per_range = 32, autosummarize = on)',
                ],
            },
            {
                'postgresql': ['DROP INDEX data_time_brin'],
            },
        ),
    ]
