"""Names in the settings that must be known elsewhere: a runtime among the profiles, a cloud among the prices, a workload."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from difflib import get_close_matches

from domain.errors import SettingsError
from domain.prices import PriceBook
from trimtab.settings import Settings, WorkloadDefaults
from trimtab.settings_file import SettingsFaults


def refuse_unknown_names(settings: Settings, runtimes: Collection[str], book: PriceBook) -> None:
    """SettingsError, or SettingsFaults for several, where a runtime, a cloud or a workload is named that nobody knows."""
    clouds = {offer.cloud for offer in book.offers} | {tariff.cloud for tariff in book.tariffs}
    faults = (*_faults(settings, {"runtime": runtimes, "cloud": clouds}), *_strangers(settings))
    if len(faults) == 1:
        raise faults[0]
    if faults:
        raise SettingsFaults(faults)


def _faults(settings: Settings, known: dict[str, Collection[str]]) -> Iterator[SettingsError]:
    sections: list[tuple[str, WorkloadDefaults]] = [("defaults", settings.defaults)]
    sections += [(f"workloads.{section.id}", section) for section in settings.workloads]
    for i, value in enumerate(settings.decisions.other_clouds):
        if value not in known["cloud"]:
            yield _unknown(f"decisions.other_clouds.{i}", value, known["cloud"])
    for where, section in sections:
        for field, names in known.items():
            value = getattr(section, field)
            if field in section.model_fields_set and value not in names:
                yield _unknown(f"{where}.{field}", value, names)


def _strangers(settings: Settings) -> Iterator[SettingsError]:
    """Workloads to be kept apart from ones that do not exist, where the settings name all that do."""
    names = {section.id for section in settings.workloads} | settings.history.files.keys()
    if names:
        sections: list[tuple[str, WorkloadDefaults]] = [("defaults", settings.defaults)]
        sections += [(f"workloads.{section.id}", section) for section in settings.workloads]
        for where, section in sections:
            for name in section.anti_affinity:
                if name not in names:
                    yield _unknown(f"{where}.anti_affinity", name, names)


def _unknown(where: str, value: str, names: Collection[str]) -> SettingsError:
    near = get_close_matches(value, sorted(names), n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return SettingsError(where, value, f"{hint}known here: {', '.join(sorted(names))}")
