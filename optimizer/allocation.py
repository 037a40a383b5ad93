"""What one replica needs, from what replicas were seen to use: cores, memory, accelerators.

Cores follow load (utilisation law: busy cores = requests/s x core-seconds a request; Denning and Buzen 1978), so they
are what a replica used at the load that it is planned to carry, not at the load it happened to have. Memory does not
come back once it is short, so it is the most that was ever held, never a mean.

| rule | figure | source |
|---|---|---|
| cores seen | 95th percentile over time of the busiest replica | krr's simple strategy |
| headroom on cores and memory | 15 % | krr (memory), the VPA recommender (`safetyMarginFraction`) |
| more while history is short | x (1 + 1 / days) | the VPA recommender's confidence multiplier |
| after a kill for want of memory | 25 % over what was not enough | krr |
| floors | 0.5 cores, 1 GiB | the original design |
| no CPU limit, memory limit = request | | krr |
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np

from domain.capacity import CapacityModel
from domain.load import Floats, LoadHistory
from domain.observation import Observation
from domain.plan import Json, Reason
from domain.unknown import Unknown
from domain.workload import Resources
from optimizer.pairing import on_grid_of

GIB = 2**30
CORE_STEP, GIB_STEP = 0.1, 0.25  # amounts are rounded up to these


@dataclass(frozen=True, slots=True, kw_only=True)
class AllocationOptions:
    """The rules of the table above.

    What is asked for is lowered where it comes down by at least `worth`, and raised where less than `tight` of the
    memory, or nothing of the cores, is left. At least `min_steps` must be measured. Cores at a load that was not seen
    are trusted up to `reach` times the highest one, and beyond it where load explains `explained` of them.
    """

    cpu_quantile: float = 0.95
    headroom: float = 0.15
    kill_headroom: float = 0.25
    min_cores: float = 0.5
    min_memory_gib: float = 1.0
    worth: float = 0.1
    tight: float = 0.05
    min_steps: int = 24
    reach: float = 1.1
    explained: float = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Sized:
    """One resource: what is declared, the most that was (or would be) used, with headroom, and what to ask for."""

    declared: float
    used: float
    needed: float
    asked: float
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What one replica should ask for; a resource that could not be judged is Unknown and stays as declared."""

    declared: Resources
    cores: Sized | Unknown
    memory_gib: Sized | Unknown
    accelerator: Mapping[str, Json]

    @property
    def resources(self) -> Resources:
        """The declared resources with what is known to be better."""
        cores, memory = self.cores, self.memory_gib
        return replace(
            self.declared,
            cpu_cores=self.declared.cpu_cores if isinstance(cores, Unknown) else cores.asked,
            memory_gib=self.declared.memory_gib if isinstance(memory, Unknown) else memory.asked,
        )

    @property
    def measured(self) -> bool:
        """Whether anything was measured."""
        return not (isinstance(self.cores, Unknown) and isinstance(self.memory_gib, Unknown))

    @property
    def raised(self) -> bool:
        """Whether less is declared than is needed."""
        now = self.resources
        return now.cpu_cores > self.declared.cpu_cores or now.memory_gib > self.declared.memory_gib


def needed(observation: Observation, capacity: CapacityModel, options: AllocationOptions) -> Need:
    """What a replica that carries `capacity` needs, seeing nothing after the observation."""
    return Need(
        declared=observation.workload.resources,
        cores=_cores(observation, capacity, options),
        memory_gib=_memory(observation, options),
        accelerator=_accelerator(observation, options),
    )


def _cores(observation: Observation, capacity: CapacityModel, options: AllocationOptions) -> Sized | Unknown:
    peak, mean = _seen(observation.use.cpu_cores_peak, observation), _seen(observation.use.cpu_cores, observation)
    few = _too_few(peak, options)
    if isinstance(peak, Unknown) or few is not None:
        return few or Unknown("no use of processors is known")
    highest = float(np.nanquantile(peak.values, options.cpu_quantile))
    at_capacity = _at_capacity(observation, capacity, peak, mean, options)
    if isinstance(at_capacity, Unknown):
        return at_capacity
    used = max(highest, at_capacity)
    wanted = used * (1.0 + options.headroom) * _doubt(peak)
    declared = observation.workload.resources.cpu_cores
    said = (
        f"the busiest replica used at most {highest:.2f} cores {options.cpu_quantile:.0%} of the time, "
        f"and {at_capacity:.2f} at the {capacity.rate_rps:.3g} requests/s that one is planned to carry"
    )
    asked = _asked(declared, used, wanted, floor=options.min_cores, step=CORE_STEP, tight=0.0, worth=options.worth)
    return Sized(declared=declared, used=used, needed=wanted, asked=asked, detail=said)


