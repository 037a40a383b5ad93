"""Names in the settings that must be known elsewhere: in the price book, among the runtime profiles, among the workloads."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from itertools import chain

from pydantic import ValidationError

from domain.errors import SettingsError
from domain.prices import PriceBook
from trimtab.pricednames import Asked, Sold, accelerators, offers, regions, unknown_name
from trimtab.settings import Settings, WorkloadDefaults, resolved
from trimtab.settings_file import SettingsFaults, explain


def refuse_unknown_names(settings: Settings, runtimes: Collection[str], book: PriceBook) -> None:
    """SettingsError, or SettingsFaults for several, where a name is written that nobody knows.

    Runtimes, clouds, regions, accelerators and offers always; workloads and teams where the settings name all workloads.
    So too where what a workload says does not go with the defaults that it takes the rest from.
    """
    sold = Sold.of(book)
    faults = [
        *_faults(settings, {"runtime": runtimes, "cloud": sold.regions}),
        *accelerators(_sections(settings), book),
    ]
    try:
        asked = _asked(settings)
    except SettingsFaults as wrong:
        faults += wrong.faults
    else:
        faults += chain(regions(asked, sold), offers(asked, sold), _strangers(settings, asked))
    faults = list({str(fault): fault for fault in faults}.values())  # said once of the defaults, however many take it
    if len(faults) == 1:
        raise faults[0]
    if faults:
        raise SettingsFaults(tuple(faults))


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
            yield unknown_name(f"decisions.other_clouds.{i}", value, known["cloud"])
    for where, section in _sections(settings):
        for field, names in known.items():
            value = getattr(section, field)
            if field in section.model_fields_set and value not in names:
                yield unknown_name(f"{where}.{field}", value, names)


def _strangers(settings: Settings, asked: Collection[Asked]) -> Iterator[SettingsError]:
    """Workloads and teams that do not exist, where the settings name all that do."""
    names = {section.id for section in settings.workloads} | settings.history.files.keys()
    if not names:
        return
    for where, section in _sections(settings):
        for name in section.anti_affinity:
            if name not in names:
                yield unknown_name(f"{where}.anti_affinity", name, names)
    teams = {each.whole.team for each in asked if each.whole.team is not None}
    for i, objective in enumerate(settings.objectives):
        if objective.workload is not None and objective.workload not in names:
            yield unknown_name(f"objectives.{i}.workload", objective.workload, names)
        if objective.team is not None and objective.team not in teams:
            yield unknown_name(f"objectives.{i}.team", objective.team, teams)
