"""Client of Synod, a replicated, durable message log."""

from .client import SynodClient
from .problem import NoAnswer, SynodError, SynodProblem
from .records import NewRecord, Page, Receipt, Record
from .session import Credit
from .subscription import Subscription

__all__ = [
    "Credit",
    "NewRecord",
    "NoAnswer",
    "Page",
    "Receipt",
    "Record",
    "Subscription",
    "SynodClient",
    "SynodError",
    "SynodProblem",
]
