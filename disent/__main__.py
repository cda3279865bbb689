# SPDX-License-Identifier: Apache-2.0
"""python -m disent: the command `disent`."""

import sys

from disent.cli.main import main

sys.exit(main())
