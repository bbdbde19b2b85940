from enum import StrEnum


class MovingFrameType(StrEnum):
    MOVING = "moving"

    def __str__(self) -> str:
        return str(self.value)
