"""What can be wrong with a message on its way."""

from __future__ import annotations


class UndeliveredError(Exception):
    """Whoever should pass it on did not; the text is a sentence for the owner. `is_final`: no other try would help."""

    def __init__(self, sentence: str, *, is_final: bool = False) -> None:
        super().__init__(sentence)
        self.is_final = is_final
