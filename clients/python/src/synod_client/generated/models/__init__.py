"""Contains all the data models used in inputs/outputs"""

from .batch import Batch
from .batch_receipt import BatchReceipt
from .binary_produce_frame import BinaryProduceFrame
from .binary_produce_frame_producer import BinaryProduceFrameProducer
from .binary_produce_frame_type import BinaryProduceFrameType
from .binary_record import BinaryRecord
from .binary_record_form import BinaryRecordForm
from .binary_record_headers import BinaryRecordHeaders
from .binary_record_input import BinaryRecordInput
from .binary_record_input_form import BinaryRecordInputForm
from .binary_record_input_headers import BinaryRecordInputHeaders
from .binary_records_frame import BinaryRecordsFrame
from .broker import Broker
from .broker_lag import BrokerLag
from .broker_list import BrokerList
from .broker_membership import BrokerMembership
from .broker_state import BrokerState
from .cluster import Cluster
from .credit_frame import CreditFrame
from .credit_frame_type import CreditFrameType
from .end_frame import EndFrame
from .end_frame_type import EndFrameType
from .error_code import ErrorCode
from .error_frame import ErrorFrame
from .error_frame_type import ErrorFrameType
from .follow_events_consistency import FollowEventsConsistency
from .follow_events_redirect import FollowEventsRedirect
from .get_asyncapi_json_response_200 import GetAsyncapiJsonResponse200
from .get_offsets_linearizable import GetOffsetsLinearizable
from .get_offsets_redirect import GetOffsetsRedirect
from .get_openapi_json_response_200 import GetOpenapiJsonResponse200
from .get_topic_linearizable import GetTopicLinearizable
from .health import Health
from .health_status import HealthStatus
from .heartbeat_frame import HeartbeatFrame
from .heartbeat_frame_type import HeartbeatFrameType
from .ingest_records_acks import IngestRecordsAcks
from .ingest_records_redirect import IngestRecordsRedirect
from .leader_move import LeaderMove
from .moving_frame import MovingFrame
from .moving_frame_type import MovingFrameType
from .offsets import Offsets
from .operation import Operation
from .operation_kind import OperationKind
from .operation_list import OperationList
from .operation_state import OperationState
from .page import Page
from .partition import Partition
from .paxos import Paxos
from .paxos_role import PaxosRole
from .ping_frame import PingFrame
from .ping_frame_type import PingFrameType
from .pong_frame import PongFrame
from .pong_frame_type import PongFrameType
from .problem import Problem
from .problem_errors_item import ProblemErrorsItem
from .problem_side_effects import ProblemSideEffects
from .produce_batch_acks import ProduceBatchAcks
from .produce_batch_redirect import ProduceBatchRedirect
from .produce_frame import ProduceFrame
from .produce_frame_producer import ProduceFrameProducer
from .produce_frame_type import ProduceFrameType
from .produce_record_acks import ProduceRecordAcks
from .produce_record_redirect import ProduceRecordRedirect
from .produced_frame import ProducedFrame
from .produced_frame_type import ProducedFrameType
from .read_page_consistency import ReadPageConsistency
from .read_page_redirect import ReadPageRedirect
from .read_record_consistency import ReadRecordConsistency
from .read_record_redirect import ReadRecordRedirect
from .read_topic_consistency import ReadTopicConsistency
from .read_topic_redirect import ReadTopicRedirect
from .receipt import Receipt
from .record import Record
from .record_headers import RecordHeaders
from .record_input import RecordInput
from .record_input_headers import RecordInputHeaders
from .records_frame import RecordsFrame
from .records_frame_type import RecordsFrameType
from .remove_broker_force import RemoveBrokerForce
from .replica import Replica
from .replica_state import ReplicaState
from .replicas import Replicas
from .reset_frame import ResetFrame
from .reset_frame_reason import ResetFrameReason
from .reset_frame_type import ResetFrameType
from .seek_frame import SeekFrame
from .seek_frame_type import SeekFrameType
from .session_credit import SessionCredit
from .session_position import SessionPosition
from .stream_topic_consistency import StreamTopicConsistency
from .stream_topic_follow import StreamTopicFollow
from .stream_topic_redirect import StreamTopicRedirect
from .subscribe_frame import SubscribeFrame
from .subscribe_frame_type import SubscribeFrameType
from .subscribe_topic_consistency import SubscribeTopicConsistency
from .subscribe_topic_redirect import SubscribeTopicRedirect
from .subscribe_topic_values import SubscribeTopicValues
from .subscribed_frame import SubscribedFrame
from .subscribed_frame_type import SubscribedFrameType
from .subscription_state import SubscriptionState
from .subscription_state_credit_left import SubscriptionStateCreditLeft
from .topic import Topic
from .topic_change import TopicChange
from .topic_config import TopicConfig
from .topic_config_change import TopicConfigChange
from .topic_config_change_cleanup import TopicConfigChangeCleanup
from .topic_config_change_on_full import TopicConfigChangeOnFull
from .topic_config_cleanup import TopicConfigCleanup
from .topic_config_on_full import TopicConfigOnFull
from .topic_list import TopicList
from .topic_page import TopicPage
from .topic_spec import TopicSpec
from .topic_summary import TopicSummary
from .trim import Trim
from .trimmed import Trimmed
from .unsubscribe_frame import UnsubscribeFrame
from .unsubscribe_frame_type import UnsubscribeFrameType
from .welcome_frame import WelcomeFrame
from .welcome_frame_limits import WelcomeFrameLimits
from .welcome_frame_type import WelcomeFrameType

