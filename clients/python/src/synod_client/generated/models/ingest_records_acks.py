from enum import StrEnum


class IngestRecordsAcks(StrEnum):
    ALL = "all"
    MAJORITY = "majority"

    def __str__(self) -> str:
        return str(self.value)
