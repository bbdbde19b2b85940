from enum import StrEnum


class ReplicaState(StrEnum):
    LEADER = "leader"
    LEARNER = "learner"
    PREPARING = "preparing"
    SYNCED = "synced"
    SYNCING = "syncing"
    UNREACHABLE = "unreachable"

    def __str__(self) -> str:
        return str(self.value)
