from enum import StrEnum


class RecordsFrameType(StrEnum):
    RECORDS = "records"

    def __str__(self) -> str:
        return str(self.value)
