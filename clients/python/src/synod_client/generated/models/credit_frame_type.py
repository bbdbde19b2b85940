from enum import StrEnum


class CreditFrameType(StrEnum):
    CREDIT = "credit"

    def __str__(self) -> str:
        return str(self.value)
