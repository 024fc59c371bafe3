"""Hosts, groups and variables, out of Ansible's YAML."""

from provision.inventory.model import Host, Inventory

__all__ = ["Host", "Inventory"]
