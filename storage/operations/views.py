"""`/healthz` and `/metrics`."""

from __future__ import annotations

from asgiref.sync import sync_to_async
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from storage.operations.fleet import FLEET, Fleet
from storage.operations.health import health
from storage.operations.metrics import CONTENT_TYPE, exposition
from storage.rights import rights_of
from storage.tokens.authentication import token_or_login
from storage.tokens.models import Scope


def fleet_of(request: HttpRequest) -> Fleet | None:
    """What `storage.asgi` put into the request; None in a plain test client."""
    fleet = getattr(request, "scope", {}).get(FLEET)
    return fleet if isinstance(fleet, Fleet) else None


@login_not_required
@require_safe
@never_cache
def live(request: HttpRequest) -> JsonResponse:
    """This process answers."""
    return JsonResponse({"live": True})


@login_not_required
@require_safe
@never_cache
def ready(request: HttpRequest) -> JsonResponse:
    """200 when this process can serve, else 503; in both cases with sentences for its owner."""
    found = health(fleet_of(request))
    body = {"live": True, "ready": found.ready, "reasons": found.reasons, "warnings": found.warnings}
    return JsonResponse(body, status=200 if found.ready else 503)


@token_or_login(Scope.HISTORY)
async def metrics(request: HttpRequest) -> HttpResponseBase:
    """For Prometheus; a meter's number is personal, so it takes a login or a token that may read history."""
    text = await sync_to_async(lambda: exposition(fleet_of(request), rights_of(request)))()
    return HttpResponse(text, content_type=CONTENT_TYPE, headers={"Cache-Control": "no-store"})
