"""`ticbridge check`: what it prints, as it is found, and how it ends."""

from __future__ import annotations

import json
import logging
import os
import sys
from collections import Counter
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, cast

import click

from bridge.config import CONFIG_VARIABLE, Settings, standing
from ticbridge.commands.check.finding import Language, State
from ticbridge.commands.check.parts import PARTS, without_configuration
from ticbridge.commands.check.running import Found, run
from ticbridge.commands.check.scene import Scene

EXIT_FAILED: Final = 1
_SIGNS: Final = MappingProxyType({State.OK: "✓", State.WARNING: "⚠", State.FAILED: "✗", State.SKIPPED: "–"})
_PLAIN: Final = MappingProxyType({State.OK: "+", State.WARNING: "!", State.FAILED: "x", State.SKIPPED: "-"})
_COLOURS: Final = MappingProxyType({State.OK: "green", State.WARNING: "yellow", State.FAILED: "red"})
_LABELS: Final[dict[Language, tuple[str, str]]] = {
    "en": ("Likely cause", "What to do"),
    "fr": ("Cause probable", "Que faire"),
}
_STATES: Final = MappingProxyType({
    State.OK: "correct", State.WARNING: "attention", State.FAILED: "échec", State.SKIPPED: "passé",
})  # fmt: skip


@click.command()
@click.option("--json", "as_json", is_flag=True, help="A list of objects: part, case, state, sentence, cause, todo.")
@click.option(
    "--language",
    type=click.Choice(["fr", "en"]),
    help="Default: homeassistant.language, and LANG where that is unread.",
)
@click.option(
    "--patience", type=click.FloatRange(0.1, 100), default=1.0, help="Times as long for each part: a slow machine."
)
@click.pass_obj
def check(config: Any, as_json: bool, language: str | None, patience: float) -> None:  # the launcher's loader
    """Look at every part in turn: one sentence each, the likely cause, what to do. It changes nothing.

    Exit code 1 if one failed. It takes 25 seconds at most, and may run beside the services.
    """
    scene = _scene(config)
    logging.getLogger("ticbridge").setLevel(logging.CRITICAL + 1)  # findings say it, once
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    speaks = cast("Language", language or _language(scene))
    found: list[Found] = []
    try:
        for one in run(without_configuration() if scene.problems else PARTS, scene, patience):
            found.append(one)
            if not as_json:
                _print(one, speaks)
    finally:
        scene.close()
    if as_json:
        click.echo(json.dumps([_as_json(one, speaks) for one in found], ensure_ascii=False, indent=1))
    else:
        click.echo(_summary(found, speaks))
    sys.stdout.flush()
    # A part that hangs in the kernel holds a thread that Python would wait for.
    os._exit(EXIT_FAILED if any(one.finding.case.state is State.FAILED for one in found) else 0)


def _scene(config: Any) -> Scene:  # as above
    try:
        settings: Settings = config()
    except click.ClickException as error:
        return Scene(Settings(), problems=tuple(error.message.splitlines()))
    given = os.environ.get(CONFIG_VARIABLE)
    place = Path(given) if given else standing()
    return Scene(settings, origin=str(place.absolute()) if place else None)


def _language(scene: Scene) -> str:
    if not scene.problems:
        return scene.settings.homeassistant.language
    variables = (os.environ.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
    return "fr" if next(filter(None, variables), "").startswith("fr") else "en"


def _print(one: Found, language: Language) -> None:
    part, finding = one
    state, words = finding.case.state, finding.words(language)
    french = language == "fr"
    colon = " :" if french else ":"
    said = f"{_sign(state)} {_STATES[state] if french else state.value}"
    name = part.fr if french else part.name
    click.echo(
        f"{click.style(said, fg=_COLOURS.get(state), bold=state is State.FAILED)}  {name}{colon} {words.sentence}."
    )
    for label, text in zip(_LABELS[language], words[1:], strict=True):
        if text:
            click.echo(f"    {label}{colon} {text}.")


def _sign(state: State) -> str:
    try:
        _SIGNS[state].encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return _PLAIN[state]
    return _SIGNS[state]


def _summary(found: list[Found], language: Language) -> str:
    counts = Counter(one.finding.case.state for one in found)
    failed, warned = counts[State.FAILED], counts[State.WARNING]
    if language == "fr":
        return f"\n{failed} en échec, {warned} à surveiller." if failed or warned else "\nTout va bien."
    return f"\n{failed} failed, {warned} to watch." if failed or warned else "\nAll is well."


def _as_json(one: Found, language: Language) -> dict[str, str]:
    words = one.finding.words(language)
    return {
        "part": one.part.name,
        "case": one.finding.case.name,
        "state": one.finding.case.state.value,
        "sentence": words.sentence,
        "cause": words.cause,
        "todo": words.todo,
    }
