from enum import StrEnum


class BrokerState(StrEnum):
    ALIVE = "alive"
    DEAD = "dead"
    DRAINING = "draining"
    OUTSIDER = "outsider"

    def __str__(self) -> str:
        return str(self.value)
