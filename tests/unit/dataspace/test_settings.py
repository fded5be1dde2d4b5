"""A node refuses to start on settings that would protect nobody."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from dataspace.settings import Settings

SAFE = {
    "mode": "production",
    "public_url": "https://node.example.eu",
    "oidc_issuer": "https://login.example.eu",
    "oidc_client_id": "dataspace",
    "home": Path("/srv/dataspace"),
    "key_root": Path("/srv/keys"),
}


def test_the_embedded_default_needs_no_setting() -> None:
    assert Settings().database == "sqlite:///.dataspace/node/accounts.db"


def test_a_complete_production_setting_is_accepted() -> None:
    assert Settings(**SAFE).mode == "production"


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ({"public_url": "http://node.example.eu"}, "PUBLIC_URL"),
        ({"oidc_issuer": None}, "OIDC_ISSUER"),
        ({"oidc_issuer": "http://login.example.eu"}, "OIDC_ISSUER"),
        ({"oidc_client_id": None}, "OIDC_CLIENT_ID"),
        ({"key_root": None}, "KEY_ROOT"),
        ({"key_root": Path("/srv/dataspace/keys")}, "KEY_ROOT"),
        ({"release_grid_ms": 0}, "RELEASE_GRID_MS"),
        ({"trusted_proxies": "*"}, "TRUSTED_PROXIES"),
        ({"trusted_proxies": "0.0.0.0/0"}, "TRUSTED_PROXIES"),
        ({"trusted_proxies": "10.0.0.7 proxy.example.eu"}, "TRUSTED_PROXIES"),
        ({"noise": "zero"}, "NOISE"),
        ({"noise": "seeded:1"}, "NOISE"),
    ],
)
def test_production_refuses(fault: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Settings(**(SAFE | fault))


@pytest.mark.parametrize("noise", ["zero", "seeded:7"])
def test_predictable_noise_is_for_tests_alone(noise: str) -> None:
    with pytest.raises(ValidationError, match="for tests"):
        Settings(mode="demo", noise=noise)
    assert Settings(mode="test", noise=noise).noise == noise
