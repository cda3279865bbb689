# SPDX-License-Identifier: Apache-2.0
"""The script that draws the page's figures, to be written into the page."""

from functools import cache


@cache
def drawing_script() -> str:
    """Vega, Vega-Lite and Vega-Embed as one script that needs no network, about 0.9 MB."""
    import altair
    import vl_convert  # both take a while, and only a report wants them

    version = altair.SCHEMA_VERSION.rpartition(".")[0]
    script = str(vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed", version))
    if "</script" in script.lower() or "<!--" in script:
        raise RuntimeError(
            f"the script of Vega-Lite {version} would end its own element in a page. Install "
            "another version of vl-convert-python."
        )
    return f"(() => {{{script}}})();"  # its own names stay its own
