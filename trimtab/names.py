"""Names in the settings that must be known elsewhere: a runtime among the profiles, a cloud among the prices."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from difflib import get_close_matches

from domain.errors import SettingsError
from domain.prices import PriceBook
from trimtab.settings import Settings, WorkloadDefaults
from trimtab.settings_file import SettingsFaults


def refuse_unknown_names(settings: Settings, runtimes: Collection[str], book: PriceBook) -> None:
    """SettingsError, or SettingsFaults for several, where a runtime or a cloud is named that nobody knows."""
    clouds = {offer.cloud for offer in book.offers} | {tariff.cloud for tariff in book.tariffs}
    faults = tuple(_faults(settings, {"runtime": runtimes, "cloud": clouds}))
    if len(faults) == 1:
        raise faults[0]
    if faults:
        raise SettingsFaults(faults)


def _faults(settings: Settings, known: dict[str, Collection[str]]) -> Iterator[SettingsError]:
    sections: list[tuple[str, WorkloadDefaults]] = [("defaults", settings.defaults)]
    sections += [(f"workloads.{section.id}", section) for section in settings.workloads]
    for where, section in sections:
        for field, names in known.items():
            value = getattr(section, field)
            if field in section.model_fields_set and value not in names:
                near = get_close_matches(value, sorted(names), n=1, cutoff=0.5)
                hint = f"did you mean {near[0]!r}? " if near else ""
                yield SettingsError(f"{where}.{field}", value, f"{hint}known here: {', '.join(sorted(names))}")
