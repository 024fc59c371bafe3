"""The resources that a role can declare: `from provision.resources import File, Template, Service, …`"""

from provision.facts.host import ShellAnswer, ShellQuestion
from provision.facts.lookup import After, LookupQuestion
from provision.facts.question import Answers, Question
from provision.remote.protocol import Step
from provision.remote.shell import quote
from provision.resources.base import Action, Change, Resource, Unknown
from provision.resources.commands import Command
from provision.resources.configset.bind import Bind
from provision.resources.configset.configset import ConfigSet
from provision.resources.configset.haproxy import HAProxy
from provision.resources.configset.keepalived import Keepalived
from provision.resources.configset.nginx import Nginx
from provision.resources.content import Content, Pending, Rendered, Template
from provision.resources.downloads import Download, Image
from provision.resources.files import Directory, File
from provision.resources.fixed import Fixed, FixedSetting
from provision.resources.hashed_files import HashedFile
from provision.resources.kubernetes.definitions import Definitions
from provision.resources.kubernetes.manifests import Manifests
from provision.resources.kubernetes.nodes import ForeignNodes, NodeAddresses, ReturnedNodes, UndeclaredNodes
from provision.resources.kubernetes.proxy_mode import ProxyMode
from provision.resources.kubernetes.registration import RegisteredNode
from provision.resources.kubernetes.rollout import Rollout
from provision.resources.leftovers import Leftovers
from provision.resources.open_files import OpenFiles
from provision.resources.packages import Package
from provision.resources.supervisor import Program
from provision.resources.symlinks import Symlink
from provision.resources.sysctl import Sysctl
from provision.resources.systemd import Service
from provision.resources.virtual_address import AddressHeld, VirtualAddress

__all__ = [
    "Action",
    "AddressHeld",
    "After",
    "Answers",
    "Bind",
    "Change",
    "Command",
    "ConfigSet",
    "Content",
    "Definitions",
    "Directory",
    "Download",
    "File",
    "Fixed",
    "FixedSetting",
    "ForeignNodes",
    "HAProxy",
    "HashedFile",
    "Image",
    "Keepalived",
    "Leftovers",
    "LookupQuestion",
    "Manifests",
    "Nginx",
    "NodeAddresses",
    "OpenFiles",
    "Package",
    "Pending",
    "Program",
    "ProxyMode",
    "Question",
    "RegisteredNode",
    "Rendered",
    "Resource",
    "ReturnedNodes",
    "Rollout",
    "Service",
    "ShellAnswer",
    "ShellQuestion",
    "Step",
    "Symlink",
    "Sysctl",
    "Template",
    "UndeclaredNodes",
    "Unknown",
    "VirtualAddress",
    "quote",
]
