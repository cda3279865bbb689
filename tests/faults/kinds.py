# SPDX-License-Identifier: Apache-2.0
"""A kind of file that the suite reads: how a sound one is written, damaged, and read."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.attempt import Outcome, attempt
from tests.faults.damage import ANY, PLACES, Damage, clear

Trap = Callable[[Path], None]


@dataclass(frozen=True)
class Kind:
    """A kind of file.

    Attributes:
        name: For the table.
        write: Makes sound files in an empty folder; returns the one to damage.
        readers: Everything that reads it.
        damages: What may be done to its bytes.
        traps: Writers of files that try to do harm, each told where.
        share: How often it is tried beside the others; fewer where a reading is slow.
        lines: That a refusal may have; more than one where it points at a place of a text.
    """

    name: str
    write: Callable[[Path], Path]
    readers: tuple[Callable[[Path], object], ...]
    damages: tuple[Damage, ...] = ANY
    traps: tuple[Trap, ...] = ()
    share: float = 1.0
    lines: int = 1
    _sound: dict[Path, tuple[Path, bytes]] = field(default_factory=dict)

    def sound(self, folder: Path) -> tuple[Path, bytes]:
        """The file in the folder and its bytes, written once."""
        if folder not in self._sound:
            folder.mkdir(parents=True, exist_ok=True)
            file = self.write(folder)
            self._sound[folder] = file, file.read_bytes()
        return self._sound[folder]

    def damage(self, draw: random.Random, folder: Path) -> str:
        """Damages the file in the folder; returns what was done."""
        file, data = self.sound(folder)
        clear(file)
        choice = draw.random()
        if choice < 0.04:
            place = draw.choice(PLACES)
            place(file)
            return place.__name__
        if self.traps and choice < 0.25:
            trap = draw.choice(self.traps)
            trap(file)
            return trap.__name__
        change = draw.choice(self.damages)
        file.write_bytes(change(draw, data))
        return change.__name__

    def read(self, folder: Path) -> Outcome:
        """What the readers make of the file: the worst of their outcomes."""
        file, _ = self.sound(folder)
        outcomes = [attempt(reader, file, folder, self.lines) for reader in self.readers]
        return max(outcomes, key=lambda outcome: ORDER.index(outcome.what))


ORDER = ("result", "refused", "pages", "traceback", "left", "hang", "code")
HARMLESS = ("result", "refused")


def tried(kind: Kind, inputs: int, seed: int, folder: Path) -> list[tuple[int, str, Outcome]]:
    """Number, damage and outcome of each input; a function of kind, seed and number alone."""
    kind.sound(folder)
    kind.read(folder)  # what is loaded at the first time takes its time
    found = []
    for number in range(inputs):
        draw = random.Random(f"{seed} {kind.name} {number}")
        done = kind.damage(draw, folder)
        found.append((number, done, kind.read(folder)))
    return found
