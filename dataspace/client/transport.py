"""Requests to a node and what comes back: checked shapes, or the node's own words as an exception."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self, TypeVar

import httpx2
from pydantic import TypeAdapter, ValidationError

from dataspace import wire
from dataspace.client.errors import DataspaceError, InvalidInput, Unreachable, from_problem

T = TypeVar("T")


class Transport:
    """What every part of a session sends through; `timeout` is in seconds."""

    def __init__(self, url: str, token: str | None, timeout: float) -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._http = httpx2.Client(base_url=url.rstrip("/") + "/api/v1", headers=headers, timeout=timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the connection back."""
        self._http.close()

    def _get(self, path: str, shape: type[T]) -> T:
        return self._send("GET", path, shape)

    def _post(self, path: str, body: wire.Shape | None, shape: type[T], headers: dict[str, str] | None = None) -> T:
        return self._send("POST", path, shape, json=body.model_dump(mode="json") if body else None, headers=headers)

    def _text(self, path: str) -> str:
        return self._received("GET", path).text

    def _send(self, method: str, path: str, shape: type[T], **options: Any) -> T:
        response = self._received(method, path, **options)
        try:
            return TypeAdapter(shape).validate_json(response.content or b"null")
        except ValidationError:
            raise DataspaceError(
                f"{self._http.base_url} answered something else than expected: is it a node, of this version?"
            ) from None

    def _received(self, method: str, path: str, **options: Any) -> httpx2.Response:
        try:
            response = self._http.request(method, path, **options)
        except httpx2.TransportError as error:
            raise Unreachable(f"no answer from {self._http.base_url}: is the node running? ({error})") from error
        except httpx2.InvalidURL as error:
            raise InvalidInput(f"this is not an address of a node: {error}") from None
        if response.is_error:
            raise from_problem(_problem(response))
        return response


def _problem(response: httpx2.Response) -> dict[str, Any]:
    try:
        body = response.json()
    except ValueError:
        body = None
    return body if isinstance(body, dict) else {"detail": f"the node answered {response.status_code} without a reason"}
