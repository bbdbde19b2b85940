from enum import StrEnum


class ReadRecordConsistency(StrEnum):
    LEADER = "leader"
    LINEARIZABLE = "linearizable"
    LOCAL = "local"

    def __str__(self) -> str:
        return str(self.value)
