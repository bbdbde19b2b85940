from enum import StrEnum


class TopicConfigChangeOnFull(StrEnum):
    REJECT = "reject"
    TRIM = "trim"

    def __str__(self) -> str:
        return str(self.value)
