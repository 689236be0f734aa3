"""The part *rights*: what the broker's access list lets our login do, proven by messages to topics that nobody reads.

mosquitto takes what it refuses without a word (MQTT 3.1.1, and whatever one may not read): only a message that comes
back proves that it may be written and read.
"""

from __future__ import annotations

from collections.abc import Iterator

from ticbridge.commands.check.finding import Finding, Words, failed, ok, skipped, warning
from ticbridge.commands.check.scene import Scene
from ticbridge.commands.check.visit import Trial

FULL = ok(
    "rights-full",
    "What we publish is taken, and what we read reaches us",
    "Ce que nous publions est pris, et ce que nous lisons nous parvient",
)
UNLOOKED = skipped(
    "rights-unlooked",
    "Not looked at: the broker did not let us in",
    "Non examiné : le serveur MQTT ne nous a pas laissés entrer",
)
NO_WRITING = failed(
    "rights-no-writing",
    Words(
        "The broker refuses what we publish ({topic})",
        "its access list does not let this login write below {base}/",
        "give the login the lines of the user bridge in deploy/mosquitto/ticbridge.acl, then restart the broker",
    ),
    Words(
        "Le serveur MQTT refuse ce que nous publions ({topic})",
        "sa liste d'accès ne laisse pas cet identifiant écrire sous {base}/",
        "donnez-lui les lignes de l'utilisateur bridge de deploy/mosquitto/ticbridge.acl, puis redémarrez le serveur",
    ),
)
NO_READING = failed(
    "rights-no-reading",
    Words(
        "What we publish is taken, and none of it comes back: the broker lets us read nothing of ours",
        "its access list has no `topic read` (or readwrite) for this login; mosquitto does not say so",
        "give the login the lines of the user bridge in deploy/mosquitto/ticbridge.acl, then restart the broker",
    ),
    Words(
        "Ce que nous publions est pris, et rien n'en revient : le serveur MQTT ne nous laisse rien lire de nos sujets",
        "sa liste d'accès n'a pas de `topic read` (ou readwrite) pour cet identifiant ; mosquitto ne le dit pas",
        "donnez-lui les lignes de l'utilisateur bridge de deploy/mosquitto/ticbridge.acl, puis redémarrez le serveur",
    ),
)
NO_DISCOVERY = failed(
    "rights-no-discovery",
    Words(
        "The broker refuses what we tell Home Assistant ({topic})",
        "its access list does not let this login write below {prefix}/device/",
        "topic readwrite {prefix}/device/+/config for the login (deploy/mosquitto/ticbridge.acl)",
    ),
    Words(
        "Le serveur MQTT refuse ce que nous disons à Home Assistant ({topic})",
        "sa liste d'accès ne laisse pas cet identifiant écrire sous {prefix}/device/",
        "topic readwrite {prefix}/device/+/config pour cet identifiant (deploy/mosquitto/ticbridge.acl)",
    ),
)
STORE_ONLY = warning(
    "rights-store-only",
    Words(
        "This login may do what a store does, and not publish a meter's values ({topic})",
        "it is the store's own user: right for ticbridge-store and ticbridge-web, wrong for a bridge",
        "nothing, if no bridge uses this configuration; else give it the lines of the user bridge",
    ),
    Words(
        "Cet identifiant peut ce que fait un stockage, et pas publier les valeurs d'un compteur ({topic})",
        "c'est celui du stockage : juste pour ticbridge-store et ticbridge-web, faux pour une passerelle",
        "rien, si aucune passerelle n'utilise cette configuration ; sinon donnez-lui les lignes de bridge",
    ),
)
UNPROVEN = warning(
    "rights-unproven",
    Words(
        "What we publish is taken, and whether we may read could not be proven",
        "this login may not read a topic that it may write, and the broker does not say what it refuses",
        "look whether `ticbridge store` says that readings come; or leave mqtt.protocol at auto",
    ),
    Words(
        "Ce que nous publions est pris, et rien ne prouve que nous pouvons lire",
        "cet identifiant ne peut lire aucun sujet qu'il peut écrire, et le serveur ne dit pas ce qu'il refuse",
        "regardez si `ticbridge store` reçoit des relevés ; ou laissez mqtt.protocol à auto",
    ),
)


def look(scene: Scene) -> Iterator[Finding]:
    """What became of the messages of the visit."""
    visit = scene.visit
    if visit.trouble is not None:
        yield UNLOOKED()
        return
    yield judge(
        visit.values,
        visit.store,
        visit.discovery,
        heard_anything=visit.heard_anything,
        base=scene.settings.mqtt.base_topic,
        prefix=scene.settings.homeassistant.discovery_prefix,
    )


def judge(
    values: Trial, store: Trial, discovery: Trial | None, *, heard_anything: bool, base: str = "", prefix: str = ""
) -> Finding:
    """What may be done by a login to whose messages this happened."""
    if values.written is False:
        return STORE_ONLY(topic=values.topic) if store.echoed else NO_WRITING(topic=values.topic, base=base)
    if discovery is not None and discovery.written is False:
        return NO_DISCOVERY(topic=discovery.topic, prefix=prefix)
    if values.written is None and not store.echoed and (discovery is None or not discovery.echoed):
        # No word of refusal, and nothing back: this broker does not tell, and as much as nothing works.
        return NO_READING()
    if heard_anything:
        return FULL() if values.written else UNPROVEN()
    return UNPROVEN() if discovery is None else NO_READING()
