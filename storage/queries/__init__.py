"""Questions to the database, each with a name. Views ask these and nothing else.

Answers are frozen. Instants are aware; energies are whole Wh and come from the meter's indexes, powers are VA; what is
not known is None, never 0. Where a file of Enedis and the meter both tell of a bucket, `buckets` decides.
"""

from storage.buckets import zone_of
from storage.queries.curve import MAX_POINTS, Curve, Point, curve
from storage.queries.energy import Energy, days, hours, months, tempo_days, totals
from storage.queries.gaps import Silence, gaps
from storage.queries.index import Indexes, IndexValue, index_at
from storage.queries.meters import latest, meters, span
from storage.queries.peaks import Peak, peaks
from storage.queries.profile import Cell, Profile, Standby, profile, standby
from storage.queries.slices import Slice, Slices, energies

__all__ = [
    "MAX_POINTS", "Cell", "Curve", "Energy", "IndexValue", "Indexes", "Peak", "Point", "Profile", "Silence", "Slice",
    "Slices", "Standby", "curve", "days", "energies", "gaps", "hours", "index_at", "latest", "meters", "months",
    "peaks", "profile", "span", "standby", "tempo_days", "totals", "zone_of",
]  # fmt: skip
