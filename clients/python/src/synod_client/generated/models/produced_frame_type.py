from enum import StrEnum


class ProducedFrameType(StrEnum):
    PRODUCED = "produced"

    def __str__(self) -> str:
        return str(self.value)
