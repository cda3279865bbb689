# SPDX-License-Identifier: Apache-2.0
"""Which is faster here, a fleet or separate processes, and of how many: measured in seconds."""

import gc
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from disent.fleet.loader import FleetLoader
from disent.fleet.member import Member
from disent.fleet.stack import Stack
from disent.memory import memory_left

SECONDS = 1.0  # of one measurement, after two steps to warm up
GAIN = 1.1  # what a doubling must bring for the next to be tried
LARGEST = 1024  # members

Make = Callable[[int], Member]  # member number i of a fleet


@dataclass(frozen=True)
class Measured:
    """Speeds in member-steps per second.

    Attributes:
        separate: Of as many runs alone, side by side, as there are workers.
        processes: How many these are.
        stacked: Fleet size -> speed.
    """

    separate: float
    processes: int
    stacked: dict[int, float]

    @property
    def size(self) -> int:
        """Of the fastest fleet; 0 where separate processes are as fast."""
        best = max(self.stacked, key=lambda n: self.stacked[n], default=0)
        return best if best > 1 and self.stacked[best] > self.separate else 0

    def __str__(self) -> str:
        sizes = ", ".join(f"{n}: {speed:,.1f}" for n, speed in self.stacked.items())
        chosen = f"fleets of {self.size}" if self.size else "separate processes"
        return (
            f"member-steps/s of {self.processes} separate: {self.separate:,.1f}; of a fleet of "
            f"{sizes or 'any size: none fits'}; {chosen}"
        )


def measure(
    make: Make,
    most: int,
    device: torch.device,
    processes: int,
    *,
    compiled: bool = False,
    stopping: Callable[[], bool] = lambda: False,
) -> Measured:
    """Trains a moment in each way.

    Args:
        make: Gives member number i; it is used up.
        most: The largest fleet that is of use.
        device: Where the fleet would train.
        processes: Runs alone that would share the machine; no more than there are GPUs on one.
        compiled: Whether the fleet would be compiled, on an accelerator.
        stopping: Ends the measuring early.
    """
    if device.type != "cpu":
        processes = min(processes, max(1, torch.cuda.device_count()))
    separate, stacked, n = separate_speed(make, device, processes), dict[int, float](), 1
    while n <= min(most, LARGEST) and not stopping():
        before = _taken(device)
        try:
            stacked[n] = stacked_speed(make, n, device, compiled=compiled)
        except torch.OutOfMemoryError:
            break
        last = stacked.get(n // 2, 0.0)
        if stacked[n] < GAIN * last or 4 * (_taken(device) - before) > _free(device):
            break
        n = 2 * n if n == most else min(2 * n, most)
    return Measured(separate, processes, stacked)


def stacked_speed(make: Make, n: int, device: torch.device, *, compiled: bool = False) -> float:
    """Member-steps per second of a fleet of n."""
    batched = device.type != "cpu"
    step = _stepper([make(i) for i in range(n)], device, batched, compiled and batched)
    try:
        return n * _rate(step, device)
    finally:
        if compiled:
            torch.compiler.reset()  # it compiles one function for few sizes, then no more


def separate_speed(make: Make, device: torch.device, processes: int) -> float:
    """Steps per second of runs alone, all together.

    One run is measured, on a CPU on its share of the cores, and as many are taken to be as many
    times as fast: without the seconds that a process takes to start, and without what they take
    from each other (two reached 0.85 to 1.1 of that on two cores).
    """
    step = _stepper([make(0)], device, batched=False)
    if device.type != "cpu":
        return processes * _rate(step, device)
    threads = torch.get_num_threads()
    torch.set_num_threads(max(1, threads // processes))
    try:
        return processes * _rate(step, device)
    finally:
        torch.set_num_threads(threads)


def _stepper(
    members: list[Member], device: torch.device, batched: bool, compiled: bool = False
) -> Callable[[], None]:
    """A step of training with all that belongs to it, but for its log."""
    loader = FleetLoader(members, device, ahead=1 if device.type == "cpu" else 32)
    stack = Stack([m.model for m in members], batched=batched, compiled=compiled).to(device)
    optimizers, batches = stack.configure_optimizers(), iter(loader)

    def step() -> None:
        nonlocal batches
        batch = next(batches, None)
        if batch is None:
            batches = iter(loader)
            batch = next(batches)
        stack.take(optimizers, batch.batch, batch.noise, loader.position)

    return step


def _rate(step: Callable[[], None], device: torch.device) -> float:
    """Steps per second."""
    for _ in range(2):
        step()
    _wait(device)
    start, steps = time.perf_counter(), 0
    while time.perf_counter() - start < SECONDS:
        step()
        steps += 1
    _wait(device)
    return steps / (time.perf_counter() - start)


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _taken(device: torch.device) -> int:
    """The memory in use, in bytes; on an accelerator at its most since the last look."""
    if device.type == "cuda":
        peak = torch.cuda.max_memory_allocated(device)
        torch.cuda.reset_peak_memory_stats(device)
        return peak
    gc.collect()
    pages = Path("/proc/self/statm")
    if not pages.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return int(pages.read_text().split()[1]) * resource.getpagesize()


def _free(device: torch.device) -> int:
    """Memory that is left, in bytes."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    left = memory_left()
    return 2**34 if left is None else left
