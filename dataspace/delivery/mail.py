"""Sending a message by SMTP (RFC 5321), with the standard library alone."""

import smtplib
import ssl
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Literal

from dataspace.domain.outbox import Claimed, NotDelivered
from dataspace.services.outbox import Send

TIMEOUT_S = 20.0


@dataclass(frozen=True)
class MailServer:
    """Where mail is handed over. Certificates are always checked where there is TLS."""

    host: str
    port: int
    tls: Literal["starttls", "implicit", "none"] = "starttls"
    user: str = ""
    password: str = field(default="", repr=False)


def mailer(server: MailServer, sender: str) -> Send:
    """Hands one message over; raises NotDelivered with the kind of failure, without what the server said."""

    def send(claimed: Claimed) -> None:
        message = compose(claimed, sender)
        try:
            with _connect(server) as connection:
                connection.send_message(message, sender, [claimed.address])
        except smtplib.SMTPResponseException as error:
            raise NotDelivered(f"smtp-{error.smtp_code}") from None
        except smtplib.SMTPRecipientsRefused as error:
            codes = [code for code, _ in error.recipients.values()]
            raise NotDelivered(f"smtp-{codes[0] if codes else 'refused'}") from None
        except (smtplib.SMTPException, OSError) as error:
            raise NotDelivered(type(error).__name__) from None

    return send


def compose(claimed: Claimed, sender: str) -> EmailMessage:
    """The mail; its Message-ID is the same at every try."""
    message, mail = claimed.message, EmailMessage()
    mail["From"], mail["To"] = sender, claimed.address
    mail["Subject"] = " ".join(message.subject.split())
    mail["Date"] = format_datetime(message.at)
    mail["Message-ID"] = f"<{message.id}@{sender.rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(message.text)
    return mail


def _connect(server: MailServer) -> smtplib.SMTP:
    if server.tls == "implicit":
        connection: smtplib.SMTP = smtplib.SMTP_SSL(
            server.host, server.port, timeout=TIMEOUT_S, context=ssl.create_default_context()
        )
    else:
        connection = smtplib.SMTP(server.host, server.port, timeout=TIMEOUT_S)
    try:
        if server.tls == "starttls":
            connection.starttls(context=ssl.create_default_context())
        if server.user:
            connection.login(server.user, server.password)
    except BaseException:
        connection.close()
        raise
    return connection
