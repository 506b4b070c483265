//! What came back: status, headers and text, with the questions that tests ask of them.

use reqwest::header::HeaderMap;
use serde_json::Value;

/// The answer to a request.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    /// What was asked, for the message of a failure.
    pub(crate) request: String,
    /// The HTTP status.
    pub(crate) status: u16,
    /// The headers.
    pub(crate) headers: HeaderMap,
    /// The body as it came.
    pub(crate) text: String,
}

/// The first error of an answer, in either protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    /// `extensions.code` in GraphQL, `code` in REST.
    pub(crate) code: String,
    /// The message.
    pub(crate) message: String,
    /// What would be right.
    pub(crate) hint: String,
}

impl Answer {
    /// This answer, which must have the status `status`.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}\n{}", self.request, self.text);
        self
    }

    /// The body, which must be JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text)
            .unwrap_or_else(|error| panic!("{error}\n{}\n{} {}", self.request, self.status, self.text))
    }

    /// The text of a header; empty if it is not there.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("a header of text"))
    }

    /// The `data` of a GraphQL answer without errors.
    #[track_caller]
    pub(crate) fn data(&self) -> Value {
        let mut body = self.json();
        assert!(body.get("errors").is_none(), "{}\n{}", self.request, self.text);
        assert_eq!(self.status, 200, "{}\n{}", self.request, self.text);
        body["data"].take()
    }

    /// The errors of a GraphQL answer; empty without.
    #[track_caller]
    pub(crate) fn errors(&self) -> Vec<Value> {
        self.json()["errors"].as_array().cloned().unwrap_or_default()
    }

    /// The first error, of which there must be one.
    #[track_caller]
    pub(crate) fn failure(&self) -> Failure {
        let body = self.json();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let of = |error: &Value, rest: &Value| Failure {
            code: text(&rest["code"]),
            message: text(&error["message"]),
            hint: text(&rest["hint"]),
        };
        match body["errors"].get(0) {
            Some(error) => of(error, &error["extensions"]),
            None => {
                assert!(body["code"].is_string(), "no error\n{}\n{} {}", self.request, self.status, self.text);
                of(&body, &body)
            }
        }
    }

    /// This answer, whose first error must have the code `code`.
    #[track_caller]
    pub(crate) fn refused(self, code: &str) -> Self {
        assert_eq!(self.failure().code, code, "{}\n{} {}", self.request, self.status, self.text);
        self
    }

    /// This answer of REST, which must tell that the request is not understood, by `code` and the status of that: 404 for
    /// what a type does not have, as PostgREST answers.
    #[track_caller]
    pub(crate) fn misunderstood(self, code: &str) -> Self {
        self.expect(if code == "42883" { 404 } else { 400 }).refused(code)
    }

    /// This answer, whose body must say `part` somewhere.
    #[track_caller]
    pub(crate) fn saying(self, part: &str) -> Self {
        assert!(self.text.contains(part), "does not say {part}\n{}\n{} {}", self.request, self.status, self.text);
        self
    }
}
