from enum import StrEnum


class EndFrameType(StrEnum):
    END = "end"

    def __str__(self) -> str:
        return str(self.value)
