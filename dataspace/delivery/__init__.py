"""How messages leave the machine: SMTP and webhooks. The only place that opens connections of its own accord."""

from collections.abc import Mapping

from dataspace.delivery.mail import MailServer, mailer
from dataspace.delivery.webhook import WebhookRules, webhook_sender
from dataspace.domain.outbox import Channel
from dataspace.services.outbox import Send
from dataspace.settings import Settings

__all__ = ["MailServer", "WebhookRules", "mailer", "senders", "webhook_sender"]


def senders(settings: Settings) -> Mapping[Channel, Send]:
    """A sender for each channel that the settings describe."""
    found: dict[Channel, Send] = {}
    if settings.smtp_host:
        password = settings.smtp_password.get_secret_value() if settings.smtp_password else ""
        server = MailServer(
            settings.smtp_host, settings.smtp_port, settings.smtp_tls, settings.smtp_user or "", password
        )
        found[Channel.EMAIL] = mailer(server, settings.mail_from)
    if settings.webhook_secret is not None:
        rules = WebhookRules(
            frozenset(settings.webhook_hosts.lower().split()),
            settings.webhook_loopback,
            frozenset(settings.webhook_internal_hosts.lower().split()),
        )
        found[Channel.WEBHOOK] = webhook_sender(rules, settings.webhook_secret.get_secret_value())
    return found
