//! What is answered to an operation, as bytes.
//!
//! In: the answers of its fields, or why it did not run. Out: an [`Outcome`].

use super::{
    concealed::conceal,
    document::{Operation, Refusal},
    errors,
};
use crate::{
    auth::client::Client,
    catalog::scalar::write_string,
    error::{Error, Kind, Result},
    telemetry::record,
};
use serde_json::{Value, json};
use std::num::NonZeroU32;

/// A field's name in the answer, whether `null` is an answer of it, and its JSON.
pub(super) type FieldAnswer = (String, bool, Result<Vec<u8>>);

/// What became of an operation.
#[derive(Debug)]
pub enum Outcome {
    /// It ran; the answer has `data`, and `errors` if some field failed.
    Executed(Reply),
    /// It did not run: the document or the variables are wrong. The answer has no `data`.
    Refused(Reply),
    /// It did not run, for a reason that has a status of its own.
    Denied(Error),
}

/// The answer to an operation.
#[derive(Debug, Default)]
pub struct Reply {
    /// Its JSON.
    pub bytes: Vec<u8>,
    /// Whether it has errors.
    pub failed: bool,
    /// After how many seconds the same operation may do better, if one of its errors says so.
    pub retry_after: Option<NonZeroU32>,
}

/// Who is answered.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    /// From where the request came.
    pub client: &'a Client,
    /// What was sent, where the schema shall not be learnt from errors.
    pub concealed: Option<Operation<'a>>,
}

impl Reader<'_> {
    /// Errors as this reader is told them.
    fn told(&self, mut errors: Vec<Value>) -> Value {
        if let Some(sent) = &self.concealed {
            conceal(&mut errors, &[sent.query, sent.variables.unwrap_or_default()]);
        }
        Value::Array(errors)
    }

    /// Why an operation did not run.
    pub(super) fn refused(&self, refusal: Refusal) -> Outcome {
        let errors = match refusal {
            Refusal::Error(error) if is_of_its_own(error.kind) => return Outcome::Denied(error),
            Refusal::Error(error) => vec![errors::render(&error, None, &self.client.request_id)],
            Refusal::Errors(errors) => errors,
        };
        note(&errors);
        let bytes = json!({ "errors": self.told(errors) }).to_string().into_bytes();
        Outcome::Refused(Reply { bytes, failed: true, retry_after: None })
    }

    /// The answer of an operation that ran: its fields. A failed field that can be null is null; another makes all of
    /// the data null.
    pub(super) fn executed(&self, fields: Vec<FieldAnswer>) -> Outcome {
        let mut failures = Vec::new();
        let mut retry_after = None;
        let spoilt = fields.iter().any(|(_, nullable, bytes)| !nullable && bytes.is_err());
        let size: usize = fields.iter().map(|(key, _, bytes)| key.len() + 4 + bytes.as_ref().map_or(4, Vec::len)).sum();
        let mut data = Vec::with_capacity(size + 16);
        data.extend_from_slice(b"{\"data\":");
        let start = data.len();
        data.push(b'{');
        for (index, (key, _, bytes)) in fields.into_iter().enumerate() {
            if index > 0 {
                data.push(b',');
            }
            write_string(&key, &mut data);
            data.push(b':');
            match bytes {
                Ok(bytes) => data.extend_from_slice(&bytes),
                Err(error) => {
                    retry_after = retry_after.max(error.retry_after);
                    failures.push(errors::render(&error, Some(&key), &self.client.request_id));
                    data.extend_from_slice(b"null");
                }
            }
        }
        data.push(b'}');
        if spoilt {
            data.truncate(start);
            data.extend_from_slice(b"null");
        }
        let failed = !failures.is_empty();
        if failed {
            note(&failures);
            data.extend_from_slice(b",\"errors\":");
            data.extend_from_slice(self.told(failures).to_string().as_bytes());
        }
        data.push(b'}');
        Outcome::Executed(Reply { bytes: data, failed, retry_after })
    }
}

/// Notes errors, by their number and the code of the first one: codes are ours.
fn note(errors: &[Value]) {
    let first = errors.first().and_then(|error| error["extensions"]["code"].as_str());
    record::errors(errors.len(), first.unwrap_or_default().to_owned());
}

/// Whether a failure has its own status in every media type: it is not the document or its variables that are wrong.
const fn is_of_its_own(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Unauthenticated
            | Kind::Forbidden
            | Kind::MethodNotAllowed
            | Kind::RateLimited
            | Kind::Timeout
            | Kind::Unavailable
            | Kind::Internal
    )
}
