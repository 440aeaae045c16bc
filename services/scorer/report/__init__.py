"""One score as one HTML file: numbers, plots and how to compute them again. It reads score cards; no metric is here."""

from services.scorer.report.page import Subject, render_report

__all__ = ["Subject", "render_report"]
