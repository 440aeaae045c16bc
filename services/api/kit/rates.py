"""Rate limits for logins, sign-ups and uploads, against guessing and flooding.

If Redis is configured, all API processes count there; else, or while Redis does not answer, each process counts in its
own memory.
"""

import structlog
from limits import RateLimitItem, parse
from limits.errors import StorageError
from limits.storage import MemoryStorage, Storage, storage_from_string
from limits.strategies import MovingWindowRateLimiter

from services.core.errors import LetheError

__all__ = ["RateLimited", "Rates"]

log = structlog.get_logger()

LOGIN_PER_ADDRESS = parse("60/minute")
LOGIN_PER_USERNAME = parse("10/minute")
SIGN_UP_PER_ADDRESS = parse("60/hour")
UPLOAD_PER_ACCOUNT = parse("60/minute")


class RateLimited(LetheError):
    code = "rate_limited"
    status = 429


class Rates:
    """Counts attempts. Each method raises RateLimited after too many."""

    def __init__(self, redis_url: str) -> None:
        self._own = MovingWindowRateLimiter(MemoryStorage())
        self._shared = MovingWindowRateLimiter(_redis(redis_url)) if redis_url else self._own

    def login(self, address: str, username: str) -> None:
        """Count a login, by address and by username."""
        self._hit(LOGIN_PER_ADDRESS, "login-address", address)
        self._hit(LOGIN_PER_USERNAME, "login-username", username)

    def sign_up(self, address: str) -> None:
        """Count a sign-up by address."""
        self._hit(SIGN_UP_PER_ADDRESS, "sign-up", address)

    def upload(self, account: str) -> None:
        """Count an upload by account."""
        self._hit(UPLOAD_PER_ACCOUNT, "upload", account)

    def _hit(self, rate: RateLimitItem, what: str, who: str) -> None:
        try:
            allowed = self._shared.hit(rate, what, who)
        except StorageError as error:
            log.warning("rate_limit_storage_failed", error=str(error), remedy="counting in this process only")
            allowed = self._own.hit(rate, what, who)
        if not allowed:
            raise RateLimited(
                f"Too many attempts: the limit is {rate.amount} in {rate.get_expiry()} s. Wait, then try again.",
                retry_after_s=rate.get_expiry(),
            )


def _redis(url: str) -> Storage:
    storage = storage_from_string(url, wrap_exceptions=True, socket_timeout=1.0, socket_connect_timeout=1.0)
    assert isinstance(storage, Storage)
    return storage
