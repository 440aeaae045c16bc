"""What the catalogue looks like from outside: its own entries."""

from pydantic import BaseModel, Field

from services.core.catalogue import AlarmInfo, FlagInfo, MetricInfo, SuiteInfo

__all__ = ["CatalogueOut"]


class CatalogueOut(BaseModel):
    metrics: list[MetricInfo] = Field(description="In the order in which they were added.")
    default_metric: str = Field(description="The metric of a phase that names none.")
    suites: list[SuiteInfo]
    flags: list[FlagInfo]
    alarms: list[AlarmInfo]
