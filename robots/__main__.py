"""Write the documentation page of the robots to the standard output."""

from __future__ import annotations

import sys

from b24app.core.robots_page import robots_page
from robots import CATALOGUE

sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
sys.stdout.write(robots_page(CATALOGUE))
