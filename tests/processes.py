"""Programs that tests start in processes of their own."""

import os
import subprocess
import sys


def python(*arguments, **environment):
    """Run Python with these arguments and variables of the environment; what it printed. It must end well."""
    done = subprocess.run(
        [sys.executable, *map(str, arguments)], capture_output=True, text=True, env={**os.environ, **environment}
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()
