"""A gateway for the HTTP Upgrade mechanism on Twisted: the public names, and nothing else."""

from upgradegw.client.endpoint import UpgradeClientEndpoint
from upgradegw.client.errors import UpgradeRefused
from upgradegw.client.response import BadUpgradeResponse, UpgradeResponse
from upgradegw.events import access_events
from upgradegw.http.client_subject import client_subject
from upgradegw.http.content import deliver_content
from upgradegw.http.subtrees import limit
from upgradegw.interfaces import (
    Accept,
    Allow,
    Deny,
    EndSummary,
    IUpgradeResource,
    Respond,
    Upgrade,
    Upgraded,
    UpgradeInfo,
)
from upgradegw.negotiation.model import Client, Refuse, RequestHead, UpgradeProtocol
from upgradegw.negotiation.reasons import Reason
from upgradegw.protocols.plugins import IUpgradeProvider
from upgradegw.protocols.stream import stream
from upgradegw.protocols.websocket import websocket
from upgradegw.proxy.forward_auth import ForwardAuth
from upgradegw.proxy.health import HealthSettings
from upgradegw.proxy.resource import ProxyResource
from upgradegw.proxy.settings import UpstreamSettings
from upgradegw.web.clients import client_of
from upgradegw.web.drain import Drain
from upgradegw.web.guarding import Guard, granted
from upgradegw.web.guards import BasicAuth, allow_networks
from upgradegw.web.h2c import h2c
from upgradegw.web.request import UpgradeRequestMixin
from upgradegw.web.resource import UpgradeResource
from upgradegw.web.site import UpgradeSite, UpgradeSiteMixin
from upgradegw.web.tls_upgrade import TlsUpgrade

__version__ = "0.1.0"

__all__ = [
    "Accept",
    "Allow",
    "BadUpgradeResponse",
    "BasicAuth",
    "Client",
    "Deny",
    "Drain",
    "EndSummary",
    "ForwardAuth",
    "Guard",
    "HealthSettings",
    "IUpgradeProvider",
    "IUpgradeResource",
    "ProxyResource",
    "Reason",
    "Refuse",
    "RequestHead",
    "Respond",
    "TlsUpgrade",
    "Upgrade",
    "UpgradeClientEndpoint",
    "UpgradeInfo",
    "UpgradeProtocol",
    "UpgradeRefused",
    "UpgradeRequestMixin",
    "UpgradeResource",
    "UpgradeResponse",
    "UpgradeSite",
    "UpgradeSiteMixin",
    "Upgraded",
    "UpstreamSettings",
    "access_events",
    "allow_networks",
    "client_of",
    "client_subject",
    "deliver_content",
    "granted",
    "h2c",
    "limit",
    "stream",
    "websocket",
]
