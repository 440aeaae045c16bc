"""The scorer: answers the doorbell by scoring every measured evaluation that has no score by its phase's metric.

Then it prepares campaigns. If nothing else waits, it announces provisional scores of running evaluations, tidies the
readings of measured ones, and computes how far a phase's numbers can be trusted. Beside all that, a thread publishes
and undoes campaigns, computes the leaderboards that pages show whenever pointers have moved, numbers the acts of the
record, enters teams into finals, makes the reference rows of new phases, and ranks the entries of matrices.
"""

import threading
import time

import structlog

from services.core.heartbeat import beat
from services.core.queue.doorbell import Bell, Doorbell
from services.core.record.chain import PORTION, link
from services.core.settings import Settings
from services.core.store.blobs import Blobs
from services.core.store.database import Database
from services.scorer.evaluations import Evaluations
from services.scorer.finals.keeping import Finals
from services.scorer.matrices import Matrices
from services.scorer.preparing import Preparing
from services.scorer.references import References
from services.scorer.reliability.task import Reliability
from services.scorer.rescorings import Rescorings
from services.scorer.retries import Retries
from services.scorer.standings.boards import Boards
from services.scorer.standings.previews import Previews
from services.scorer.stores import Stores
from services.scorer.telling import Telling
from services.scorer.tidying import Tidying

__all__ = ["Scorer", "run_scorer"]

log = structlog.get_logger()
KEEP_EVERY_S = 0.5
KEEP_AGAIN_S = 5.0  # after a failure
STOP_WITHIN_S = 20.0  # a big leaderboard is given up: the next scorer computes it anew
TIDY_FOR_S = RELY_FOR_S = 10.0  # at a time, so that a campaign never waits long


class Scorer:
    """Scores evaluations one after another, and those of a campaign side by side."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.database = Database(settings.resolved_database_url)
        self.blobs = Blobs.from_settings(settings)
        self.doorbell = Doorbell(settings)
        self.stopping = threading.Event()
        stores, retries = Stores(self.database, self.blobs, settings), Retries()
        self.evaluations = Evaluations(stores, retries)
        self.campaigns = Preparing(stores, retries, self.stopping)
        self.rescorings = Rescorings(stores, self.doorbell)
        self.boards, self.previews = Boards(stores), Previews(stores)
        self.finals = Finals(stores, self.doorbell)
        self.references = References(stores, self.doorbell)
        self.matrices = Matrices(stores)
        self.provisional = Telling(stores)
        self.tidying = Tidying(stores, Retries())
        self.reliability = Reliability(stores)
        self._one_at_a_time, self._one_keeps = threading.Lock(), threading.Lock()

    def serve(self) -> int:
        """Score until nothing waits; return how many were scored."""
        scored = 0
        with self._one_at_a_time:
            while not self.stopping.is_set() and (evaluation_id := self.evaluations.next()):
                scored += self.evaluations.score(evaluation_id)
            scored += self.campaigns.prepare()
            self.keep()
            self._tell_provisional()
            self._tidy()
            self._rely()
        return scored

    def keep(self) -> None:
        """Number new acts of the record; publish rescorings; compute leaderboards and previews; enter finals."""
        with self._one_keeps:
            self._link()
            self.rescorings.keep()
            self.boards.keep()
            self.previews.keep()
            self.finals.keep()
            self.references.keep()
            self.matrices.keep()

    def _link(self) -> None:
        """Number the acts that wait, a portion in each transaction."""
        while not self.stopping.is_set():
            with self.database.write() as session:
                if link(session) < PORTION:
                    return

    def keep_regularly(self) -> None:
        """Keep leaderboards and previews until asked to stop."""
        pause_s = KEEP_EVERY_S
        while not self.stopping.wait(pause_s):
            try:
                self.keep()
                pause_s = KEEP_EVERY_S
            except Exception:  # such as a database that does not answer
                pause_s = KEEP_AGAIN_S
                log.exception("standings_failed", remedy="the next look tries again")

    def sweep(self) -> None:
        """Ring if something waits, and touch the heartbeat file."""
        waiting = self.campaigns.waits() or self.evaluations.next() or self.provisional.due() or self.tidying.next()
        if waiting or self.reliability.due():
            self.doorbell.ring(Bell.SCORE)
        beat(self.settings, "scorer")

    def _tell_provisional(self) -> None:
        """Announce provisional scores until asked to stop or until a final score waits."""
        for due in self.provisional.due():
            if self.stopping.is_set() or self.evaluations.next():
                return
            self.provisional.tell(due)

    def _tidy(self) -> None:
        """Tidy readings for a while, until one fails, a final score waits, or asked to stop."""
        until = time.monotonic() + TIDY_FOR_S
        while time.monotonic() < until and not self.stopping.is_set() and not self.evaluations.next():
            one = self.tidying.next()
            if one is None or not self.tidying.tidy(one):
                return

    def _rely(self) -> None:
        """Compute how far numbers can be trusted for a while, until a final score waits, or asked to stop."""
        until = time.monotonic() + RELY_FOR_S
        while time.monotonic() < until and not self.stopping.is_set() and not self.evaluations.next():
            if not self.reliability.step():
                return


def run_scorer(settings: Settings) -> None:
    """Score measured evaluations until asked to stop (SIGTERM or SIGINT)."""
    scorer = Scorer(settings)
    keeper = threading.Thread(target=scorer.keep_regularly, daemon=True)
    keeper.start()
    log.info("scorer_ready")
    try:
        scorer.doorbell.answer(
            Bell.SCORE,
            look=scorer.serve,
            sweep=scorer.sweep,
            sweep_every_s=settings.resolved_sweep_every_s,
            threads=1,
            stopping=scorer.stopping,
        )
    finally:
        scorer.stopping.set()
        keeper.join(timeout=STOP_WITHIN_S)
        scorer.database.dispose()
