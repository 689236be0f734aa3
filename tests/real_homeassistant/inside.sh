#!/bin/sh
# inside.sh COMMAND...: runs it in the Debian of setup.sh, with the folder $HA_CONFIG as /config.
# The mounts belong to the command and end with it, so that the whole folder can be deleted at any time.
set -eu
root=${HA_LAB:?}/root
export root
exec unshare --mount sh -euc '
    mount --bind /dev "$root/dev"
    mount --bind /proc "$root/proc"
    [ -z "${HA_CONFIG:-}" ] || mount --bind "$HA_CONFIG" "$root/config"
    unset VIRTUAL_ENV PYTHONPATH PYTHONHOME
    export HOME=/root LANG=C.UTF-8 PATH=/opt/ha/bin:/usr/sbin:/usr/bin:/sbin:/bin
    exec chroot "$root" "$@"' sh "$@"
