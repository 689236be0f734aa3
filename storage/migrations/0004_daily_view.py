"""`daily`: a day of a meter in a line, for any SQL tool."""

from django.db import migrations

from storage.vendorsql import VendorSQL

_INDEXES = [f"easf{n:02}" for n in range(1, 11)]

# Of a day that the meter and a file of Enedis tell of, one line: the meter's, unless it was not heard.
_HEARD = "({0}.east IS NOT NULL OR {0}.eait IS NOT NULL) AND ({0}.readings > 0 OR NOT {0}.estimated)"
_OTHER = "SELECT 1 FROM storage_rollup other WHERE other.meter_id = day.meter_id AND other.step = 86400 AND other.start = day.start"


def view(date: str, kilo: str) -> str:
    """A day's date is that of its noon in UTC: so it is in every zone from -11 to +12, and needs none."""
    columns = [
        "meter.meter_id AS meter_id",
        f"{date} AS day",
        f"{kilo.format('day.east')} AS total_kwh",
        *(f"{kilo.format(f'day.{name}')} AS {name}_kwh" for name in _INDEXES),
        f"{kilo.format('day.eait')} AS injected_kwh",
        "day.sinsts_max AS max_va",
        "day.estimated AS estimated",
        "CASE day.origin WHEN 0 THEN 'meter' ELSE 'enedis' END AS origin",
    ]
    return (
        f"CREATE VIEW daily AS SELECT {', '.join(columns)} "
        "FROM storage_rollup day JOIN storage_meter meter ON meter.id = day.meter_id WHERE day.step = 86400 AND ("
        f"(day.origin = 0 AND (({_HEARD.format('day')}) OR NOT EXISTS ({_OTHER} AND other.origin = 1))) "
        f"OR (day.origin = 1 AND NOT EXISTS ({_OTHER} AND other.origin = 0 AND {_HEARD.format('other')})))"
    )


class Migration(migrations.Migration):

    dependencies = [
        ('storage', '0003_rollups'),
    ]

    operations = [
        VendorSQL(
            {
                'sqlite': [view("date(day.start + 43200, 'unixepoch')", 'round({} / 1000.0, 3)')],
                'postgresql': [view(
                    "(timestamp 'epoch' + (day.start + 43200) * interval '1 second')::date", 'round({} / 1000.0, 3)'
                )],
            },
            {
                'sqlite': ['DROP VIEW daily'],
                'postgresql': ['DROP VIEW daily'],
            },
        ),
    ]
