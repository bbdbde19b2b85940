from enum import StrEnum


class PaxosRole(StrEnum):
    CANDIDATE = "candidate"
    FOLLOWER = "follower"
    LEADER = "leader"
    RETIRED = "retired"

    def __str__(self) -> str:
        return str(self.value)
