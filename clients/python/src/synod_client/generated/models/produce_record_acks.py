from enum import StrEnum


class ProduceRecordAcks(StrEnum):
    ALL = "all"
    MAJORITY = "majority"

    def __str__(self) -> str:
        return str(self.value)
