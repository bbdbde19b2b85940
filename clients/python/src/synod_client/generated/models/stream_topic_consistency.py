from enum import StrEnum


class StreamTopicConsistency(StrEnum):
    LEADER = "leader"
    LINEARIZABLE = "linearizable"
    LOCAL = "local"

    def __str__(self) -> str:
        return str(self.value)
