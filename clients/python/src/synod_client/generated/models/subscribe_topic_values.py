from enum import StrEnum


class SubscribeTopicValues(StrEnum):
    ONLY = "only"

    def __str__(self) -> str:
        return str(self.value)
