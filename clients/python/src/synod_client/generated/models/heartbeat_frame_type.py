from enum import StrEnum


class HeartbeatFrameType(StrEnum):
    HEARTBEAT = "heartbeat"

    def __str__(self) -> str:
        return str(self.value)
