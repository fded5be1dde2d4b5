"""From a credential to an actor. Everything but the public pages asks for `CurrentActor`: deny by default."""

from typing import Annotated

from fastapi import Depends, Path, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from dataspace.bootstrap import Node
from dataspace.domain.actors import Actor
from dataspace.domain.errors import NotAuthenticated
from dataspace.services import accounts

Identifier = Annotated[str, Path(max_length=100, pattern=r"^[A-Za-z0-9_-]+$")]
"""An identifier in an address: whatever else is sent there names nothing."""

_bearer = HTTPBearer(auto_error=False, description="personal access token, `ehds_…`")


def current_node(request: Request) -> Node:
    """The node this app serves."""
    node: Node = request.app.state.node
    return node


CurrentNode = Annotated[Node, Depends(current_node)]


def current_actor(
    node: CurrentNode, credential: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> Actor:
    """The person behind the access token; raises NotAuthenticated."""
    if credential is None:
        raise NotAuthenticated("send your personal access token in the header Authorization: Bearer ehds_…")
    return accounts.authenticate(node.unit_of_work(), node.clock, credential.credentials)


CurrentActor = Annotated[Actor, Depends(current_actor)]
