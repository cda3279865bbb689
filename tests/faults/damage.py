# SPDX-License-Identifier: Apache-2.0
"""What can happen to a file: to its bytes, to its text, and to its place in the folder."""

import random
import shutil
from collections.abc import Callable
from pathlib import Path

# what may stand where a number or a word stood
TOKENS = (
    *("NaN", "nan", "Infinity", "-inf", ".nan", ".inf", "-.inf", "1e999", "-1e999", "1e-999"),
    *("-1", "0", "1.5", "9" * 30, "9" * 400, "-" + "9" * 5000, "0x10", "0o17", "1_000", "12:30:45"),
    *("2001-01-01", "2001-99-99", "null", "true", "''", '""', "~", "~/x", "$HOME", "{}", "[]"),
    *("[1, 2]", "{a: 1}", '"9"', "é", "\N{GREEK SMALL LETTER BETA}", "- x", "x: y", "'", "%", "@"),
)
DEEP = {"brackets": "[" * 100_000, "braces": '{"a":' * 5000, "closed": "[" * 3000 + "]" * 3000}

Damage = Callable[[random.Random, bytes], bytes]


def cut(draw: random.Random, data: bytes) -> bytes:
    return data[: draw.randrange(len(data) + 1)]


def flip(draw: random.Random, data: bytes) -> bytes:
    damaged = bytearray(data or b"\0")
    for _ in range(draw.choice((1, 1, 2, 20))):
        damaged[draw.randrange(len(damaged))] ^= 1 << draw.randrange(8)
    return bytes(damaged)


def flip_at_an_end(draw: random.Random, data: bytes) -> bytes:
    """Where headers and directories are."""
    damaged, reach = bytearray(data or b"\0"), min(len(data or b"\0"), 400)
    place = draw.randrange(reach)
    damaged[place if draw.random() < 0.5 else -1 - place] = draw.randrange(256)
    return bytes(damaged)


def double(draw: random.Random, data: bytes) -> bytes:
    start = draw.randrange(len(data) + 1)
    piece = data[start : start + draw.choice((1, 4, 100, 10_000))]
    return data[:start] + piece + data[start:]


def remove(draw: random.Random, data: bytes) -> bytes:
    start = draw.randrange(len(data) + 1)
    return data[:start] + data[start + draw.choice((1, 4, 100, 10_000)) :]


def huge_number(draw: random.Random, data: bytes) -> bytes:
    """Eight bytes that claim much, wherever they fall."""
    start = draw.randrange(min(len(data), 600) + 1)
    claim = draw.choice((b"\xff" * 8, (2**60).to_bytes(8, "little"), (2**60).to_bytes(8, "big")))
    return data[:start] + claim + data[start + 8 :]


def empty(draw: random.Random, data: bytes) -> bytes:
    return b""


def noise(draw: random.Random, data: bytes) -> bytes:
    return draw.randbytes(draw.choice((1, 7, 500)))


def binary_in_text(draw: random.Random, data: bytes) -> bytes:
    start = draw.randrange(len(data) + 1)
    return (
        data[:start]
        + draw.choice((b"\0", b"\xff\xfe", draw.randbytes(5), b"\x1b[2J"))
        + data[start:]
    )


def encoding(draw: random.Random, data: bytes) -> bytes:
    text = data.decode("utf-8", "replace")
    return draw.choice(
        (
            b"\xef\xbb\xbf" + data,
            text.encode("utf-16"),
            text.encode("utf-32"),
            text.replace("e", "é").encode("latin-1", "replace"),
        )
    )


def line_ends(draw: random.Random, data: bytes) -> bytes:
    return data.replace(b"\n", draw.choice((b"\r\n", b"\r", b"\n\n", b"", b"\x85", b"\t")))


def lines(draw: random.Random, data: bytes) -> bytes:
    """A line twice, none of it, or two of them exchanged."""
    found = data.splitlines(keepends=True) or [b""]
    i, j = draw.randrange(len(found)), draw.randrange(len(found))
    what = draw.randrange(3)
    if what == 0:
        found.insert(j, found[i])
    elif what == 1:
        del found[i]
    else:
        found[i], found[j] = found[j], found[i]
    return b"".join(found)


def token(draw: random.Random, data: bytes) -> bytes:
    """Another word where a word or a number stood."""
    text, stops = data.decode("utf-8", "replace"), " ,:\n\"'[]{}"
    starts = [i for i, c in enumerate(text) if c not in stops and (not i or text[i - 1] in stops)]
    start = draw.choice(starts or [0])
    end = next((i for i in range(start, len(text)) if text[i] in stops), len(text))
    return (text[:start] + draw.choice(TOKENS) + text[end:]).encode()


def deep(draw: random.Random, data: bytes) -> bytes:
    return draw.choice((b"", data)) + draw.choice(list(DEEP.values())).encode()


ANY: tuple[Damage, ...] = (
    cut,
    cut,
    flip,
    flip_at_an_end,
    double,
    remove,
    huge_number,
    empty,
    noise,
)
TEXT: tuple[Damage, ...] = (
    *(cut, flip, double, remove, empty, binary_in_text, encoding, line_ends),
    *(lines, token, token, token, deep),
)


def folder_instead(place: Path) -> None:
    place.mkdir()


def dangling(place: Path) -> None:
    place.symlink_to(place.with_name("nowhere"))


def circle(place: Path) -> None:
    place.symlink_to(place.name)


PLACES = (folder_instead, dangling, circle)


def clear(place: Path) -> None:
    """Whatever is there is gone."""
    if place.is_dir() and not place.is_symlink():
        shutil.rmtree(place)
    else:
        place.unlink(missing_ok=True)
