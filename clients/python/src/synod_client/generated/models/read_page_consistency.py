from enum import StrEnum


class ReadPageConsistency(StrEnum):
    LEADER = "leader"
    LINEARIZABLE = "linearizable"
    LOCAL = "local"

    def __str__(self) -> str:
        return str(self.value)
