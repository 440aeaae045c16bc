"""The flags and the alarms that a score can carry."""

from services.core.catalogue.entries import AlarmInfo, FlagInfo

__all__ = ["ALARMS", "FLAGS"]

FLAGS: dict[str, FlagInfo] = {
    flag.name: flag
    for flag in (
        FlagInfo(
            "too_few_distinct_models",
            "Fewer than 8 models are known to be distinct, so forgetting quality cannot be estimated.",
            "Forgetting quality counts as 0.",
        ),
        FlagInfo(
            "too_few_effective_models",
            "Too few models differ by more than near-duplicates do: fewer than 64, or than half of N if N is below "
            "128.",
            "The entry does not rank. Below 8 such models, forgetting quality counts as 0.",
        ),
        FlagInfo(
            "no_ceiling",
            "Retraining itself earns nothing here, which happens with very few models, so there is no ceiling to "
            "divide by.",
            "Forgetting quality counts as 0.",
        ),
        FlagInfo(
            "gaussian_doubtful",
            "More than 20% of the examples do not pass as Gaussian.",
            "Do not rely on the Gaussian estimates. The score does not use them.",
        ),
        FlagInfo(
            "independence_not_enforced",
            "All models come from one process, as a notebook's do, and may depend on each other.",
            "There are no sound bounds, because nothing can be proven about dependent models.",
        ),
        FlagInfo(
            "order_unknown",
            "The runs were measured before Lethe stored the order in which they ran.",
            "Their independence was not tested.",
        ),
    )
}

ALARMS: dict[str, AlarmInfo] = {
    alarm.kind: alarm
    for alarm in (
        AlarmInfo(
            "above_ceiling",
            "Above the ceiling",
            "Forgetting quality is higher than retraining itself earns. Look for oracle models or data in the "
            "submission.",
        ),
        AlarmInfo(
            "seeds_ignored", "Seeds ignored", "All checkpoints are the same, so the method does not use its seed."
        ),
        AlarmInfo("identical_checkpoints", "Identical checkpoints", "Some checkpoints are exact copies of others."),
        AlarmInfo(
            "near_duplicates",
            "Near-duplicates",
            "Fewer than half of the models differ by more than near-duplicates do.",
        ),
        AlarmInfo(
            "stratified_checkpoints",
            "Stratified checkpoints",
            "The models' mean confidences are ordered or spaced more evenly than independent runs would be.",
        ),
        AlarmInfo(
            "dependent_runs",
            "Dependent runs",
            "In the order in which they ran, runs resemble each other, or share out the possible outcomes, as "
            "independent runs would in at most 1 of 1,000 evaluations.",
        ),
        AlarmInfo(
            "oracle_checkpoints",
            "Oracle checkpoints",
            "Models are equal to the oracle's, or closer to them than separately trained models come.",
        ),
        AlarmInfo(
            "utility_above_oracle",
            "Utility above the oracle",
            "Accuracy on retain or test examples is higher than the oracle's by more than noise.",
        ),
        AlarmInfo(
            "false_certificate", "False certificate", "The runs prove a larger epsilon than the certificate claims."
        ),
        AlarmInfo(
            "unsupported_certificate",
            "Unsupported certificate",
            "The accountant gives a larger epsilon for the same steps than the certificate claims.",
        ),
    )
}
