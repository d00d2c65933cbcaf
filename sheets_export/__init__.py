"""Corrections as tables: kept up to date in a Google spreadsheet, or downloaded as a workbook."""
