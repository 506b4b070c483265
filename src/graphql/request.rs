//! What a request says, by either method: a document or its name, the operation's name, and variables.
//!
//! In: a body of JSON, or a query string. Out: a [`Sent`], or what is malformed. What is in the document is not looked at.

use super::{
    document::Operation,
    persisted::{Reference, parse_hash},
};
use crate::error::{Error, Result};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// What a request says. Members that nobody knows are ignored.
#[derive(Debug, Default)]
pub(super) struct Sent<'a> {
    query: Option<Cow<'a, str>>,
    document_id: Option<Cow<'a, str>>,
    operation_name: Option<Cow<'a, str>>,
    /// The text of a JSON object.
    variables: Option<Cow<'a, str>>,
    hash: Option<[u8; 32]>,
}

/// A body: one request, or a list of them.
#[derive(Debug)]
pub(super) enum Body<'a> {
    One(Sent<'a>),
    Batch(Vec<Sent<'a>>),
}

impl<'a> Body<'a> {
    /// Reads a body; a list must be one of at most `limit` requests, and is none where that is 1.
    ///
    /// # Errors
    /// What is malformed.
    pub(super) fn parse(text: &'a str, limit: usize) -> Result<Self> {
        if !text.trim_start().starts_with('[') {
            return Sent::parse(text).map(Self::One);
        }
        if limit == 1 {
            return Err(Error::bad_request("Batches of operations are not taken: send one at a time"));
        }
        let items: Vec<&RawValue> = serde_json::from_str(text).map_err(no_request)?;
        if items.is_empty() || items.len() > limit {
            let message = format!("A batch is of 1 to {limit} operations, and this one of {}", items.len());
            return Err(Error::bad_request(message));
        }
        items.into_iter().map(|item| Sent::parse(item.get())).collect::<Result<_>>().map(Self::Batch)
    }
}

/// The members of a request in JSON.
#[derive(Deserialize)]
struct Members<'a> {
    #[serde(borrow)]
    query: Option<Text<'a>>,
    #[serde(borrow, rename = "documentId")]
    document_id: Option<Text<'a>>,
    #[serde(borrow, rename = "operationName")]
    operation_name: Option<Text<'a>>,
    variables: Option<&'a RawValue>,
    extensions: Option<&'a RawValue>,
}

/// A text, borrowed where it has no escapes.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// The extensions that are known.
#[derive(Deserialize)]
struct Extensions<'a> {
    #[serde(borrow, rename = "persistedQuery")]
    persisted_query: Option<&'a RawValue>,
}

/// Apollo's protocol of automatic persisted queries.
#[derive(Deserialize)]
struct PersistedQuery<'a> {
    version: u64,
    #[serde(borrow, rename = "sha256Hash")]
    hash: Text<'a>,
}

impl<'a> Sent<'a> {
    fn parse(text: &'a str) -> Result<Self> {
        // A list would be read as the members in their order.
        if !is_object(text) {
            return Err(no_request("expected a JSON object with \"query\""));
        }
        let members: Members<'a> = serde_json::from_str(text).map_err(no_request)?;
        let text = |text: Option<Text<'a>>| text.map(|Text(text)| text);
        Self {
            query: text(members.query),
            document_id: text(members.document_id),
            operation_name: text(members.operation_name),
            variables: members.variables.map(|variables| variables.get().into()),
            hash: members.extensions.map(|extensions| hash(extensions.get())).transpose()?.flatten(),
        }
        .checked()
    }

    /// Reads a query string. A parameter without a value is as good as none.
    ///
    /// # Errors
    /// What is malformed, and a parameter that comes twice: who reads the first one, and who the last?
    pub(super) fn parse_query(query: &'a str) -> Result<Self> {
        let mut sent = Self::default();
        let mut extensions = None;
        for (key, value) in url::form_urlencoded::parse(query.as_bytes()) {
            let place = match &*key {
                "query" => &mut sent.query,
                "documentId" => &mut sent.document_id,
                "operationName" => &mut sent.operation_name,
                "variables" => &mut sent.variables,
                "extensions" => &mut extensions,
                _ => continue,
            };
            if place.is_some() {
                return Err(Error::bad_request(format!("The parameter \"{key}\" comes twice")));
            }
            *place = Some(value);
        }
        sent.operation_name = sent.operation_name.filter(|name| !name.is_empty());
        sent.variables = sent.variables.filter(|variables| !variables.is_empty());
        let extensions = extensions.filter(|extensions| !extensions.is_empty() && extensions.trim() != "null");
        sent.hash = extensions.map(|extensions| hash(&extensions)).transpose()?.flatten();
        sent.checked()
    }

    fn checked(mut self) -> Result<Self> {
        self.variables = self.variables.filter(|variables| variables.trim() != "null");
        if self.variables.as_deref().is_some_and(|variables| {
            serde_json::from_str(variables).map_or(true, |json: &RawValue| !is_object(json.get()))
        }) {
            return Err(Error::bad_request("\"variables\" must be a JSON object").field("variables"));
        }
        let has_query = self.query.as_deref().is_some_and(|query| !query.is_empty());
        if self.document_id.is_some() && (has_query || self.hash.is_some()) {
            return Err(Error::bad_request("\"documentId\" stands alone: it names the document that is run"));
        }
        if !has_query && self.document_id.is_none() && self.hash.is_none() {
            let message = "A request needs the member \"query\" with a document, or the name of one";
            return Err(Error::bad_request(message).hint("{\"query\": \"{ __typename }\"}"));
        }
        Ok(self)
    }

    /// The operation; `safe` says that it came by a method that must not change anything.
    pub(super) fn operation(&self, safe: bool) -> Operation<'_> {
        let id = self.document_id.as_deref().map(Reference::Id);
        Operation {
            query: self.query.as_deref().unwrap_or_default(),
            reference: id.or(self.hash.map(Reference::Hash)),
            name: self.operation_name.as_deref(),
            variables: self.variables.as_deref(),
            safe,
        }
    }
}

/// The hash in the text of extensions, if they name a persisted query.
fn hash(extensions: &str) -> Result<Option<[u8; 32]>> {
    let wrong = |what: &str| Error::bad_request(what).field("extensions");
    if !is_object(extensions) {
        return Err(wrong("\"extensions\" must be a JSON object"));
    }
    let Extensions { persisted_query } =
        serde_json::from_str(extensions).map_err(|error| wrong(&format!("\"extensions\" cannot be read: {error}")))?;
    let Some(persisted) = persisted_query else { return Ok(None) };
    let form =
        || wrong("\"extensions.persistedQuery\" must have \"version\": 1 and \"sha256Hash\" of 64 hexadecimal digits");
    if !is_object(persisted.get()) {
        return Err(form());
    }
    let PersistedQuery { version, hash: Text(hash) } = serde_json::from_str(persisted.get()).map_err(|_| form())?;
    if version != 1 {
        return Err(form());
    }
    parse_hash(&hash).map(Some).ok_or_else(form)
}

fn is_object(json: &str) -> bool {
    json.trim_start().starts_with('{')
}

fn no_request(why: impl std::fmt::Display) -> Error {
    Error::bad_request(format!("The body is no GraphQL request: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_without_escapes_is_not_copied() {
        let Body::One(sent) = Body::parse(r#"{"query":"{ me { id } }","operationName":"Q"}"#, 1).unwrap() else {
            panic!("one request")
        };
        assert!(matches!((sent.query, sent.operation_name), (Some(Cow::Borrowed(_)), Some(Cow::Borrowed("Q")))));
    }
}
