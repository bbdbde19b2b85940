from enum import StrEnum


class SeekFrameType(StrEnum):
    SEEK = "seek"

    def __str__(self) -> str:
        return str(self.value)
