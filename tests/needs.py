"""Programs that some tests need. `.ci/run` installs them; without root, who develops may do without."""

import os
import shutil


def may_do_without(program: str) -> bool:
    """Whether a test is left out because `program` is not there. Never in CI, where it would seem to have passed."""
    return not shutil.which(program) and not os.environ.get("CI")
