"""Everything as a stream: a million rows take no more memory than one."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Annotated, Final, Literal

from django.http import HttpResponseBase
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from pydantic import Field
from rest_framework.request import Request
from rest_framework.views import APIView

from storage.answers.question import Asked, SpanQuestion, asked, parameters, read
from storage.exchange import export
from storage.models import Data
from storage.web.pieces import streamed

_ROWS: Final = 500  # of one piece
_TYPES: Final = {"csv": "text/csv; charset=utf-8", "jsonl": "application/x-ndjson"}


class ExportQuestion(SpanQuestion):
    """Readings, or what they were rolled up to."""

    step: Literal["raw", "minute", "hour", "day"] = Field("hour", description="Readings, or roll-ups.")
    file: Literal["csv", "jsonl"] = Field("csv", description="The format.")
    excel_fr: Annotated[bool, Field(strict=False)] = Field(
        False, description="CSV as a French spreadsheet opens it: semicolons, decimal commas, local times, a BOM."
    )


class ExportView(APIView):
    """Rows as CSV or JSON lines, to be saved; times in the asked zone, texts that look like formulas are quoted."""

    queryset = Data.objects.none()  # whose permission to view counts

    @extend_schema(
        operation_id="export",
        parameters=parameters(ExportQuestion),
        responses={(200, kind.partition(";")[0]): OpenApiTypes.STR for kind in _TYPES.values()},
    )
    def get(self, request: Request) -> HttpResponseBase:
        """A download."""
        question = read(ExportQuestion, request.query_params.dict())
        about = asked(question, request._request)
        pieces = stream(about, question)
        name = f"ticbridge-{question.step}-{timezone.localdate():%Y-%m-%d}.{question.file}"
        answer = streamed(request._request, pieces)
        answer["Content-Type"] = _TYPES[question.file]
        answer["Content-Disposition"] = f'attachment; filename="{name}"'
        answer["X-Accel-Buffering"] = "no"
        return answer


def stream(about: Asked, question: ExportQuestion) -> Iterator[bytes]:
    """The file, piece by piece."""
    period = export.Period(*about.span(question))  # at once: what is wrong is no half of a file
    header = export.RAW_HEADER if question.step == "raw" else export.BUCKET_HEADER
    return _pieces(about, question, period, header)


def _pieces(about: Asked, question: ExportQuestion, period: export.Period, header: tuple[str, ...]) -> Iterator[bytes]:
    buffer = io.StringIO(newline="")
    writer: export.Csv | export.JsonLines = (
        export.Csv(buffer, header, french=question.excel_fr)
        if question.file == "csv"
        else export.JsonLines(buffer, header)
    )
    if question.step == "raw":
        _, lines = export.readings(about.meter, period)
    else:
        _, lines = export.buckets(about.meter, export.STEPS[question.step], period)
    for number, _ in enumerate(writer.write(lines, about.zone), 1):
        if number % _ROWS == 0:
            yield _taken(buffer)
    yield _taken(buffer)


def _taken(buffer: io.StringIO) -> bytes:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text.encode()