__all__ = (
    "Batch",
    "BatchReceipt",
    "BinaryProduceFrame",
    "BinaryProduceFrameProducer",
    "BinaryProduceFrameType",
    "BinaryRecord",
    "BinaryRecordForm",
    "BinaryRecordHeaders",
    "BinaryRecordInput",
    "BinaryRecordInputForm",
    "BinaryRecordInputHeaders",
    "BinaryRecordsFrame",
    "Broker",
    "BrokerLag",
    "BrokerList",
    "BrokerMembership",
    "BrokerState",
    "Cluster",
    "CreditFrame",
    "CreditFrameType",
    "EndFrame",
    "EndFrameType",
    "ErrorCode",
    "ErrorFrame",
    "ErrorFrameType",
    "FollowEventsConsistency",
    "FollowEventsRedirect",
    "GetAsyncapiJsonResponse200",
    "GetOffsetsLinearizable",
    "GetOffsetsRedirect",
    "GetOpenapiJsonResponse200",
    "GetTopicLinearizable",
    "Health",
    "HealthStatus",
    "HeartbeatFrame",
    "HeartbeatFrameType",
    "IngestRecordsAcks",
    "IngestRecordsRedirect",
    "LeaderMove",
    "MovingFrame",
    "MovingFrameType",
    "Offsets",
    "Operation",
    "OperationKind",
    "OperationList",
    "OperationState",
    "Page",
    "Partition",
    "Paxos",
    "PaxosRole",
    "PingFrame",
    "PingFrameType",
    "PongFrame",
    "PongFrameType",
    "Problem",
    "ProblemErrorsItem",
    "ProblemSideEffects",
    "ProduceBatchAcks",
    "ProduceBatchRedirect",
    "ProduceFrame",
    "ProduceFrameProducer",
    "ProduceFrameType",
    "ProduceRecordAcks",
    "ProduceRecordRedirect",
    "ProducedFrame",
    "ProducedFrameType",
    "ReadPageConsistency",
    "ReadPageRedirect",
    "ReadRecordConsistency",
    "ReadRecordRedirect",
    "ReadTopicConsistency",
    "ReadTopicRedirect",
    "Receipt",
    "Record",
    "RecordHeaders",
    "RecordInput",
    "RecordInputHeaders",
    "RecordsFrame",
    "RecordsFrameType",
    "RemoveBrokerForce",
    "Replica",
    "ReplicaState",
    "Replicas",
    "ResetFrame",
    "ResetFrameReason",
    "ResetFrameType",
    "SeekFrame",
    "SeekFrameType",
    "SessionCredit",
    "SessionPosition",
    "StreamTopicConsistency",
    "StreamTopicFollow",
    "StreamTopicRedirect",
    "SubscribeFrame",
    "SubscribeFrameType",
    "SubscribeTopicConsistency",
    "SubscribeTopicRedirect",
    "SubscribeTopicValues",
    "SubscribedFrame",
    "SubscribedFrameType",
    "SubscriptionState",
    "SubscriptionStateCreditLeft",
    "Topic",
    "TopicChange",
    "TopicConfig",
    "TopicConfigChange",
    "TopicConfigChangeCleanup",
    "TopicConfigChangeOnFull",
    "TopicConfigCleanup",
    "TopicConfigOnFull",
    "TopicList",
    "TopicPage",
    "TopicSpec",
    "TopicSummary",
    "Trim",
    "Trimmed",
    "UnsubscribeFrame",
    "UnsubscribeFrameType",
    "WelcomeFrame",
    "WelcomeFrameLimits",
    "WelcomeFrameType",
)
