from enum import StrEnum


class ProblemSideEffects(StrEnum):
    NONE = "none"
    POSSIBLE = "possible"

    def __str__(self) -> str:
        return str(self.value)
