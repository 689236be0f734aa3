"""A certificate authority of a test's own, by openssl."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.needs import need

_CURVE: Final = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
HERE: Final = "DNS:localhost,IP:127.0.0.1"


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate and its key, as files."""

    cert: Path
    key: Path


class Authority:
    """Signs certificates."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._name = folder, name
        self._own = Certificate(folder / f"{name}.pem", folder / f"{name}.key")
        # Without it Python from 3.13 on does not take it for an authority where it checks strictly.
        self._openssl("req", "-x509", *_CURVE, "-days", "30", "-subj", f"/CN={name}",
                      "-addext", "keyUsage=critical,keyCertSign,cRLSign",
                      "-keyout", str(self._own.key), "-out", str(self._own.cert))  # fmt: skip

    @property
    def ca(self) -> Path:
        """What those who trust it need."""
        return self._own.cert

    def sign(self, name: str, names: str = HERE, days: int = 30) -> Certificate:
        """A certificate for these names; with negative days one that has expired."""
        made = Certificate(self._folder / f"{self._name}-{name}.pem", self._folder / f"{self._name}-{name}.key")
        request, extensions = made.cert.with_suffix(".csr"), made.cert.with_suffix(".ext")
        extensions.write_text(f"subjectAltName={names}\nauthorityKeyIdentifier=keyid\n")
        self._openssl("req", "-new", *_CURVE, "-subj", f"/CN={name}", "-keyout", str(made.key), "-out", str(request))
        self._openssl("x509", "-req", "-in", str(request), "-CA", str(self._own.cert), "-CAkey", str(self._own.key),
                      "-CAcreateserial", "-days", str(days), "-extfile", str(extensions),
                      "-out", str(made.cert))  # fmt: skip
        made.key.chmod(0o600)
        return made

    @staticmethod
    def _openssl(*arguments: str) -> None:
        subprocess.run([need("openssl"), *arguments], check=True, capture_output=True)
