"""Sending one mail to the mail server of the settings."""

import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate, make_msgid, parseaddr
from urllib.parse import urlsplit

from services.api.kit.sending import Refused
from services.core.settings import MailSecurity, Settings

__all__ = ["Mail", "send"]

TIMEOUT_S = 10.0
PERMANENT = 500  # what SMTP answers from here on, it will answer again


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail to one person, in plain text."""

    to: str
    subject: str
    text: str
    stop: str | None = None  # the address that a POST to stops such mail (RFC 8058)


def send(settings: Settings, mail: Mail) -> None:
    """Hand a mail to the mail server. Raises Refused or OSError."""
    message = _message(settings, mail)
    with _connect(settings) as server:
        if settings.smtp_security is MailSecurity.STARTTLS:
            server.starttls(context=ssl.create_default_context())
        if settings.smtp_user:
            server.login(settings.smtp_user, settings.smtp_password.get_secret_value())
        try:
            server.send_message(message)
        except smtplib.SMTPRecipientsRefused as error:
            if all(code >= PERMANENT for code, _ in error.recipients.values()):
                raise Refused from error
            raise


def _connect(settings: Settings) -> smtplib.SMTP:
    """Connect, and say who we are: the library would ask the name service for that, which may take seconds."""
    us, host, port = urlsplit(settings.site).hostname or "localhost", settings.smtp_host, settings.smtp_port
    if settings.smtp_security is not MailSecurity.TLS:
        return smtplib.SMTP(host, port, us, TIMEOUT_S)
    return smtplib.SMTP_SSL(host, port, us, timeout=TIMEOUT_S, context=ssl.create_default_context())


def _message(settings: Settings, mail: Mail) -> EmailMessage:
    """Write the headers. The library refuses a header with a line break."""
    message = EmailMessage()
    message["From"] = settings.mail_from
    message["To"] = mail.to
    message["Subject"] = mail.subject
    message["Date"] = formatdate()
    message["Message-ID"] = make_msgid(domain=parseaddr(settings.mail_from)[1].rpartition("@")[2])
    message["Auto-Submitted"] = "auto-generated"
    if mail.stop:
        message["List-Unsubscribe"] = f"<{mail.stop}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(mail.text)
    return message
