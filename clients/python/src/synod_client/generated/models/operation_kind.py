from enum import StrEnum


class OperationKind(StrEnum):
    DRAIN_BROKER = "drain-broker"
    MOVE_REPLICAS = "move-replicas"
    REMOVE_BROKER = "remove-broker"
    REPAIR_BROKER = "repair-broker"
    REPLACE_STORE = "replace-store"
    UNSAFE_RECOVER = "unsafe-recover"

    def __str__(self) -> str:
        return str(self.value)
