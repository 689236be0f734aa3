"""The part *config*: config.yaml, the environment, and the secrets and certificates that they name."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from bridge import tls
from bridge.config import ConfigError, Settings
from ticbridge.commands.check.finding import Finding, Words, failed, ok, skipped
from ticbridge.commands.check.scene import Scene

READ = ok("config-read", "{file} is read", "{file} est lu")
DEFAULTS = ok(
    "config-defaults",
    "There is no config.yaml: every option is at its default, or comes from the environment",
    "Il n'y a pas de config.yaml : chaque option a sa valeur par défaut, ou vient de l'environnement",
)
WRONG = failed(
    "config-wrong",
    Words(
        "The configuration will not do: {why}",
        "a slip in config.yaml, or in a variable TICBRIDGE_...",
        "set that key to what is expected (docs/reference/options.md lists all of them), then run the check again",
    ),
    Words(
        "La configuration ne convient pas : {why}",
        "une faute dans config.yaml, ou dans une variable TICBRIDGE_...",
        "donnez à cette clé la valeur attendue (docs/reference/options.md les liste toutes), puis relancez",
    ),
)
SECRET = failed(
    "secret-unreadable",
    Words(
        "A file that the configuration names will not do: {why}",
        "it is not there, is not for this user, or can be read by others",
        "mend the file as it says; if only the service may read it: sudo -u ticbridge ticbridge check",
    ),
    Words(
        "Un fichier que nomme la configuration ne convient pas : {why}",
        "il manque, n'est pas lisible par cet utilisateur, ou est lisible par d'autres",
        "corrigez le fichier comme indiqué ; si seul le service peut le lire : sudo -u ticbridge ticbridge check",
    ),
)
NEEDED = skipped(
    "config-needed",
    "Not looked at: it needs a configuration that can be read",
    "Non examiné : il faut d'abord une configuration lisible",
)


def look(scene: Scene) -> Iterator[Finding]:
    """Whether all of it can be read."""
    if scene.problems:
        yield from (WRONG(why=problem) for problem in scene.problems)
        return
    yield READ(file=scene.origin) if scene.origin else DEFAULTS()
    for read in _secrets(scene.settings):
        try:
            read()
        except ConfigError as error:
            yield SECRET(why=str(error))


def _secrets(settings: Settings) -> Iterator[Callable[[], object]]:
    yield from (settings.mqtt.secret, settings.storage.secret, settings.mail.secret, settings.homeassistant.secret)
    if (given := settings.mqtt.tls) is not None:
        yield lambda: tls.context(given)


def not_looked_at(_scene: Scene) -> Iterator[Finding]:
    """What stands for a part that needs a configuration."""
    yield NEEDED()