def _at_capacity(
    observation: Observation,
    capacity: CapacityModel,
    peak: LoadHistory,
    mean: LoadHistory | Unknown,
    options: AllocationOptions,
) -> float | Unknown:
    """Cores of the busiest replica while the mean one carries its capacity; Unknown where the use tells nothing of it."""
    each = _load_of_a_replica(observation, peak)
    if isinstance(each, Unknown) or isinstance(mean, Unknown):
        return Unknown("the use of processors cannot be set against load per replica")
    used = on_grid_of(peak, mean)
    known = np.isfinite(each) & np.isfinite(used) & np.isfinite(peak.values) & (used > 0)
    if known.sum() < options.min_steps:
        return Unknown(
            f"{int(known.sum())} steps with load, replicas and use of processors; needed: {options.min_steps}"
        )
    uneven = max(1.0, float(np.median(peak.values[known] / used[known])))
    idle, per_request, explained = _line(each[known], used[known])
    top = float(np.quantile(each[known], 0.99))
    if capacity.rate_rps > options.reach * top and explained < options.explained:
        return Unknown(
            f"a replica is planned to carry {capacity.rate_rps:.3g} requests/s, but none was seen with more than {top:.3g}, "
            f"and load explains only {explained:.0%} of its use of processors"
        )
    return uneven * (idle + per_request * capacity.rate_rps)


def _load_of_a_replica(observation: Observation, like: LoadHistory) -> Floats | Unknown:
    """Requests/s per ready replica on the (coarser) grid of `like`."""
    load, ready = observation.load, observation.replicas
    if isinstance(load, Unknown) or isinstance(ready, Unknown):
        return Unknown("load or replicas are not known")
    came = on_grid_of(like, load.until(observation.observed_at).coarser(like.step))
    held = on_grid_of(like, ready.until(observation.observed_at).coarser(like.step))
    found: Floats = np.divide(came, held, out=np.full(len(came), np.nan), where=held > 0)
    return found


def _line(load: Floats, cores: Floats) -> tuple[float, float, float]:
    """Least squares of cores over load with neither part negative: idle cores, cores per request/s, share explained."""
    centred = load - load.mean()
    spread = float(centred @ centred)
    slope = max(0.0, float(centred @ cores) / spread) if spread > 0 else 0.0
    idle = float(cores.mean()) - slope * float(load.mean())
    if idle < 0:  # through the origin
        idle, slope = 0.0, float(load @ cores) / float(load @ load)
    left, whole = cores - idle - slope * load, cores - cores.mean()
    total = float(whole @ whole)
    return idle, slope, max(0.0, 1.0 - float(left @ left) / total) if total > 0 else 0.0


def _memory(observation: Observation, options: AllocationOptions) -> Sized | Unknown:
    held = _seen(observation.use.memory_bytes, observation)
    few = _too_few(held, options)
    if isinstance(held, Unknown) or few is not None:
        return few or Unknown("no use of memory is known")
    declared, most = observation.workload.resources.memory_gib, float(np.nanmax(held.values)) / GIB
    wanted = most * (1.0 + options.headroom) * _doubt(held)
    said = f"a replica held {most:.2f} GiB at most"
    killed = _seen(observation.use.out_of_memory, observation)
    short = isinstance(killed, LoadHistory) and bool(np.nanmax(killed.values, initial=0.0) > 0)
    if short:
        not_enough = max(declared, most)
        wanted = max(wanted, not_enough * (1.0 + options.kill_headroom))
        said += f", and one was ended for want of memory: {not_enough:.2f} GiB was not enough"
    asked = _asked(
        declared,
        wanted if short else most,
        wanted,
        floor=options.min_memory_gib,
        step=GIB_STEP,
        tight=options.tight,
        worth=options.worth,
    )
    return Sized(declared=declared, used=most, needed=wanted, asked=asked, detail=said)


