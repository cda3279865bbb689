# SPDX-License-Identifier: Apache-2.0
"""Which of the trainer's precisions a run may have: models keep their weights in float32."""

PRESENT = {"16": "16-mixed", "bf16": "bf16-mixed", "32": "32-true"}  # older spellings
KNOWN = ("16-true", "bf16-true", "transformer-engine", "transformer-engine-float16")
TAKEN = ("32-true", "bf16-mixed", "16-mixed")


def checked_precision(precision: str | int | None) -> str | None:
    """The precision of the trainer under its present name; None: its default, 32-true.

    Raises:
        ValueError: It would change the weights themselves, which posteriors near the latents, the
            scores and the checkpoints hold in float32.

    Example:
        >>> checked_precision("bf16"), checked_precision(32), checked_precision(None)
        ('bf16-mixed', '32-true', None)
    """
    if precision is None:
        return None
    name = PRESENT.get(str(precision), str(precision))
    if name not in TAKEN:
        half = "16-mixed" if name == "16-true" else "bf16-mixed"
        instead = half if name in KNOWN else "32-true"
        raise ValueError(
            f"--trainer.precision is {precision}, but a model's weights are float32: "
            f"{', '.join(TAKEN)} can be had. Take {instead}."
        )
    return name
