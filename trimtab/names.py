"""Names in the settings that must be known elsewhere: in the price book, among the runtime profiles, among the workloads."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from itertools import chain

from pydantic import ValidationError

from domain.errors import SettingsError
from domain.prices import PriceBook
from trimtab.pricednames import Asked, Sold, accelerators, near, offers, regions
from trimtab.settings import Settings, WorkloadDefaults, resolved
from trimtab.settings_file import SettingsFaults, explain


def refuse_unknown_names(settings: Settings, runtimes: Collection[str], book: PriceBook) -> None:
    """SettingsError, or SettingsFaults for several, where a name is written that nobody knows.

    Runtimes and clouds always; workloads and teams where the settings name all workloads. So too where what a workload
    says does not go with the defaults that it takes the rest from.
    """
    faults = [*_faults(settings, {"runtime": runtimes, "cloud": Sold.of(book).regions})]
    try:
        asked = _asked(settings)
    except SettingsFaults as wrong:
        faults += wrong.faults
    else:
        faults += _strangers(settings, asked)
    if len(faults) == 1:
        raise faults[0]
    if faults:
        raise SettingsFaults(tuple(faults))


def names_without_prices(settings: Settings, book: PriceBook) -> tuple[str, ...]:
    """A line for each region, accelerator and offer that has no price, with the nearest that has; said once of the defaults."""
    asked, sold = _asked(settings), Sold.of(book)
    lines = chain(accelerators(_sections(settings), book), regions(asked, sold), offers(asked, sold))
    return tuple(dict.fromkeys(lines))


def _asked(settings: Settings) -> tuple[Asked, ...]:
    """Every workload that the settings name, and the defaults where others live by them alone; SettingsFaults."""
    found, faults = [], list[SettingsError]()
    for section in settings.workloads:
        try:
            whole = resolved(section, settings.defaults)
        except ValidationError as wrong:
            name = f"workloads.{section.id}, with what the defaults say"
            faults += [explain(error, name) for error in wrong.errors(include_url=False)]
        else:
            found.append(Asked(name=f"workloads.{section.id}", whole=whole, own=section))
    if faults:
        raise SettingsFaults(tuple(faults))
    if not settings.workloads or settings.history.files.keys() - {section.id for section in settings.workloads}:
        found.append(Asked(name="defaults", whole=settings.defaults, own=settings.defaults))
    return tuple(found)


def _sections(settings: Settings) -> list[tuple[str, WorkloadDefaults]]:
    return [
        ("defaults", settings.defaults),
        *((f"workloads.{section.id}", section) for section in settings.workloads),
    ]


def _faults(settings: Settings, known: Mapping[str, Collection[str]]) -> Iterator[SettingsError]:
    for i, value in enumerate(settings.decisions.other_clouds):
        if value not in known["cloud"]:
            yield _unknown(f"decisions.other_clouds.{i}", value, known["cloud"])
    for where, section in _sections(settings):
        for field, names in known.items():
            value = getattr(section, field)
            if field in section.model_fields_set and value not in names:
                yield _unknown(f"{where}.{field}", value, names)


def _strangers(settings: Settings, asked: Collection[Asked]) -> Iterator[SettingsError]:
    """Workloads and teams that do not exist, where the settings name all that do."""
    names = {section.id for section in settings.workloads} | settings.history.files.keys()
    if not names:
        return
    for where, section in _sections(settings):
        for name in section.anti_affinity:
            if name not in names:
                yield _unknown(f"{where}.anti_affinity", name, names)
    teams = {each.whole.team for each in asked if each.whole.team is not None}
    for i, objective in enumerate(settings.objectives):
        if objective.workload is not None and objective.workload not in names:
            yield _unknown(f"objectives.{i}.workload", objective.workload, names)
        if objective.team is not None and objective.team not in teams:
            yield _unknown(f"objectives.{i}.team", objective.team, teams)


def _unknown(where: str, value: str, names: Collection[str]) -> SettingsError:
    """With the nearest of the names, and all that there are."""
    return SettingsError(where, value, f"{near(value, names)}known here: {', '.join(sorted(names)) or 'none'}")
