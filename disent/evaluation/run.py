# SPDX-License-Identifier: Apache-2.0
"""Scores runs, and writes each run's metrics.json."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from disent.codes import CodeTable
from disent.evaluation.between import compare, keep
from disent.evaluation.evaluate import evaluate, thinned
from disent.evaluation.held_out import held_out_terms
from disent.evaluation.options import Options
from disent.evaluation.scores import without
from disent.evaluation.shared import Shared
from disent.runs.directory import RunDir
from disent.runs.own_code import in_one_line
from disent.runs.run import Run
from disent.shipped import check_not_shipped


def evaluate_run(
    path: str | os.PathLike[str],
    options: Options,
    *,
    best: bool = False,
    device: str = "cpu",
    table: CodeTable | None = None,
    progress: bool = True,
    shared: Shared | None = None,
) -> tuple[dict[str, Any], CodeTable]:
    """Scores a trained run and writes its metrics.json, beside scores that it already holds.

    Earlier scores stay if they are of the same step and the same pictures. What is `shared` with
    the evaluations of other runs is made once.

    Raises:
        ValueError: The run is one of the zoo, into which nothing is written.
    """
    trained = Run.load(path)
    check_not_shipped(path)
    run = trained.directory
    model = trained.model(best=best).to(device)
    untrained = trained.untrained().to(device)
    step, dataset = trained.step(best=best), trained.dataset()
    record, table = evaluate(
        model, untrained, dataset, options, table=table, progress=progress, shared=shared
    )
    record = {"step": step, **record}
    unseen = held_out_terms(trained.path, model, dataset, table, options, progress=progress)
    if unseen is not None:
        record["held_out"] = unseen
    before = run.read_scores()
    if all(before.get(key) == record[key] for key in ("step", "fingerprint", "points")):
        earlier = without(before["scores"], options.of_one_run, options)
        record["scores"] = earlier | record["scores"]
        if "drawn" in before:
            record.setdefault("drawn", before["drawn"])
    run.write_scores(record)
    return record, table


def evaluate_runs(
    paths: Sequence[str | os.PathLike[str]],
    options: Options,
    *,
    best: bool = False,
    device: str = "cpu",
) -> Iterator[tuple[str, dict[str, Any] | Exception]]:
    """Scores run after run; with scores between runs, compares those that differ in the seed alone.

    A run that is named twice, or by a link too, counts once.

    Yields:
        Each run with its record; or with the error that kept it from being scored, and the others
        go on. Scores between runs come last: the runs that they need are only known then.
    """
    kept, shared, once = [], Shared(), dict[Path, str | os.PathLike[str]]()
    for path in paths:
        once.setdefault(Path(path).resolve(), path)
    for path in once.values():
        try:
            record, table = evaluate_run(path, options, best=best, device=device, shared=shared)
            if options.between_runs:
                dataset = thinned(Run.load(path).dataset(), options)
                kept.append(keep(path, table, dataset, options, record["step"]))
        except Exception as error:
            if not isinstance(error, RuntimeError) and in_one_line(error) is None:
                raise
            yield os.fspath(path), error
        else:
            if not options.between_runs:
                yield os.fspath(path), record
    compare(kept, options.between_runs, options)
    for run in kept:
        yield os.fspath(run.path), RunDir(run.path).read_scores()
