"""The tables, a file per feature. Rows only: rules live in `core.lifecycle` and `core.leases`."""

from services.core.device import Device
from services.core.models.accounts import Account, Role, Team, TeamMember, Token, TokenKind
from services.core.models.campaigns import Act, AuditEvent, Campaign, CampaignState, ReRun
from services.core.models.competitions import BenchmarkRow, Competition, Phase, PhaseKind
from services.core.models.evaluations import Evaluation, Event, FailureKind, MeasurementRow, Shard, State
from services.core.models.leaderboard import LeaderboardEntry, Score
from services.core.models.submissions import Reference, Submission, SubmissionKind

__all__ = [
    "Account",
    "Act",
    "AuditEvent",
    "BenchmarkRow",
    "Campaign",
    "CampaignState",
    "Competition",
    "Device",
    "Evaluation",
    "Event",
    "FailureKind",
    "LeaderboardEntry",
    "MeasurementRow",
    "Phase",
    "PhaseKind",
    "ReRun",
    "Reference",
    "Role",
    "Score",
    "Shard",
    "State",
    "Submission",
    "SubmissionKind",
    "Team",
    "TeamMember",
    "Token",
    "TokenKind",
]
