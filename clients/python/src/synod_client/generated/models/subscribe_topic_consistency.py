from enum import StrEnum


class SubscribeTopicConsistency(StrEnum):
    LEADER = "leader"
    LINEARIZABLE = "linearizable"
    LOCAL = "local"

    def __str__(self) -> str:
        return str(self.value)
