"""What the documentation needs to be a site, too: called by mkdocs."""

from __future__ import annotations

import re
from typing import Any, Final

_OTHER_LANGUAGE: Final = re.compile(r"^\*\[(En français|In English)\]\([^)]*\)\*\n+", re.MULTILINE)
_BESIDE_DOCS: Final = re.compile(
    r"\[([^\]]*)\]\((?:\.\./)+(?!start/|how-to/|reference/|design/|images/)([^)#]*)[^)]*\)"
)


def on_page_markdown(markdown: str, **_: Any) -> str:  # mkdocs' own protocol
    """The site has its own switch of languages; a file of the repository that is no page of it is named, not linked."""
    return _BESIDE_DOCS.sub(r"\1 (`\2`)", _OTHER_LANGUAGE.sub("", markdown))
