# SPDX-License-Identifier: Apache-2.0
"""Any objective whose strength changes with the step: warmed up once, or again and again."""

from typing import Literal

from jaxtyping import Float
from torch import Tensor
from torch.func import functional_call

from disent.objectives.base import Objective, Terms
from disent.objectives.beta import BetaELBO
from disent.objectives.schedules import cyclic, linear


class ScheduledELBO(Objective):
    """An objective, in nats, whose strength (beta, lambda_od ...) comes from `start` to its value.

    linear: over the first steps, then it stays; the warm-up of Sonderby et al. (2016), "Ladder
    variational autoencoders", https://arxiv.org/abs/1602.02282. cyclic: over the first half of each
    cycle, and it stays for the second; Fu et al. (2019), "Cyclical Annealing Schedule", eq. 6 with
    ratio 1/2, https://arxiv.org/abs/1903.10145. Other weights of the objective stay, such as
    lambda_d of CovarianceELBO.

    Args:
        objective: Which one; None: BetaELBO.
        over: Steps of the warm-up, or of a whole cycle.
        shape: linear or cyclic.
        start: The strength at step 0, and at the start of each cycle. 1 for TotalCorrelationELBO
            and DiscrepancyELBO, the ELBO: below it they reward what they are to punish.
    """

    start: Tensor
    over: Tensor

    def __init__(
        self,
        objective: Objective | None = None,
        over: int = 10_000,
        shape: Literal["linear", "cyclic"] = "linear",
        start: float = 0.0,
    ) -> None:
        super().__init__()
        objective = BetaELBO() if objective is None else objective
        if objective.strength is None or objective.schedule(0):
            raise ValueError(
                f"{type(objective).__name__} has no strength, or a schedule of its own: take one "
                "with a strength that is constant, such as BetaELBO."
            )
        if over < 1:
            raise ValueError(f"over must be >= 1 step, got {over}. A tenth of a run is usual.")
        if shape not in ("linear", "cyclic"):
            raise ValueError(f"shape must be 'linear' or 'cyclic', got {shape!r}.")
        if not 0 <= start < float("inf"):
            raise ValueError(f"start must be >= 0, got {start}. 0 is usual.")
        self.objective, self.shape, self.scheduled = objective, shape, objective.strength[0]
        self.knob("over", over)
        self.knob("start", start)

    def forward(self, terms: Terms, step: int | Tensor) -> Float[Tensor, ""]:
        return functional_call(self.objective, {self.scheduled: self.value(step)}, (terms, step))

    def value(self, step: int | Tensor) -> Tensor:
        """The strength at a step."""
        rise = getattr(self.objective, self.scheduled) - self.start
        if self.shape == "cyclic":
            return self.start + cyclic(step, stop=rise, period=self.over)
        return self.start + linear(step, stop=rise, over=self.over)

    def schedule(self, step: int | Tensor) -> dict[str, Tensor]:
        """The strength at a step, such as `scheduled_beta`."""
        return {f"scheduled_{self.scheduled}": self.value(step)}

    def tell(self, terms: Terms) -> dict[str, Tensor]:
        """What the objective itself tells."""
        return self.objective.tell(terms)
