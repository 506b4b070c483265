"""What schemathesis has no word for: above all an answer that may have no body.

OpenAPI cannot say that a 201 tells of the new rows or of nothing, as the request prefers. So these two checks are asked
of answers that have a body, and which may have none is said here.
"""

import schemathesis
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance


@schemathesis.hook
def filter_case(ctx, case):
    """Whether what is wrong with a request is wrong for the server too."""
    if case.media_type == "text/csv" and not isinstance(case.body, str):
        # Sent as CSV, a number is a text like any other.
        return False
    if "columns" in (case.query or {}) and case.meta and case.meta.generation.mode.is_negative:
        # What `columns` does not name is not read.
        return False
    return True


@schemathesis.check
def body_conformance(ctx, response, case):
    """The body is of a documented type and keeps to its schema."""
    if response.content:
        content_type_conformance(ctx, response, case)
        response_schema_conformance(ctx, response, case)
    elif case.method not in ("HEAD", "OPTIONS") and response.status_code not in (201, 204, 304):
        raise AssertionError(f"{response.status_code} without a body")


@schemathesis.check
def failures_are_told(ctx, response, case):
    """A failure has the four members, and a code that is no placeholder."""
    if response.status_code >= 400 and response.content and not case.path.startswith("/graphql"):
        error = response.json()
        assert list(error) == ["code", "message", "details", "hint"], error
        assert error["code"] and error["message"], error