def _asked(
    declared: float, used: float, wanted: float, *, floor: float, step: float, tight: float, worth: float
) -> float:
    """What to ask for: less where that is worth it, more where what is declared is nearly used up, else as declared."""
    amount = round(math.ceil(max(wanted, floor) / step - 1e-9) * step, 6)
    if used * (1.0 + tight) > declared:
        return max(amount, declared)
    return amount if amount <= declared * (1.0 - worth) else declared


def _accelerator(observation: Observation, options: AllocationOptions) -> Mapping[str, Json]:
    """What accelerators were seen to do; null where that is not measured.

    Their number and kind stay as declared: capacity was learned on them, and a runtime that takes most of their memory
    in advance (vLLM, SGLang) shows nothing of what its model needs.
    """
    busy = _seen(observation.use.accelerator_busy, observation)
    held = _seen(observation.use.accelerator_memory_bytes, observation)
    known = None if isinstance(busy, Unknown) else float(np.nanquantile(busy.values, options.cpu_quantile))
    most = None if isinstance(held, Unknown) else float(np.nanmax(held.values)) / GIB
    return {"busy": known, "memory_gib": most}


def _seen(signal: LoadHistory | Unknown, observation: Observation) -> LoadHistory | Unknown:
    """A signal up to the observation; Unknown where nothing of it is known."""
    if isinstance(signal, Unknown):
        return signal
    seen = signal.until(observation.observed_at)
    return seen if np.isfinite(seen.values).any() else Unknown("none of its steps is known")


def _too_few(signal: LoadHistory | Unknown, options: AllocationOptions) -> Unknown | None:
    if isinstance(signal, Unknown):
        return signal
    known = int(np.isfinite(signal.values).sum())
    return None if known >= options.min_steps else Unknown(f"{known} steps are known; needed: {options.min_steps}")


def _doubt(signal: LoadHistory) -> float:
    """1 + 1/days of what is known: 2 after a day, 1.14 after a week, 1.07 after two."""
    days = int(np.isfinite(signal.values).sum()) * signal.step / timedelta(days=1)
    return 1.0 + 1.0 / days


def reasons_of(need: Need) -> tuple[Reason, ...]:
    """One reason for each resource that was judged, and one for what could not be."""
    cores, memory = need.cores, need.memory_gib
    if isinstance(cores, Unknown) and isinstance(memory, Unknown):
        said = f"as declared: what replicas use is not known ({cores.reason})"
        return (Reason(code="allocation_declared", detail=said),)
    return (_reason("cpu", "processors", cores, "cores"), _reason("memory", "memory", memory, "GiB"))


def _reason(code: str, what: str, sized: Sized | Unknown, unit: str) -> Reason:
    if isinstance(sized, Unknown):
        return Reason(code="allocation_declared", detail=f"{what} as declared: {sized.reason}")
    changed = sized.asked != sized.declared
    return Reason(
        code=f"allocation_{code}",
        detail=f"{sized.detail}; with headroom {sized.needed:.2f} {unit}",
        before=f"{sized.declared:g} {unit}" if changed else None,
        after=f"{sized.asked:g} {unit}" if changed else None,
    )


def need_json(need: Need) -> Mapping[str, Json]:
    """What was measured and what follows; null where a resource could not be judged, with the reason beside it."""
    return {
        "cpu_cores": _sized_json(need.cores),
        "memory_gib": _sized_json(need.memory_gib),
        "accelerator": {
            "kind": need.declared.accelerator,
            "count": need.declared.accelerator_count,
            **need.accelerator,
        },
    }


def _sized_json(sized: Sized | Unknown) -> Mapping[str, Json]:
    if isinstance(sized, Unknown):
        return {"asked": None, "unknown": sized.reason}
    return {
        "declared": sized.declared,
        "used": sized.used,
        "needed": sized.needed,
        "asked": sized.asked,
        "detail": sized.detail,
    }
