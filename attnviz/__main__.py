"""``python -m attnviz`` is the ``attnviz`` command."""

import sys

from .command.main import main

sys.exit(main())
