# SPDX-License-Identifier: Apache-2.0
"""Selections as the data writes them, in the words of `dbt ls`: SELECT… [--exclude E…] [--indirect-selection MODE]."""

import argparse
import shlex

MODES = ["eager", "cautious", "buildable", "empty"]


def parse_arguments(text):
    parser = argparse.ArgumentParser()
    parser.add_argument("select", nargs="*")
    parser.add_argument("--exclude", nargs="+", default=[])
    parser.add_argument("--indirect-selection", default="eager")
    return parser.parse_args(shlex.split(text))


def expanded(texts):
    """`{modes}` stands for each of dbt's modes of indirect selection."""
    for text in texts:
        if "{modes}" in text:
            yield from (text.replace("{modes}", f"--indirect-selection {mode}") for mode in MODES)
        else:
            yield text
