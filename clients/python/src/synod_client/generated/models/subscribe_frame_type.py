from enum import StrEnum


class SubscribeFrameType(StrEnum):
    SUBSCRIBE = "subscribe"

    def __str__(self) -> str:
        return str(self.value)
