"""How Sphinx builds these pages: ``sphinx-build -W docs docs/_build``."""

from __future__ import annotations

import upgradegw

project = "upgradegw"
author = "upgradegw contributors"
copyright = "2026, upgradegw contributors"  # noqa: A001 - Sphinx's name for it
version = release = upgradegw.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
exclude_patterns = ["_build", "examples"]

html_theme = "furo"
html_title = f"upgradegw {release}"

autoclass_content = "both"  # the arguments are told where __init__ takes them
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
napoleon_google_docstring = True
napoleon_numpy_docstring = False
