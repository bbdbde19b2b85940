from enum import StrEnum


class TopicConfigCleanup(StrEnum):
    DELETE = "delete"
    NONE = "none"

    def __str__(self) -> str:
        return str(self.value)
