# SPDX-License-Identifier: Apache-2.0
"""The figures over runs as Vega-Lite, by Altair; the page's script gives them their rows.

Every row that is of a run has its number `n`, its name `run`, `family`, `setting`, and the `colour`
and `shape` of its family. Words that start with $ are filled in by the page, which also says what
kind of scale `x` and `y` have.
"""

from typing import Any

POINT = {"size": 42, "opacity": 0.75, "strokeWidth": 1.6, "filled": False}
HEIGHT = 210
CELL = 38  # pixels of a matrix' cell
DASHES = {"chance": [1, 3], "untrained": [6, 3], "pca": [7, 3, 1, 3]}


def charts() -> dict[str, Any]:
    """Each kind of figure by its name, as Vega-Lite's JSON."""
    made = {
        "pair": _pair(),
        "strength": _strength(),
        "families": _families(),
        "plane": _plane(),
        "bounds": _bounds(),
        "matrix": _matrix(),
        "bars": _bars(),
        "curves": _curves(),
        "parallel": _parallel(),
    }
    found = {name: chart.to_dict() for name, chart in made.items()}
    # the page brings the one version that draws them, and its own look
    return {
        name: {key: value for key, value in chart.items() if key not in ("$schema", "config")}
        for name, chart in found.items()
    }


def _base(data: str = "runs") -> Any:
    import altair as alt

    return alt.Chart(alt.NamedData(data))


def _look() -> dict[str, Any]:
    """Colour and shape as the rows have them, and what hovering tells."""
    import altair as alt

    told = ["run", "family", "setting"]
    return {
        "color": alt.Color("colour:N", scale=None),
        "shape": alt.Shape("shape:N", scale=None),
        "tooltip": [
            *(alt.Tooltip(f"{name}:N") for name in told),
            alt.Tooltip("x:Q", title="$x"),
            alt.Tooltip("y:Q", title="$y"),
        ],
    }


def _axis(name: str, **more: Any) -> Any:
    import altair as alt

    kind = {"x": alt.X, "y": alt.Y}[name]
    return kind(f"{name}:Q", title=f"${name}", scale=alt.Scale(zero=False, nice=True), **more)


def _pair() -> Any:
    points = _base().mark_point(**POINT).encode(_axis("x"), _axis("y"), **_look())
    return points.properties(width="container", height=340)


def _strength() -> Any:
    import altair as alt

    y = _axis("y")
    lines = [
        _base().mark_rule(strokeDash=dash, opacity=0.8).encode(alt.Y(f"mean({part}):Q", title="$y"))
        for part, dash in DASHES.items()
    ]
    mean = alt.Y("mean(y):Q", title="$y")
    joined = _base().mark_line(strokeWidth=1.3).encode(_axis("x"), mean, _look()["color"])
    ends = (
        _base()
        .mark_errorbar(extent="ci", ticks=alt.MarkConfig(size=8))
        .encode(_axis("x"), alt.Y("y:Q", title="$y"), alt.Color("colour:N", scale=None))
    )
    points = _base().mark_point(**POINT).encode(_axis("x"), y, **_look())
    return alt.layer(*lines, joined, ends, points).properties(width="container", height=HEIGHT)


def _families() -> Any:
    import altair as alt

    y = alt.Y("family:N", title=None, sort=None)
    points = _base().mark_point(**POINT).encode(_axis("x"), y, **_look())
    mean = _base().mark_tick(thickness=2, size=16).encode(alt.X("mean(x):Q", title="$x"), y)
    return alt.layer(points, mean).properties(width="container")


def _plane() -> Any:
    import altair as alt

    x, y = _axis("x"), _axis("y")
    bound = _base("bound")
    at = {"x": alt.X("x:Q", title="$x"), "y": alt.Y("y:Q", title="$y")}
    below = bound.mark_area(opacity=0.12, color="$ink").encode(**at)
    line = bound.mark_line(color="$ink", strokeWidth=1.5).encode(**at)
    ends = bound.mark_point(shape="diamond", filled=True, size=70, color="$ink").encode(
        **at, tooltip=alt.Tooltip("name:N", title="limit")
    )
    joined = (
        _base()
        .transform_aggregate(
            x="mean(x)", y="mean(y)", groupby=["family", "colour", "setting", "strength"]
        )
        .mark_line(strokeWidth=1.2)
        .encode(**at, color=_look()["color"], detail="family:N", order="strength:Q")
    )
    points = _base().mark_point(**POINT).encode(x, y, **_look())
    whole = alt.layer(below, line, ends, joined, points)
    return whole.properties(width="container", height=340)


