"""Where a request comes from, as limits count it."""

from ipaddress import IPv6Address, ip_address, ip_network

from starlette.requests import HTTPConnection

__all__ = ["address_of", "network_of"]

IPV6_SITE_BITS = 64  # one client has all addresses of such a network


def address_of(request: HTTPConnection) -> str:
    """Return the client's address; for IPv6 its network, within which a client may choose any address."""
    return network_of(request.client.host) if request.client else "unknown"


def network_of(address: str) -> str:
    """Return an IPv4 address unchanged, and the network of an IPv6 address."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return address
    if parsed.ipv4_mapped:
        return str(parsed.ipv4_mapped)
    return str(ip_network((parsed.packed, IPV6_SITE_BITS), strict=False))
