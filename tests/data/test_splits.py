# SPDX-License-Identifier: Apache-2.0
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from disent.data.splits import held_out
from disent.grid import FactorGrid

GRID = FactorGrid(("shape", "scale", "pos_x"), (2, 3, 8))
POINTS = [dict(zip(GRID.names, row, strict=True)) for row in GRID.all_factors().tolist()]


@pytest.mark.parametrize(
    ("predicate", "truth"),
    [
        ("3 <= pos_x < 5", lambda p: p["pos_x"] in (3, 4)),
        ("pos_x >= 6", lambda p: p["pos_x"] >= 6),
        ("shape == 1 and pos_x > 3", lambda p: p["shape"] == 1 and p["pos_x"] > 3),
        ("pos_x in (0, 2, 1 + 3)", lambda p: p["pos_x"] in (0, 2, 4)),
        ("pos_x not in [0, 2]", lambda p: p["pos_x"] not in (0, 2)),
        ("scale in (1,)", lambda p: p["scale"] == 1),
        ("not (shape == 0 or scale % 2 == 1)", lambda p: p["shape"] == 1 and p["scale"] != 1),
        ("pos_x == shape + 2 * scale", lambda p: p["pos_x"] == p["shape"] + 2 * p["scale"]),
        ("shape < 1 or scale > 0 and 1 < 2", lambda p: p["shape"] < 1 or p["scale"] > 0),
        ("1 < pos_x != 4 > scale", lambda p: p["pos_x"] > 1 and p["pos_x"] != 4),
        ("(scale - 2) // 2 == -1 and (scale - 1) % 3 == 2", lambda p: p["scale"] == 0),
        ("\n  pos_x\n  > 4\n", lambda p: p["pos_x"] > 4),
    ],
)  # fmt: skip
def test_known_predicates(predicate, truth):
    mask = held_out(GRID, predicate)
    assert mask.shape == (len(GRID),)
    assert mask.tolist() == [truth(point) for point in POINTS]


Number = tuple[str, Callable[[dict[str, int]], int]]
Condition = tuple[str, Callable[[dict[str, int]], bool]]


