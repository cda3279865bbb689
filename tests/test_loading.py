# SPDX-License-Identifier: Apache-2.0
"""The collector rests while a package is loaded, and works afterwards."""

import gc

import pytest

from disent.loading import loading


@pytest.fixture
def thawed():
    """What a test freezes is collected again."""
    yield
    gc.unfreeze()


def test_the_collector_rests_and_what_was_loaded_is_left_out(thawed):
    before = gc.get_freeze_count()
    with loading("a_package_that_is_not_loaded"):
        assert not gc.isenabled()
    assert gc.isenabled()
    assert gc.get_freeze_count() > before


def test_what_is_thrown_away_later_is_collected(thawed):
    with loading("a_package_that_is_not_loaded"):
        pass
    circle: list = []
    circle.append(circle)
    del circle
    assert gc.collect() >= 1


def test_it_works_again_after_an_import_that_fails(thawed):
    with pytest.raises(ModuleNotFoundError), loading("a_package_that_is_not_loaded"):
        import a_package_that_is_not_loaded  # noqa: F401  # pyright: ignore
    assert gc.isenabled()


def test_a_process_that_has_the_package_keeps_its_collector_as_it_is():
    before = gc.get_freeze_count()
    with loading("pytest"):
        assert gc.isenabled()
    gc.disable()
    try:
        with loading("a_package_that_is_not_loaded"):
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
    assert gc.get_freeze_count() == before
