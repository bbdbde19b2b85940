from enum import StrEnum


class ProduceBatchAcks(StrEnum):
    ALL = "all"
    MAJORITY = "majority"

    def __str__(self) -> str:
        return str(self.value)
