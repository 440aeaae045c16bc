"""Alarms for organisers: results that honest unlearning hardly ever gives. An alarm changes no score."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from services.scorer.metrics.balance import BALANCED
from services.scorer.metrics.card import ScoreCard
from services.scorer.metrics.certificate import CertificateAudit
from services.scorer.metrics.duplicates import distances, nearest
from services.scorer.metrics.evidence import Evidence, Models, Upload
from services.scorer.metrics.independence import ALARM_P, independence
from services.scorer.metrics.lethe_2 import read_evidence
from services.scorer.metrics.placebo import is_replaced, read_placebo
from services.scorer.metrics.shifts import weights_moved
from services.scorer.metrics.uncertainty import quantile

__all__ = ["STRATIFIED_Z", "Alarm", "AlarmKind", "evenness_z", "order_z", "raise_alarms"]

ALARM_Z = 3.0
STRATIFIED_Z = 4.0  # for two tests on every entry of a leaderboard, rarely wrong even over thousands
CROWDED_SHARE = 0.5  # honest fine-tuning with a little noise has a few near-duplicates
LEAKED_SHARE = 0.05
COPY_DISTANCE = 0.5  # of the shortest between honest models; no pair of 200 times 3 N retrained ones came so close
SHARED_SPACINGS = 1.14  # neighbouring ratios share a spacing, which makes their mean noisier by this factor (simulated)
ROUNDING = 1e-6  # tolerance for a claim computed elsewhere
HARDLY_MOVED = 0.05  # of the distance between the original and retrained models, by their sketches
FORGOTTEN = 0.5  # memory below which an entry counts as having forgotten
FAR = 0.5  # of that distance: weights that resemble the original's hardly more than retrained ones do
BYTES_PER_PARAMETER = 0.5  # networks stay what they are if their weights are rounded to 4 bits
LEAST_CARRIED = 8  # models; an entry with fewer different ones does not rank
EVEN_EXAMPLES_Z = 1.0  # mean over examples, whose spacings hardly depend on each other: 5 sd of honest entries
MIN_MODELS = 32  # with fewer models, order and spacing mean nothing


class AlarmKind(StrEnum):
    ABOVE_CEILING = "above_ceiling"
    SEEDS_IGNORED = "seeds_ignored"
    IDENTICAL_CHECKPOINTS = "identical_checkpoints"
    NEAR_DUPLICATES = "near_duplicates"
    STRATIFIED_CHECKPOINTS = "stratified_checkpoints"
    DEPENDENT_RUNS = "dependent_runs"
    ORACLE_CHECKPOINTS = "oracle_checkpoints"
    UTILITY_ABOVE_ORACLE = "utility_above_oracle"
    FORGET_SET_PINNED = "forget_set_pinned"
    FORGET_SET_REPLACED = "forget_set_replaced"
    WEIGHTS_HARDLY_MOVED = "weights_hardly_moved"
    CARRIES_MODELS = "carries_models"
    FALSE_CERTIFICATE = "false_certificate"
    UNSUPPORTED_CERTIFICATE = "unsupported_certificate"


@dataclass(frozen=True, slots=True)
class Alarm:
    """One observation, with the figure that raised it."""

    kind: AlarmKind
    message: str


def raise_alarms(evidence: Evidence, card: ScoreCard, certificate: CertificateAudit | None = None) -> tuple[Alarm, ...]:
    """Look for leakage, dependent runs, accuracies that retraining does not reach, and false claims."""
    unlearned, oracle, second = (
        None if models is None else models.confidences(evidence.forget_labels)
        for models in (evidence.unlearned, evidence.oracle, evidence.second_oracle)
    )
    assert unlearned is not None
    assert oracle is not None
    oracles = [evidence.oracle, *([evidence.second_oracle] if evidence.second_oracle else [])]
    found = [
        *_above_ceiling(card, oracle),
        *_copies(card),
        *_oracle_hashes(evidence.unlearned, oracles),
        *_oracle_neighbours(unlearned, oracle, second),
        *_stratified(unlearned),
        *_dependent(evidence),
        *_utility(evidence),
        *_forged(evidence),
        *_replaced(evidence),
        *([] if certificate is None else _certificate(certificate)),
    ]
    return tuple({alarm.kind: alarm for alarm in found}.values())


def _certificate(found: CertificateAudit) -> list[Alarm]:
    alarms = []
    if found.audited_epsilon is not None and found.audited_epsilon > found.epsilon:
        text = (
            f"The entry claims epsilon {found.epsilon:g}, but its runs prove at least {found.audited_epsilon:.2f} with "
            "95% confidence."
        )
        alarms.append(Alarm(AlarmKind.FALSE_CERTIFICATE, text))
    accountant = found.accountant_epsilon
    if accountant is not None and accountant > found.epsilon * (1 + ROUNDING):
        text = f"The entry claims epsilon {found.epsilon:g}, but the accountant gives {accountant:.3g} for its steps."
        alarms.append(Alarm(AlarmKind.UNSUPPORTED_CERTIFICATE, text))
    return alarms


def _above_ceiling(card: ScoreCard, oracle: NDArray[np.float64]) -> list[Alarm]:
    """Compare F with the ceiling by which the card's metric has divided it."""
    quality, highest = card.forgetting_quality, card.ceiling
    if min(card.models, len(oracle)) < MIN_MODELS or highest is None or highest.value == 0.0:
        return []  # too few models, or a metric without a ceiling
    value = quality.value * highest.value
    errors = [(one.high - one.low) / (2 * quantile(15)) for one in (quality, highest)]
    z = (value - highest.value) / max(float(np.hypot(errors[0] * highest.value, errors[1])), 1e-9)
    if z <= ALARM_Z:
        return []
    text = (
        f"F is {value:.3f}, above the ceiling of {highest.value:.3f} (z = {z:.1f}), which retraining itself reaches. "
    )
    return [Alarm(AlarmKind.ABOVE_CEILING, text + "Check the submission for oracle models or data.")]


