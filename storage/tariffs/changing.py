"""A change from a day on: what held until then is kept, what follows stays where it is."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from storage.entities.models import PerishableEntity


@transaction.atomic
def begin(model: type[PerishableEntity], at: datetime, series: Mapping[str, Any], content: Mapping[str, Any]) -> Any:
    """From `at` on a series has this content, until its next version; ValidationError, and no change, where it may not.

    What began at that very instant is corrected; what began earlier ends there.
    """
    rows = model.objects.filter(**series)
    held = rows.select_valid(at).first()
    if held is not None and held.start_date == at:
        for name, value in content.items():
            setattr(held, name, value)
        held.is_corrected = True
        held.full_clean()
        held.save()
        return held
    if held is not None:
        end = held.end_date
        held.end_date = at
        held.save(force_update=True)
    else:
        following = rows.filter(start_date__gt=at).order_by("start_date").first()
        end = None if following is None else following.start_date
    opened = model(**series, **content, start_date=at, end_date=end)
    opened.full_clean()
    opened.save()
    return opened
