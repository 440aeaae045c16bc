"""One score as one HTML file: numbers, plots and how to get them again. Reads score cards, computes no metric."""

from services.scorer.report.page import Subject, render_report

__all__ = ["Subject", "render_report"]
