"""The pages of the application, in one literal list."""

from __future__ import annotations

from functools import partial

from b24app.engine.decisions import rerun
from b24app.web import admin, admin_api, booking, figures_page, forms, journal, payments, process_pages, settings_page

PAGES = (
    settings_page.pages,
    process_pages.pages,
    journal.pages,
    booking.pages,
    forms.pages,
    figures_page.pages,
    payments.pages,
    partial(admin.pages, reruns=rerun),
    partial(admin_api.pages, reruns=rerun),
)
