"""Mail's HTML: every style on its element, since mail readers drop style sheets."""

from __future__ import annotations

import re

MOST_BYTES = 98_000  # Gmail cuts a mail's HTML at about 102 kB
_BETWEEN = re.compile(r">\s*\n\s*<")


def inlined(html: str) -> str:
    """The page with the rules of its ``<style>`` on its elements. Those of ``@media`` stay where they are, for readers that
    know dark colours and phones. Nothing is fetched."""
    import css_inline

    inliner = css_inline.CSSInliner(
        load_remote_stylesheets=False, keep_style_tags=False, keep_at_rules=True, minify_css=True
    )
    return _BETWEEN.sub(">\n<", inliner.inline(html))
