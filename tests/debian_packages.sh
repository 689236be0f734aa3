#!/bin/sh
# Installs what tests need from Debian's packages where we may: root on a Debian. With CI=true a failure is an error.
# As argument: `venv`, only what `python3 -m venv` needs; `model`, only what `make model` does.
set -eu
[ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1 || exit 0
wanted=""
if [ "${1:-}" = venv ]; then
    python3 -c 'import ensurepip' 2>/dev/null || wanted="python3-venv"
elif [ "${1:-}" = model ]; then
    command -v spin >/dev/null 2>&1 || wanted="spin"
    command -v gcc >/dev/null 2>&1 || wanted="$wanted gcc libc6-dev"
else
    command -v mosquitto >/dev/null 2>&1 || wanted="mosquitto"
    command -v chromium >/dev/null 2>&1 || wanted="$wanted chromium fonts-dejavu-core"
    command -v openssl >/dev/null 2>&1 || wanted="$wanted openssl"
    command -v systemd-analyze >/dev/null 2>&1 || wanted="$wanted systemd"
    ls /usr/lib/*/faketime/libfaketime.so.1 >/dev/null 2>&1 || wanted="$wanted libfaketime"
    ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || wanted="$wanted postgresql"
fi
[ -n "$wanted" ] || exit 0
echo "installing from Debian's packages: $wanted"
# A broker or a database that Debian starts by itself would sit on its usual port: tests start their own.
if ! { apt-get update -qq && DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
        apt-get install -y -qq --no-install-recommends $wanted >/dev/null; }; then
    [ "${CI:-}" != true ] || { echo "could not install: $wanted" >&2; exit 1; }
    echo "could not install: $wanted; the tests that need it will be skipped" >&2
fi
