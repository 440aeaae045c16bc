"""The tables, one file per feature. They define only rows; the rules live in `core.queue` and `core.board`."""

from services.core.device import Device
from services.core.models.accounts import (
    Account,
    AccountLink,
    Identity,
    LinkKind,
    Role,
    Scope,
    Team,
    TeamMember,
    Theme,
    Token,
    TokenKind,
)
from services.core.models.announcements import Announcement
from services.core.models.benchmark_uploads import BenchmarkUpload, BenchmarkUploadPart, BenchmarkUploadState
from services.core.models.campaigns import Campaign, CampaignMove, CampaignState, ReRun
from services.core.models.competitions import BenchmarkRow, Competition, Phase, PhaseKind, Visibility
from services.core.models.copies import CodeBand, Copy, CopyKind
from services.core.models.environments import EnvironmentRow
from services.core.models.evaluations import (
    Evaluation,
    FailureKind,
    MeasurementRow,
    Shard,
    State,
    SubmissionState,
)
from services.core.models.events import BROKEN_OFF, Event, EventKind
from services.core.models.exclusions import Exclusion, ExclusionKind
from services.core.models.files import CompetitionImage, CompetitionPage, CompetitionVersion
from services.core.models.finals import Entered, EnteredBy, Final, FinalPhase, JointRow, Selection
from services.core.models.frozen import Freeze, FreezeState
from services.core.models.happenings import Happening, HappeningKind, Notice
from services.core.models.leaderboard import LeaderboardEntry, Score
from services.core.models.lines import Line
from services.core.models.matrices import Matrix, MatrixRun
from services.core.models.notes import SharedSubmission, SubmissionNote
from services.core.models.outbox import Outgoing, OutgoingKind
from services.core.models.people import (
    CompetitionRole,
    Invitation,
    Member,
    Registration,
    RegistrationMode,
    RegistrationState,
)
from services.core.models.record import Act, AuditEvent
from services.core.models.reliability import ReliabilityForm, ReliabilityRow
from services.core.models.standings import AskedBoard, StandingRow, Standings, Unranked
from services.core.models.submissions import Reference, Submission, SubmissionKind
from services.core.models.teams import Merge, Offer, OfferState, Seat, TeamInvitation, TeamRole, Transfer
from services.core.models.uploads import UploadKey
from services.core.models.webhooks import HookCall, Webhook
from services.core.models.winners import Consent, Finalist, FinalistState, VerifyingRun
from services.core.models.workers import WorkerRow

__all__ = [
    "BROKEN_OFF",
    "Account",
    "AccountLink",
    "Act",
    "Announcement",
    "AskedBoard",
    "AuditEvent",
    "BenchmarkRow",
    "BenchmarkUpload",
    "BenchmarkUploadPart",
    "BenchmarkUploadState",
    "Campaign",
    "CampaignMove",
    "CampaignState",
    "CodeBand",
    "Competition",
    "CompetitionImage",
    "CompetitionPage",
    "CompetitionRole",
    "CompetitionVersion",
    "Consent",
    "Copy",
    "CopyKind",
    "Device",
    "Entered",
    "EnteredBy",
    "EnvironmentRow",
    "Evaluation",
    "Event",
    "EventKind",
    "Exclusion",
    "ExclusionKind",
    "FailureKind",
    "Final",
    "FinalPhase",
    "Finalist",
    "FinalistState",
    "Freeze",
    "FreezeState",
    "Happening",
    "HappeningKind",
    "HookCall",
    "Identity",
    "Invitation",
    "JointRow",
    "LeaderboardEntry",
    "Line",
    "LinkKind",
    "Matrix",
    "MatrixRun",
    "MeasurementRow",
    "Member",
    "Merge",
    "Notice",
    "Offer",
    "OfferState",
    "Outgoing",
    "OutgoingKind",
    "Phase",
    "PhaseKind",
    "ReRun",
    "Reference",
    "Registration",
    "RegistrationMode",
    "RegistrationState",
    "ReliabilityForm",
    "ReliabilityRow",
    "Role",
    "Scope",
    "Score",
    "Seat",
    "Selection",
    "Shard",
    "SharedSubmission",
    "StandingRow",
    "Standings",
    "State",
    "Submission",
    "SubmissionKind",
    "SubmissionNote",
    "SubmissionState",
    "Team",
    "TeamInvitation",
    "TeamMember",
    "TeamRole",
    "Theme",
    "Token",
    "TokenKind",
    "Transfer",
    "Unranked",
    "UploadKey",
    "VerifyingRun",
    "Visibility",
    "Webhook",
    "WorkerRow",
]