def _copies(card: ScoreCard) -> list[Alarm]:
    if card.models == 1:
        return []
    if card.distinct_models == 1:
        return [
            Alarm(AlarmKind.SEEDS_IGNORED, f"All {card.models} checkpoints are equal, so the method ignores its seed.")
        ]
    found = []
    if card.distinct_models < card.models:
        text = f"Only {card.distinct_models} of {card.models} checkpoints are distinct."
        found.append(Alarm(AlarmKind.IDENTICAL_CHECKPOINTS, text))
    if card.effective_models < min(card.distinct_models, CROWDED_SHARE * card.models):
        text = f"Only {card.effective_models} of {card.models} models are not near-duplicates of another one."
        found.append(Alarm(AlarmKind.NEAR_DUPLICATES, text))
    return found


def _oracle_hashes(unlearned: Models, oracles: list[Models]) -> list[Alarm]:
    if unlearned.checkpoint_sha256 is None:
        return []
    known = {
        row.tobytes() for oracle in oracles if oracle.checkpoint_sha256 is not None for row in oracle.checkpoint_sha256
    }
    same = sum(row.tobytes() in known for row in unlearned.checkpoint_sha256)
    text = f"{same} of {len(unlearned)} checkpoints are byte-for-byte copies of oracle checkpoints."
    return [Alarm(AlarmKind.ORACLE_CHECKPOINTS, text)] if same else []


def _oracle_neighbours(
    unlearned: NDArray[np.float64], oracle: NDArray[np.float64], second: NDArray[np.float64] | None
) -> list[Alarm]:
    """Count models that are far closer to an oracle model than the models of either side are to each other.

    The limit is far closer, because honest retraining must not raise the alarm: each of its models has twice as many
    oracle models around it as models of its own side, so some are a little closer to an oracle model.
    """
    if min(len(unlearned), len(oracle)) < MIN_MODELS:
        return []
    limit = min(float(np.quantile(nearest(distances(side, oracle, side)), 0.001)) for side in (unlearned, oracle))
    everyone = oracle if second is None else np.concatenate([oracle, second])
    close = distances(unlearned, oracle, everyone).min(axis=1) < COPY_DISTANCE * limit
    if close.mean() <= LEAKED_SHARE:
        return []
    text = f"{int(close.sum())} of {len(unlearned)} models are far closer to an oracle model than to any other model."
    return [Alarm(AlarmKind.ORACLE_CHECKPOINTS, text)]


def _stratified(unlearned: NDArray[np.float64]) -> list[Alarm]:
    """Look for order and evenness in the models' mean confidences; independent runs have neither.

    Order: the rank version of von Neumann's ratio (Bartels, 1982). Evenness: the mean ratio of neighbouring spacings
    (Oganesyan and Huse, 2007), 2 ln 2 - 1 for independent draws of any smooth density, nearly 1 for a grid.
    """
    values = unlearned.mean(axis=1)
    models = len(values)
    if models < MIN_MODELS or len(np.unique(values)) < models:
        return []  # copies have a separate alarm
    order, even = order_z(values), evenness_z(values)
    each = float(np.mean([evenness_z(column) for column in unlearned.T if len(np.unique(column)) == models] or [0.0]))
    if each > EVEN_EXAMPLES_Z:
        text = (
            f"On single examples, the models' confidences are more evenly spaced than independent runs' (mean z = "
            f"{each:.1f}), so the runs shared out the outcomes among themselves."
        )
        return [Alarm(AlarmKind.STRATIFIED_CHECKPOINTS, text)]
    if max(abs(order), even) <= STRATIFIED_Z:
        return []
    what = (
        f"follow each other in order (z = {order:.1f})" if abs(order) >= even else f"are evenly spaced (z = {even:.1f})"
    )
    return [
        Alarm(
            AlarmKind.STRATIFIED_CHECKPOINTS, f"The models' mean confidences {what}, so the runs are not independent."
        )
    ]


