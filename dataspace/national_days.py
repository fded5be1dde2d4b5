"""Public holidays of a country or a part of it, and its legal time zone, from the settings."""

from datetime import date
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dataspace.domain.calendars import Calendar


@lru_cache(maxsize=16)
def national_calendar(country: str, zone: str) -> Calendar:
    """Calendar of an ISO 3166 code (`FR`, `DE-BY`) and an IANA time zone. Raises ValueError for one that is unknown."""
    # Imported here: half of the commands count no days.
    import holidays

    state, _, part = country.partition("-")
    try:
        days = holidays.country_holidays(state, subdiv=part or None)
    except NotImplementedError:
        raise ValueError(f"no public holidays are known for {country}") from None
    try:
        legal = ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError(f"there is no time zone {zone}") from None

    @lru_cache(maxsize=65_536)
    def holiday(day: date) -> bool:
        return day in days

    return Calendar(legal, holiday)
