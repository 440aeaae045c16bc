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
            "Too few models differ by more than near-duplicates do: fewer than half of N, and by lethe-1 fewer than 64 "
            "if N is above 128.",
            "The entry does not rank. Below 8 such models, forgetting quality counts as 0.",
        ),
        FlagInfo(
            "forget_set_pinned",
            "The outputs for forget examples are closer to retrained models' than those for test and retain examples, "
            "by far more than chance. Unlearning treats all alike; an entry that imitates retrained outputs does not.",
            "The entry does not rank by lethe-2.",
        ),
        FlagInfo(
            "jointly_different",
            "Each forget example alone looks retrained, but all of them together vary in another way than in retrained "
            "models, and controls do not.",
            "Forgetting quality is capped: it halves with each half nat that the joint audit proves.",
        ),
        FlagInfo(
            "nothing_to_forget",
            "The original model's outputs for forget examples differ from retrained models' no more than those for "
            "controls, so there is no memory to lose.",
            "Forgetting quality counts as 0.",
        ),
        FlagInfo(
            "no_ceiling",
            "Retraining itself earns nothing here, which happens with very few models, so there is no ceiling to "
            "divide by.",
            "Forgetting quality counts as 0.",
        ),
        FlagInfo(
            "gaussian_doubtful",
            "Only on scores of earlier versions: more than 20% of the examples do not pass as Gaussian.",
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
            "forget_set_pinned",
            "Forget set pinned",
            "Forget examples look more retrained than controls do. Read the code: does it train towards outputs that "
            "retrained models gave, or that it carries?",
        ),
        AlarmInfo(
            "forget_set_replaced",
            "Forget set replaced",
            "Runs that start from a model which never saw the forget set keep far less of it on forget examples than "
            "on test examples, and end at outputs that look retrained. Read the code: does it carry or draw outputs?",
        ),
        AlarmInfo(
            "weights_hardly_moved",
            "Weights hardly moved",
            "Outputs on the forget set look retrained, but the weights are almost the original's. Read the code: does "
            "it change only a few outputs?",
        ),
        AlarmInfo(
            "carries_models",
            "Could carry models",
            "Weights are as far from the original as those of retrained models, and the upload is large enough to hold "
            "many models. Read the code: does it load weights that were trained elsewhere?",
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
