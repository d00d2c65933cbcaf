"""The pages of the application, in one literal list."""

from __future__ import annotations

from b24app.web import payments

PAGES = (payments.pages,)
