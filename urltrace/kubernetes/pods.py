"""Pods, as a trace reads them."""

from __future__ import annotations

import msgspec

from urltrace.kubernetes.base import Object, Struct


class ContainerPort(Struct, frozen=True):
    container_port: int = 0
    name: str = ""
    host_port: int = 0


class Container(Struct, frozen=True):
    name: str = ""
    args: tuple[str, ...] = ()
    ports: tuple[ContainerPort, ...] = ()


class PodSpec(Struct, frozen=True):
    node_name: str = ""
    service_account_name: str = "default"
    host_network: bool = False
    containers: tuple[Container, ...] = ()


class PodCondition(Struct, frozen=True):
    type: str = ""
    status: str = ""
    reason: str = ""
    message: str = ""


class Waiting(Struct, frozen=True):
    reason: str = ""
    message: str = ""


class ContainerState(Struct, frozen=True):
    waiting: Waiting | None = None


class ContainerStatus(Struct, frozen=True):
    name: str = ""
    ready: bool = False
    restart_count: int = 0
    state: ContainerState = ContainerState()


class PodStatus(Struct, frozen=True):
    phase: str = ""
    pod_ip: str = msgspec.field(default="", name="podIP")
    host_ip: str = msgspec.field(default="", name="hostIP")
    conditions: tuple[PodCondition, ...] = ()
    container_statuses: tuple[ContainerStatus, ...] = ()


class Pod(Object, frozen=True):
    spec: PodSpec = PodSpec()
    status: PodStatus = PodStatus()

    @property
    def ready(self) -> bool:
        return any(one.type == "Ready" and one.status == "True" for one in self.status.conditions)

    @property
    def waits_for(self) -> str:
        """Why a container does not run, as in 'CrashLoopBackOff'; why it is not scheduled; ''."""
        waiting = [one.state.waiting.reason for one in self.status.container_statuses if one.state.waiting]
        unscheduled = [
            f"{one.reason}: {one.message}"
            for one in self.status.conditions
            if one.type == "PodScheduled" and one.reason
        ]
        statuses = [one for one in self.status.container_statuses if one.restart_count and not one.ready]
        ended = [f"ended {one.restart_count} times" for one in statuses]
        return next(iter((*waiting, *unscheduled, *ended)), "")
