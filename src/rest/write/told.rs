//! What is told of a write: a status, headers and a body, as a plain value that can be kept and told again.

use axum::{
    body::Bytes,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

/// What is told of a write.
#[derive(Debug)]
pub(in super::super) struct Told {
    pub(in super::super) status: StatusCode,
    pub(in super::super) headers: Vec<(HeaderName, String)>,
    pub(in super::super) body: Bytes,
}

impl Told {
    /// A status and nothing else.
    pub(in super::super) const fn bare(status: StatusCode) -> Self {
        Self { status, headers: Vec::new(), body: Bytes::new() }
    }

    /// Adds a header.
    pub(in super::super) fn set(&mut self, name: HeaderName, value: impl Into<String>) {
        self.headers.push((name, value.into()));
    }
}

impl IntoResponse for Told {
    fn into_response(self) -> Response {
        let mut response = (self.status, self.body).into_response();
        let headers = response.headers_mut();
        // Of a body that is not told, nothing is said.
        headers.remove(header::CONTENT_TYPE);
        for (name, value) in self.headers {
            // All of them are made of ASCII; one that were not, could not be sent.
            if let Ok(value) = HeaderValue::try_from(value) {
                headers.insert(name, value);
            }
        }
        response
    }
}
