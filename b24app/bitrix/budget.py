"""The arithmetic of a leaky bucket by virtual scheduling (GCRA). Pure; the store keeps the one number it needs.

The portal blocks above 50 requests drained at 2 a second, per source address; whether the 51st still passes is
told differently in two places, so the application stays at 50. Page: limits.md.
"""

from __future__ import annotations

RATE = 2.0  # requests a second
BURST = 50  # requests at once from rest

_ROUNDING = 1e-6  # seconds; clock readings near 2e9 carry no more


def grant(tat: float, now: float, rate: float = RATE, burst: int = BURST, hits: int = 1) -> tuple[float, float]:
    """Ask for ``hits`` requests at ``now``; give the new ``tat`` and 0, or the old one and the seconds to wait.

    ``tat`` (theoretical arrival time) is the moment at which the bucket will be empty, in the unit and from the
    origin of ``now``; a portal never spoken to has 0. Raises ``ValueError`` for more hits than the bucket holds.
    """
    if not 1 <= hits <= burst:
        raise ValueError(f"{hits} requests never fit a bucket of {burst}")
    filled = max(tat, now) + hits / rate
    wait = filled - now - burst / rate
    if wait > _ROUNDING:
        return tat, wait
    return filled, 0.0
