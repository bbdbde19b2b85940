from enum import StrEnum


class TopicConfigChangeCleanup(StrEnum):
    DELETE = "delete"
    NONE = "none"

    def __str__(self) -> str:
        return str(self.value)
