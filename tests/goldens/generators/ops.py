"""The families of ops: every module beside this one that has GROUPS of cases. `ops/<family>.json` holds its cases."""

import importlib
import pkgutil
from collections import Counter
from pathlib import Path


def families():
    """family -> what makes its cases"""
    names = sorted(module.name for module in pkgutil.iter_modules([str(Path(__file__).parent)]))
    modules = {name: importlib.import_module(f"{__package__}.{name}") for name in names}
    return {name: makes(module.GROUPS) for name, module in modules.items() if hasattr(module, "GROUPS")}


def makes(groups):
    def make():
        cases = [case for group in groups for case in group()]
        repeated = [key for key, count in Counter((c["op"], c["name"]) for c in cases).items() if count > 1]
        assert not repeated, repeated
        return cases

    return make
