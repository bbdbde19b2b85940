from enum import StrEnum


class BinaryRecordForm(StrEnum):
    BYTES = "bytes"
    JSON = "json"
    TEXT = "text"

    def __str__(self) -> str:
        return str(self.value)
