# SPDX-License-Identifier: Apache-2.0
"""YAML and JSON from outside: what is sound is read, what would do harm is refused in one line."""

import json
import time

import pytest
import yaml

from disent.documents import DEEPEST, parse_yaml, read_json, read_text, read_yaml

STEPS = list(zip("abcdefghi", "bcdefghij", strict=True))
TEN = {before: ", ".join([f"*{before}"] * 10) for before, _ in STEPS}
LAUGHS = ["a: &a [x, x, x]", *(f"{n}: &{n} [{TEN[before]}]" for before, n in STEPS)]
MERGES = ["a: &a {k: v}", *(f"{n}: &{n} {{<<: [{TEN[before]}]}}" for before, n in STEPS)]


def test_what_people_write_is_read_as_ever(tmp_path):
    text = "a: &x {b: [1, 2.5, null, yes]}\nc: {<<: *x, d: 2001-01-02}\ne: *x\n"
    assert parse_yaml(text) == yaml.safe_load(text)
    assert parse_yaml("") is None
    (tmp_path / "a.json").write_text('{"a": [1, NaN]}')
    assert read_json(tmp_path / "a.json")["a"][0] == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("\n".join(LAUGHS), "aliases unfold into more than 1,000,000 entries"),
        ("\n".join(MERGES), "aliases unfold into more than 1,000,000 entries"),
        ("a: &a [*a]", "nested more than 100 levels"),
        ("&a {b: *a}", "nested more than 100 levels"),
        ("[" * (DEEPEST + 1) + "]" * (DEEPEST + 1), "nested more than 100 levels"),
        ("- " * 200_000, "nested more than 100 levels"),
        ("[" * 200_000 + "]" * 200_000, "nested more than 100 levels"),
        ("{a: " * 200_000, "nested more than 100 levels"),
        ("a: !!python/object/apply:os.system ['exit 1']", "could not determine a constructor"),
        ("a: !!python/name:os.system", "could not determine a constructor"),
        ("a: !!timestamp x", "groupdict"),
        ("a: !!bool perhaps", "perhaps"),
        ("a: !!int ''", "index out of range"),
        ("a: 2001-99-99", "month must be in"),
        ("a: [", "did not find expected"),
        ("a: 1\n---\nb: 2", "single document"),
    ],
)
def test_yaml_that_would_do_harm_is_refused_at_once_in_one_line(text, said):
    start = time.monotonic()
    with pytest.raises(ValueError, match=said) as error:
        parse_yaml(text)
    assert "\n" not in str(error.value)
    assert time.monotonic() - start < 2


def test_a_long_chain_of_aliases_counts_as_depth():
    text = "a0: &a0 []\n" + "".join(f"a{i}: &a{i} [*a{i - 1}]\n" for i in range(1, 3000))
    with pytest.raises(ValueError, match="nested more than 100 levels"):
        parse_yaml(text)


@pytest.mark.parametrize(
    "text", ["[" * 100_000, "[" * 200 + "]" * 200, "{", "\ufeff{}", "9" * 5000]
)
def test_json_that_is_none_or_too_deep_names_its_file_in_one_line(text, tmp_path):
    file = tmp_path / "some.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=r"some\.json is not JSON: ") as error:
        read_json(file)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("read", [read_text, read_yaml, read_json])
def test_bytes_that_are_no_text_name_their_file(read, tmp_path):
    (tmp_path / "some").write_bytes(b"a: \xff")
    with pytest.raises(ValueError, match=r"/some is n"):
        read(tmp_path / "some")


def test_shipped_documents_are_far_from_the_limits():
    deep = json.loads("[" * (DEEPEST - 1) + "]" * (DEEPEST - 1))
    assert parse_yaml(yaml.safe_dump(deep, default_flow_style=True)) == deep
