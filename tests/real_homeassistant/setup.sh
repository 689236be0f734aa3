#!/bin/sh
# Builds what `make test-ha` runs: a Debian of its own with Home Assistant in it, under $HA_LAB. Root only, 2 GB.
# What is there stays: delete the folder to have the newest. HA_VERSION pins a release, HA_SUITE its Debian, HA_MIRROR
# where that comes from. pip inside takes the settings that hold outside: PIP_*, its own files, proxies, certificates.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
HA_LAB=${HA_LAB:-${XDG_CACHE_HOME:-$HOME/.cache}/ticbridge-homeassistant}
root=$HA_LAB/root
suite=${HA_SUITE:-forky}  # its Python is 3.14, which Home Assistant asks for since 2026.3
export HA_LAB

if [ "$(id -u)" != 0 ]; then
    echo "make test-ha needs root: it unpacks a Debian and runs Home Assistant in it" >&2
    exit 1
fi
if [ ! -x "$root/usr/bin/python3" ]; then
    if ! command -v mmdebstrap >/dev/null; then
        apt-get update -qq
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends mmdebstrap >/dev/null
    fi
    mkdir -p "$HA_LAB"
    rm -rf --one-file-system "$root.new"
    echo "unpacking a Debian $suite into $root"
    # The lists of a Debian that is not released yet may be past their date.
    mmdebstrap --quiet --aptopt='Acquire::Check-Valid-Until "false"' --variant=minbase \
        --include=python3,python3-venv,python3-dev,ca-certificates,gcc,g++,make,libffi-dev,libturbojpeg0,tzdata \
        "$suite" "$root.new" ${HA_MIRROR:+"$HA_MIRROR"}
    mv "$root.new" "$root"
fi
mkdir -p "$root/config"
if [ -z "$(ls "$root"/usr/lib/*/faketime/libfaketimeMT.so.1 2>/dev/null)" ]; then  # a stop of hours takes no hours with it
    "$here/inside.sh" sh -c 'apt-get update -qq && apt-get install -y -qq --no-install-recommends libfaketime >/dev/null'
fi

# The browser that looks at the dashboards runs outside, as an owner's does.
if ! command -v chromium >/dev/null; then
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null
fi

# The way out is the same inside as outside.
for file in /etc/resolv.conf /etc/ssl/certs/ca-certificates.crt /etc/pip.conf "${PIP_CONFIG_FILE:-}" "${PIP_CERT:-}" \
        "${SSL_CERT_FILE:-}" "${REQUESTS_CA_BUNDLE:-}"; do
    if [ -f "$file" ]; then install -D -m 644 "$file" "$root$file"; fi
done
for file in .config/pip/pip.conf .pip/pip.conf; do
    if [ -f "$HOME/$file" ]; then install -D -m 600 "$HOME/$file" "$root/root/$file"; fi
done

[ -x "$root/opt/ha/bin/python" ] || "$here/inside.sh" python3 -m venv /opt/ha
[ -x "$root/opt/ha/bin/hass" ] || echo "installing Home Assistant"
"$here/inside.sh" /opt/ha/bin/pip install -q "homeassistant${HA_VERSION:+==$HA_VERSION}"
# What Home Assistant would fetch at its first start: for the integrations that we use and those that always start.
"$here/inside.sh" /opt/ha/bin/python - > "$root/opt/requirements.txt" <<'PYTHON'
import json
import pathlib
import sys

import homeassistant
from homeassistant import bootstrap

OURS = ("mqtt", "recorder", "history", "energy", "sensor", "binary_sensor", "event", "config", "api", "repairs")
IMPORTED = ("hassio",)  # by others, whether or not it is set up

components = pathlib.Path(homeassistant.__file__).parent / "components"
waiting = {*OURS, *IMPORTED}
for always in ("CORE_INTEGRATIONS", "DEFAULT_INTEGRATIONS", "DEFAULT_INTEGRATIONS_RECOVERY_MODE"):
    waiting |= set(getattr(bootstrap, always, ()))
known: set[str] = set()
wanted: set[str] = set()
while waiting:
    name = waiting.pop()
    known.add(name)
    manifest = components / name / "manifest.json"
    if manifest.exists():
        said = json.loads(manifest.read_text())
        wanted |= set(said.get("requirements", ()))
        waiting |= set(said.get("dependencies", ())) - known
sys.stdout.write("".join(f"{line}\n" for line in sorted(wanted)))
PYTHON
rules=$("$here/inside.sh" /opt/ha/bin/python -c \
    'import homeassistant, pathlib; print(pathlib.Path(homeassistant.__file__).parent / "package_constraints.txt")')
"$here/inside.sh" /opt/ha/bin/pip install -q -c "$rules" -r /opt/requirements.txt
"$here/inside.sh" /opt/ha/bin/python -c 'import homeassistant.const as c; print("Home Assistant", c.__version__)'
