from enum import StrEnum


class WelcomeFrameType(StrEnum):
    WELCOME = "welcome"

    def __str__(self) -> str:
        return str(self.value)