def _bounds() -> Any:
    import altair as alt

    log = alt.Scale(type="symlog", constant=10)
    at = {
        "x": _axis("x"),
        "color": alt.Color("kind:N", legend=None, scale=alt.Scale(domain=["$kinds"])),
    }
    joined = _base().mark_line(strokeWidth=1.3).encode(**at, y=alt.Y("mean(y):Q", title="$y"))
    points = (
        _base()
        .mark_point(**POINT)
        .encode(
            **at,
            y=alt.Y("y:Q", title="$y", scale=log),
            tooltip=["run:N", "setting:N", "kind:N", alt.Tooltip("y:Q", title="nats per image")],
        )
    )
    return alt.layer(joined, points).properties(width="container", height=HEIGHT)


def _matrix() -> Any:
    """Correlations: a cell for each pair, its number in it."""
    import altair as alt

    axis = alt.Axis(labelLimit=170, labelOverlap=False, domain=False, ticks=False, grid=False)
    base = _base("cells").encode(
        alt.X("a:N", sort=None, title=None, axis=axis),
        alt.Y("b:N", sort=None, title=None, axis=axis),
    )
    colour = alt.Color(
        "value:Q", legend=None, scale=alt.Scale(domain=[-1, 1], domainMid=0, interpolate="rgb")
    )
    rect = base.mark_rect().encode(colour, tooltip=["a:N", "b:N", "value:Q", "runs:Q"])
    text = base.mark_text(fontSize=10).encode(
        alt.Text("value:Q", format=".2f"), color=alt.value("$ink")
    )
    return alt.layer(rect, text).properties(width=alt.Step(CELL), height=alt.Step(24))


def _bars() -> Any:
    import altair as alt

    y = alt.Y("name:N", sort=None, title=None, axis=alt.Axis(labelLimit=170))
    colour = alt.Color("kind:N", legend=None, scale=alt.Scale(domain=["$kinds"]))
    bars = (
        _base("cells")
        .mark_bar()
        .encode(
            alt.X("value:Q", title="$x"),
            y,
            colour,
            tooltip=["name:N", "kind:N", "value:Q", "error:Q"],
        )
    )
    known = _base("cells").transform_filter("isValid(datum.low)")
    ends = known.mark_rule(color="$ink").encode(alt.X("low:Q", title="$x"), alt.X2("high:Q"), y)
    return alt.layer(bars, ends).properties(width="container")


def _curves() -> Any:
    """One panel of a run's training: a line a term, named below the panel."""
    import altair as alt

    legend = alt.Legend(orient="bottom", title=None, symbolType="stroke")
    base = _base("steps").encode(
        _axis("x", axis=alt.Axis(format="~s", labelOverlap="greedy")),
        _axis("y"),
        alt.Color("line:N", sort=None, legend=legend, scale=alt.Scale(domain=["$lines"])),
    )
    told = [alt.Tooltip("line:N"), alt.Tooltip("x:Q", title="$x"), alt.Tooltip("y:Q", title="$y")]
    line = base.mark_line(strokeWidth=1.4)
    near = base.mark_point(size=60, opacity=0).encode(tooltip=told)
    return alt.layer(line, near).properties(width="container", height=190)


def _parallel() -> Any:
    """A line a run over columns, each from its smallest value to its largest."""
    import altair as alt

    x = alt.X("column:N", sort=None, title=None, axis=alt.Axis(labelLimit=140))
    y = alt.Y("place:Q", title=None, axis=alt.Axis(labels=False, ticks=False, grid=False))
    told = ["run:N", "family:N", "setting:N", "column:N", alt.Tooltip("value:N", title="value")]
    colour = _look()["color"]
    base = _base().encode(x, y, colour)
    lines = base.mark_line(strokeWidth=1, opacity=0.45).encode(detail="n:N", tooltip=["run:N"])
    near = base.mark_point(size=30, opacity=0.6, filled=True).encode(tooltip=told)
    return alt.layer(lines, near).properties(width="container", height=300)
