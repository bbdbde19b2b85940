from enum import StrEnum


class ProduceFrameType(StrEnum):
    PRODUCE = "produce"

    def __str__(self) -> str:
        return str(self.value)
