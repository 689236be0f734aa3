"""How OpenAPI is told of tokens."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension


class TokenExtension(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # spectacular's own
    """A bearer token."""

    target_class = "storage.tokens.authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:  # spectacular's own signature
        """A header."""
        return {"type": "http", "scheme": "bearer"}
