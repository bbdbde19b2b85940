from enum import StrEnum


class ResetFrameType(StrEnum):
    RESET = "reset"

    def __str__(self) -> str:
        return str(self.value)
