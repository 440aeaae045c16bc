"""Rate limits for logins, sign-ups, links, uploads, exports and codes, against guessing and flooding.

A login is limited for a username at one address, so that a rival who guesses elsewhere locks nobody out. Beside it, a
username has a wide limit over all addresses, which slows a guesser who has many. One address cannot use it up.

If Redis is configured, all API processes count there; else, or while Redis does not answer, each process counts in its
own memory.
"""

import time
from math import ceil

import structlog
from limits import RateLimitItem, parse
from limits.errors import StorageError
from limits.storage import MemoryStorage, Storage, storage_from_string
from limits.strategies import MovingWindowRateLimiter

from services.core.errors import LetheError

__all__ = ["RateLimited", "Rates"]

log = structlog.get_logger()

LOGIN_PER_ADDRESS = parse("60/minute")
LOGIN_PER_USERNAME_AND_ADDRESS = parse("10 per 10 minutes")
LOGIN_PER_USERNAME = parse("300/hour")
SIGN_UP_PER_ADDRESS = parse("60/hour")
UPLOAD_PER_ACCOUNT = parse("60/minute")
PASSWORD_PER_ACCOUNT = parse("10 per 10 minutes")
RESET_PER_ADDRESS = parse("30/hour")
RESET_PER_NAME_AND_ADDRESS = parse("5/hour")
LINK_PER_ADDRESS = parse("30/minute")
MAIL_PER_ACCOUNT = parse("5/hour")
EXPORT_PER_ACCOUNT = parse("10/hour")
PROVIDER_PER_ADDRESS = parse("60/minute")
CODE_PER_ADDRESS = parse("60/minute")
CODE_PER_ACCOUNT = parse("10 per 10 minutes")


class RateLimited(LetheError):
    code = "rate_limited"
    status = 429


class Rates:
    """Counts attempts. Each method raises RateLimited after too many."""

    def __init__(self, redis_url: str) -> None:
        self._own = MovingWindowRateLimiter(MemoryStorage())
        self._shared = MovingWindowRateLimiter(_redis(redis_url)) if redis_url else self._own

    def login(self, address: str, username: str) -> None:
        """Count a login by its address, by its username there, and by its username everywhere.

        A login that one limit refuses does not count for the next, so it uses up nothing of what others share.
        """
        self._hit(LOGIN_PER_ADDRESS, "login-address", address)
        self._hit(LOGIN_PER_USERNAME_AND_ADDRESS, "login-username-address", username, address)
        self._hit(LOGIN_PER_USERNAME, "login-username", username)

    def sign_up(self, address: str) -> None:
        """Count a sign-up by address."""
        self._hit(SIGN_UP_PER_ADDRESS, "sign-up", address)

    def upload(self, account: str) -> None:
        """Count an upload by account."""
        self._hit(UPLOAD_PER_ACCOUNT, "upload", account)

    def password(self, account: str) -> None:
        """Count an attempt to confirm the own password."""
        self._hit(PASSWORD_PER_ACCOUNT, "password", account)

    def reset(self, address: str, name: str) -> None:
        """Count a request for a link that sets a new password, whether or not there is an account of the name."""
        self._hit(RESET_PER_ADDRESS, "reset-address", address)
        self._hit(RESET_PER_NAME_AND_ADDRESS, "reset-name-address", name.lower(), address)

    def link(self, address: str) -> None:
        """Count an attempt to use a link by address."""
        self._hit(LINK_PER_ADDRESS, "link", address)

    def provider(self, address: str) -> None:
        """Count a way to a provider, or back from it, by address."""
        self._hit(PROVIDER_PER_ADDRESS, "provider", address)

    def mail(self, account: str) -> None:
        """Count a mail that somebody asked for."""
        self._hit(MAIL_PER_ACCOUNT, "mail", account)

    def export(self, account: str) -> None:
        """Count an export by account."""
        self._hit(EXPORT_PER_ACCOUNT, "export", account)

    def code(self, address: str, account: str) -> None:
        """Count an attempt to use an invitation's code by address, and by account."""
        self._hit(CODE_PER_ADDRESS, "code-address", address)
        self._hit(CODE_PER_ACCOUNT, "code-account", account)

    def _hit(self, rate: RateLimitItem, *who: str) -> None:
        try:
            wait_s = _try(self._shared, rate, who)
        except StorageError as error:
            log.warning("rate_limit_storage_failed", error=str(error), remedy="counting in this process only")
            wait_s = _try(self._own, rate, who)
        if wait_s:
            raise RateLimited(
                f"Too many attempts: the limit is {rate.amount} in {rate.get_expiry()} s. Try again in {wait_s} s.",
                retry_after_s=wait_s,
            )


def _try(limiter: MovingWindowRateLimiter, rate: RateLimitItem, who: tuple[str, ...]) -> int:
    """Count an attempt; return 0, or the seconds to wait if it is one too many."""
    if limiter.hit(rate, *who):
        return 0
    return max(1, ceil(limiter.get_window_stats(rate, *who).reset_time - time.time()))


def _redis(url: str) -> Storage:
    storage = storage_from_string(url, wrap_exceptions=True, socket_timeout=1.0, socket_connect_timeout=1.0)
    assert isinstance(storage, Storage)
    return storage
