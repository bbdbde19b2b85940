from enum import StrEnum


class ResetFrameReason(StrEnum):
    OFFSET_TRIMMED = "offset-trimmed"

    def __str__(self) -> str:
        return str(self.value)
