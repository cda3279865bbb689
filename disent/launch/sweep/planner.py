# SPDX-License-Identifier: Apache-2.0
"""Which trials a sweep has: all at once for grid and random search, one by one for bayes."""

import json
import math
from pathlib import Path
from typing import Any

from disent.documents import read_json
from disent.files import create
from disent.launch.sweep.distributions import whole
from disent.launch.sweep.file import Sweep
from disent.launch.sweep.trials import Trial, list_trials, make_trial
from disent.launch.workers.outcomes import Outcomes, last_value
from disent.runs.directory import RunDir


class Planner:
    """The trials of a sweep, agreed on by all processes that share its folder.

    Args:
        sweep: The sweep.
        folder: For the proposals of method: bayes, one file each, written once.
        outcomes: How its trials ended.
    """

    def __init__(self, sweep: Sweep, folder: Path, outcomes: Outcomes) -> None:
        self.sweep, self.folder, self.outcomes = sweep, folder, outcomes
        self._listed = None if sweep.method == "bayes" else list_trials(sweep)
        if sweep.method == "bayes" and sweep.cap is None:
            raise ValueError(f"sweep {sweep.name} has no end. Add run_cap: 20, or another number.")

    @property
    def proposes(self) -> bool:
        """Whether trials are chosen by the results before them."""
        return self._listed is None

    def trials(self) -> list[Trial]:
        """The trials known so far."""
        if self._listed is not None:
            return self._listed
        trials = []
        while (file := self.folder / f"{len(trials)}.json").exists():
            try:
                arguments = read_json(file)
            except ValueError:  # half-written, on a file system without hard links
                break
            wanted = [parameter.name for parameter in self.sweep.parameters]
            if not isinstance(arguments, dict) or not set(wanted) <= set(arguments):
                raise ValueError(
                    f"{file} is no trial of {self.sweep.name}, which has a value for each of "
                    f"{', '.join(wanted)}. It was changed: give the sweep another name."
                )
            trials.append(make_trial(self.sweep, len(trials), arguments))
        return trials

    def propose(self, count: int) -> None:
        """Adds up to `count` trials, by what the finished ones gave; for bayes only."""
        if self._listed is not None:
            return
        for _ in range(count):
            known = self.trials()
            if len(known) >= (self.sweep.cap or 0):
                return
            # another process may have proposed the same number; its proposal stands
            create(self.folder / f"{len(known)}.json", json.dumps(self._suggest(known)))

    def _suggest(self, known: list[Trial]) -> dict[str, Any]:
        """Tree-structured Parzen estimator (Bergstra et al., 2011) over the finished trials.

        Trials that run are counted as if they had given the worst value, so that no two processes
        try the same place. A function of the file, the number and the results: nothing else.
        """
        optuna = _optuna()
        assert self.sweep.metric
        minimise = self.sweep.metric.goal == "minimize"
        sampler = optuna.samplers.TPESampler(
            seed=len(known), constant_liar=True, multivariate=True, n_startup_trials=5
        )
        study = optuna.create_study(
            direction="minimize" if minimise else "maximize", sampler=sampler
        )
        space = {p.name: _distribution(optuna, p) for p in self.sweep.parameters}
        for trial in known:
            state, value = self._result(trial)
            study.add_trial(
                optuna.trial.create_trial(
                    state=optuna.trial.TrialState[state],
                    value=value,
                    params={name: trial.arguments[name] for name in space},
                    distributions=space,
                )
            )
        stepped = {p.name for p in self.sweep.parameters if p.distribution == "q_uniform"}
        asked = study.ask(space).params
        return {name: whole(v) if name in stepped else v for name, v in asked.items()}

    def _result(self, trial: Trial) -> tuple[str, float | None]:
        """How a trial stands in Optuna's terms, and its value."""
        assert self.sweep.metric
        value = last_value(RunDir(self.outcomes.runs / trial.name), self.sweep.metric)
        state = self.outcomes.read(trial.name).state
        if state == "waiting":
            return "RUNNING", None
        if state == "failed" or value is None or math.isnan(value):
            return "FAIL", None
        return "COMPLETE", value


def _optuna() -> Any:
    try:
        import optuna
    except ImportError:
        raise ValueError(
            "method: bayes needs Optuna, which is not installed: pip install optuna, or install "
            "disent-suite[sweeps]. Or take method: random."
        ) from None
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna


def _distribution(optuna: Any, parameter: Any) -> Any:
    """A parameter's distribution in Optuna's terms; raises ValueError for those it has not."""
    d, numbers = optuna.distributions, dict(parameter.numbers)
    match parameter.distribution:
        case "constant" | "categorical":
            return d.CategoricalDistribution(parameter.values)
        case "int_uniform":
            return d.IntDistribution(int(numbers["min"]), int(numbers["max"]))
        case "uniform":
            return d.FloatDistribution(numbers["min"], numbers["max"])
        case "q_uniform":
            return d.FloatDistribution(numbers["min"], numbers["max"], step=numbers["q"])
        case "log_uniform_values":
            return d.FloatDistribution(numbers["min"], numbers["max"], log=True)
    raise ValueError(
        f"parameter {parameter.name} is {parameter.distribution}, which method: bayes cannot "
        "search here. Take values:, uniform, int_uniform, q_uniform or log_uniform_values."
    )