def _arithmetic(parts: tuple[Number, str, Number, int]) -> Number:
    (left, f), op, (right, g), divisor = parts
    return {
        "+": (f"({left} + {right})", lambda p: f(p) + g(p)),
        "-": (f"({left} - {right})", lambda p: f(p) - g(p)),
        "*": (f"({left} * {right})", lambda p: f(p) * g(p)),
        "//": (f"({left} // {divisor})", lambda p: f(p) // divisor),
        "%": (f"({left} % {divisor})", lambda p: f(p) % divisor),
    }[op]


def _comparison(parts: tuple[Number, str, Number, str, Number]) -> Condition:
    (a, f), first, (b, g), second, (c, h) = parts
    test = {
        "<": lambda x, y: x < y,
        "<=": lambda x, y: x <= y,
        ">": lambda x, y: x > y,
        ">=": lambda x, y: x >= y,
        "==": lambda x, y: x == y,
        "!=": lambda x, y: x != y,
    }
    if second == "in":
        return (
            f"{a} {first} {b} in ({c}, 2)",
            lambda p: test[first](f(p), g(p)) and g(p) in (h(p), 2),
        )
    if second == "not in":
        return f"{b} not in [{a}, {c}]", lambda p: g(p) not in [f(p), h(p)]
    return (
        f"{a} {first} {b} {second} {c}",
        lambda p: test[first](f(p), g(p)) and test[second](g(p), h(p)),
    )


def _join(parts: tuple[Condition, str, Condition]) -> Condition:
    (left, f), word, (right, g) = parts
    return {
        "and": (f"({left}) and ({right})", lambda p: f(p) and g(p)),
        "or": (f"({left}) or ({right})", lambda p: f(p) or g(p)),
        "not": (f"not ({left})", lambda p: not f(p)),
    }[word]


COMPARE = st.sampled_from(["<", "<=", ">", ">=", "==", "!="])
NUMBERS: st.SearchStrategy[Number] = st.recursive(
    st.sampled_from(GRID.names).map(lambda name: (name, lambda p: p[name]))
    | st.integers(-3, 9).map(lambda n: (str(n), lambda p: n)),
    lambda inner: st.tuples(
        inner, st.sampled_from(["+", "-", "*", "//", "%"]), inner, st.sampled_from([-3, -1, 2, 3])
    ).map(_arithmetic),
    max_leaves=4,
)
CONDITIONS: st.SearchStrategy[Condition] = st.recursive(
    st.tuples(NUMBERS, COMPARE, NUMBERS, COMPARE | st.sampled_from(["in", "not in"]), NUMBERS).map(
        _comparison
    ),
    lambda inner: st.tuples(inner, st.sampled_from(["and", "or", "not"]), inner).map(_join),
    max_leaves=4,
)


@given(CONDITIONS)
def test_a_random_predicate_is_what_python_makes_of_it_point_by_point(condition):
    text, truth = condition
    expected = [truth(point) for point in POINTS]
    if all(expected) or not any(expected):
        with pytest.raises(ValueError, match="everything" if all(expected) else "nothing"):
            held_out(GRID, text)
    else:
        assert held_out(GRID, text).tolist() == expected


@pytest.mark.parametrize(
    ("predicate", "message"),
    [
        ("posx > 3", "no factor is named posx. Did you mean pos_x?"),
        ("zzz > 3", "The factors: shape, scale, pos_x"),
        ("pos_x > 7", "holds out nothing. The values run: shape 0..1, scale 0..2, pos_x 0..7"),
        ("pos_x < 8", "holds out everything: no picture is left"),
        ("pos_x <", "invalid syntax\n    pos_x <\n           ^"),
        ("shape == 1 and pos_x.size > 1", f"pos_x.size > 1\n{' ' * 19}^"),
        ("", "held_out cannot be read"),
        ("pos_x", "a condition is wanted here"),
        ("pos_x and shape", "a condition is wanted here"),
        ("True", "a condition is wanted here"),
        ("(pos_x > 3) + 1 == 2", "whole number is wanted here"),
        ("pos_x > 1.5", "whole number is wanted here"),
        ("pos_x == True", "whole number is wanted here"),
        ("pos_x > '3'", "whole number is wanted here"),
        ("pos_x ** 2 > 4", "whole number is wanted here"),
        ("pos_x / 2 > 1", "whole number is wanted here"),
        ("pos_x in (3)", "wants a tuple or a list"),
        ("pos_x in {3, 4}", "wants a tuple or a list"),
        ("pos_x is 3 + 1", "write == or !="),
        ("6 // pos_x > 1", "divides by zero"),
        ("6 % scale > 1", "divides by zero"),
        ("pos_x < 99999999999999999999", "numbers beyond 2,147,483,648"),
        ("pos_x * 2000000000 * 2000000000 > 1", "goes beyond 2,147,483,648"),
        ("not " * 3000 + "pos_x > 1", "nested too deeply"),
        ("(" * 400 + "pos_x > 1" + ")" * 400, "cannot be read"),
        ("pos_x > 1\0", "cannot be read"),
        ("__import__('os').system('false') > 1", "whole number is wanted here"),
        ("[x for x in (1, 2)] == 1", "whole number is wanted here"),
        ("(lambda: 1)() == 1", "whole number is wanted here"),
        ("pos_x > 1; shape", "cannot be read"),
    ],
)
def test_what_is_no_predicate_is_refused_with_its_place(predicate, message):
    with pytest.raises(ValueError, match="held_out") as error:
        held_out(GRID, predicate)
    assert message in str(error.value)


def test_a_factor_of_one_value_and_a_grid_of_one_factor_work():
    grid = FactorGrid(("only", "x"), (1, 3))
    assert held_out(grid, "only == 0 and x == 1").tolist() == [False, True, False]
    assert held_out(FactorGrid(("x",), (3,)), "x > 1").tolist() == [False, False, True]
