from enum import StrEnum


class BinaryProduceFrameType(StrEnum):
    PRODUCE = "produce"

    def __str__(self) -> str:
        return str(self.value)
