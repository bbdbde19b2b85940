from enum import StrEnum


class UnsubscribeFrameType(StrEnum):
    UNSUBSCRIBE = "unsubscribe"

    def __str__(self) -> str:
        return str(self.value)
