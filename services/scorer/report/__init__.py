"""One score as one HTML file: numbers, plots and how to compute them again. It reads score cards; no metric is here."""

from services.scorer.report.page import ReportSubject, render_report

__all__ = ["ReportSubject", "render_report"]
