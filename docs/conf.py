"""How Sphinx builds the documentation: `sphinx-build -W --keep-going docs build/docs`."""

import kgraph

project = "kgraph"
author = "the authors of kgraph"
copyright = "2026, the authors of kgraph"  # noqa: A001
release = version = kgraph.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc"]
exclude_patterns = ["build"]
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
suppress_warnings = ["misc.highlighting_failure"]
default_role = "code"  # a backtick means code, as in Markdown

autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_preserve_defaults = True
add_module_names = False

html_theme = "furo"
html_title = "kgraph"
html_theme_options = {"navigation_with_keys": True}
