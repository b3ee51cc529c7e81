"""Reads ExportTraceServiceRequests, each behind its length in decimal and a line end, and prints the spans as JSON lines.

Run by the Python of WEIR_OTLP_PYTHON, which has OpenTelemetry's own opentelemetry-proto: nothing of Weir decodes here.
"""

import json
import sys

from google.protobuf.unknown_fields import UnknownFieldSet
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


def plain(attributes):
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in attributes}


def known(message):
    """Whether the schema knows every field of the message and of those inside."""
    inside = [value for field, value in message.ListFields() if field.message_type]
    parts = [part for value in inside for part in (value if hasattr(value, "add") or isinstance(value, (list, tuple)) else [value])]
    return len(UnknownFieldSet(message)) == 0 and all(known(part) for part in parts)


def main():
    source = sys.stdin.buffer
    while head := source.readline():
        request = ExportTraceServiceRequest.FromString(source.read(int(head)))
        for resource in request.resource_spans:
            for scope in resource.scope_spans:
                for span in scope.spans:
                    print(json.dumps({
                        "resource": plain(resource.resource.attributes), "scope": scope.scope.name, "name": span.name,
                        "kind": span.kind, "trace": span.trace_id.hex(), "span": span.span_id.hex(), "parent": span.parent_span_id.hex(),
                        "state": span.trace_state, "flags": span.flags, "start": span.start_time_unix_nano,
                        "end": span.end_time_unix_nano, "status": span.status.code, "message": span.status.message,
                        "attributes": plain(span.attributes), "known": known(request)}))


main()
