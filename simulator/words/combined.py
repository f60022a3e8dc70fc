"""What is not simulated together, because nobody could say what would come of it."""

from __future__ import annotations

from collections.abc import Iterator

from simulator.words.service import Service
from simulator.words.traffic import Traffic


def with_scaling(service: Service, traffic: Traffic) -> Iterator[str]:
    """Why groups of instances could not follow this traffic, if they are scaled."""
    if service.scaling is None or service.elastic:
        return
    if traffic.queue:
        yield _apart("queue", "service.scaling", "groups follow requests, not what waits")
    if traffic.retries:
        yield _apart("retries", "service.scaling", "groups would have to follow the tries")
    if traffic.connections:
        yield _apart("connections", "service.scaling", "load stays where connections are")
    if any(cell.peak_at for cell in service.cells):
        yield _apart("service.cells with peak_at", "service.scaling", "a group has one curve")


def with_latency(service: Service, traffic: Traffic) -> Iterator[str]:
    """Why a latency objective could not be judged with this service and traffic."""
    if traffic.queue:
        yield _apart("latency", "traffic.queue", "messages are late by the deadline of the queue")
    if traffic.retries:
        yield _apart("latency", "traffic.retries", "tries would add up to one long answer")
    if traffic.connections:
        yield _apart("latency", "traffic.connections", "some instances would hold more than others")
    if any(cell.peak_at for cell in service.cells):
        yield _apart("latency", "service.cells with peak_at", "each cell waits at hours of its own")
    if len(service.cells) > 1 and service.queueing == "shared" and not service.elastic:
        yield _apart(
            "latency",
            "service.queueing: shared of several service.cells",
            "no queue is shared between cells",
        )


def _apart(first: str, second: str, why: str) -> str:
    return f"{first} and {second} are not simulated together ({why}): remove one of the two"
