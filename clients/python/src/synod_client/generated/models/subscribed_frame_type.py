from enum import StrEnum


class SubscribedFrameType(StrEnum):
    SUBSCRIBED = "subscribed"

    def __str__(self) -> str:
        return str(self.value)