def _dependent(evidence: Evidence) -> list[Alarm]:
    if evidence.runs is None:
        return []
    found = independence(evidence.unlearned, evidence.forget_labels, evidence.runs)
    if found is None or found.p_value > ALARM_P:
        return []
    text = f"In the order of time, {found.finding} (z = {found.z:.1f}; p = {found.p_value:g} for all tests together). "
    why = "A run knew of earlier ones, or depended on something that changes with time, such as the machine's load."
    return [Alarm(AlarmKind.DEPENDENT_RUNS, text + why)]


def _forged(evidence: Evidence) -> list[Alarm]:
    """Look for an entry that changes what the original says of the forget set and leaves the rest as it was."""
    reading = read_evidence(evidence)
    if reading is None or min(len(evidence.unlearned), len(evidence.oracle)) < MIN_MODELS:
        return []
    alarms = []
    if reading.balance.pinned:
        text = (
            f"Forget examples look more retrained than controls: the ratio of their shifts is "
            f"{reading.balance.ratio:.2f}, and certainly below {BALANCED}; unlearning gives about 1."
        )
        alarms.append(Alarm(AlarmKind.FORGET_SET_PINNED, text))
    moved = weights_moved(evidence)
    if moved is not None and moved < HARDLY_MOVED and reading.memory < FORGOTTEN:
        text = (
            f"The models have lost {1 - reading.memory:.0%} of what the original remembers, but their weights moved "
            f"only {moved:.1%} as far from the original as retrained models lie."
        )
        alarms.append(Alarm(AlarmKind.WEIGHTS_HARDLY_MOVED, text))
    could_carry = 0 if evidence.upload is None else _models_within(evidence.upload)
    if moved is not None and moved > FAR and could_carry >= LEAST_CARRIED and reading.memory < FORGOTTEN:
        text = (
            f"The weights lie {moved:.0%} as far from the original as those of retrained models, and the upload is "
            f"large enough to hold {could_carry:,} models of this benchmark."
        )
        alarms.append(Alarm(AlarmKind.CARRIES_MODELS, text))
    return alarms


def _replaced(evidence: Evidence) -> list[Alarm]:
    """Look for an entry that replaces what a model says of the forget set, even if there is nothing to forget."""
    reading = read_placebo(evidence)
    if reading is None or not is_replaced(reading):
        return []
    kept = reading.following
    text = (
        f"Runs from models that never saw the forget set keep {kept.test:.0%} of what is peculiar to these models on "
        f"test examples, but {kept.forget:.0%} on forget examples (p = {kept.p_value:.1g}). Unlearning treats both "
        "alike where there is nothing to forget."
    )
    return [Alarm(AlarmKind.FORGET_SET_REPLACED, text)]


def _models_within(upload: Upload) -> int:
    """Count the models that fit into an upload if weights are rounded as far as outputs allow."""
    return int(upload.size_bytes / (BYTES_PER_PARAMETER * upload.parameters))


def order_z(values: NDArray[np.float64]) -> float:
    """Return how strongly values [N] follow each other in order, in standard deviations."""
    ranks = values.argsort().argsort().astype(np.float64)
    ratio = (np.diff(ranks) ** 2).sum() / ((ranks - ranks.mean()) ** 2).sum()
    return float((2 - ratio) / np.sqrt(4 / len(values)))


def evenness_z(values: NDArray[np.float64]) -> float:
    """Return how much more evenly values [N] are spaced than independent draws, in standard deviations."""
    spacings = np.diff(np.sort(values))
    ratios = np.minimum(spacings[1:], spacings[:-1]) / np.maximum(spacings[1:], spacings[:-1])
    mean = 2 * np.log(2) - 1
    variance = 3 - 4 * np.log(2) - mean**2
    return float((ratios.mean() - mean) / np.sqrt(variance / len(ratios)) / SHARED_SPACINGS)


def _utility(evidence: Evidence) -> list[Alarm]:
    found = []
    for side in ("retain", "test"):
        mine, theirs = (
            np.asarray(getattr(models, f"{side}_accuracy")) for models in (evidence.unlearned, evidence.oracle)
        )
        if min(len(mine), len(theirs)) < MIN_MODELS:
            continue
        spread = max(float(theirs.std(ddof=1)), 1e-9)  # of single models: few oracle models reach such a mean
        if mine.mean() - theirs.mean() > ALARM_Z * spread:
            found.append(f"{side} accuracy is {mine.mean():.2%}, that of the oracle {theirs.mean():.2%}")
    return [Alarm(AlarmKind.UTILITY_ABOVE_ORACLE, f"Utility exceeds the oracle: {'; '.join(found)}.")] if found else []
