"""Migrate, and use what is under test."""

import django
from django.core.management import call_command

django.setup()
call_command("migrate", run_syncdb=True, verbosity=0)

from storage.entities.models import UserMetadata  # noqa: E402  models come after setup
from tests.storage.entities.swapped.models import Person, Thing  # noqa: E402

person = Person._default_manager.create(number="person")
UserMetadata.of(person).set(theme="dark")
thing = Thing(name="thing")
thing.save(_current_user=person)
row = Thing.history.get()
print(UserMetadata.of(person).merged(), row.history_type, row.history_user.pk)  # noqa: T201  read by the test
