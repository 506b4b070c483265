//! The bodies of requests under `/auth`.
//!
//! In: a request. Out: its members as typed values, or everything that is wrong with them at once, each with its name.

use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
    http::{HeaderMap, header::CONTENT_TYPE},
};
use serde_json::{Map, Value};

use crate::{
    error::{Error, Kind, Problem, Result, nearest},
    error_http,
};

/// The media types that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Media {
    /// `application/json`
    Json,
    /// `application/x-www-form-urlencoded`
    Form,
}

/// The media type of a body and its bytes. The type is looked at first: nothing that is not read is waited for.
pub(super) async fn read(request: Request, accepted: &[Media]) -> Result<(Media, Bytes)> {
    let media = media(request.headers()).filter(|media| accepted.contains(media)).ok_or_else(|| {
        let names = if accepted.contains(&Media::Form) {
            "application/json or application/x-www-form-urlencoded"
        } else {
            "application/json"
        };
        Error::new(Kind::UnsupportedMediaType, format!("The body must be {names}, in UTF-8"))
    })?;
    let bytes = Bytes::from_request(request, &()).await.map_err(|rejection| error_http::unread(&rejection))?;
    Ok((media, bytes))
}

fn media(headers: &HeaderMap) -> Option<Media> {
    let value = headers.get(CONTENT_TYPE)?.to_str().ok()?.to_ascii_lowercase();
    let mut parts = value.split(';').map(str::trim);
    let media = match parts.next()? {
        "application/json" => Media::Json,
        "application/x-www-form-urlencoded" => Media::Form,
        _ => return None,
    };
    let charset = parts.find_map(|parameter| parameter.strip_prefix("charset="));
    matches!(charset.map(|name| name.trim_matches('"')), None | Some("utf-8" | "utf8" | "us-ascii")).then_some(media)
}

/// The members of a JSON object, taken one by one.
pub(super) struct Members {
    members: Map<String, Value>,
    problems: Vec<Problem>,
}

impl Members {
    /// The members of the object in `bytes`, of which `names` may be there.
    pub(super) fn of_json(bytes: &[u8], names: &[&str]) -> Result<Self> {
        let malformed = |message: String| Error::bad_request(message).code("PGRST102");
        let members = match serde_json::from_slice(bytes) {
            Ok(Value::Object(members)) => members,
            Ok(_) => return Err(malformed("The body must be a JSON object".into())),
            Err(error) => return Err(malformed(format!("The body is not JSON: {error}"))),
        };
        let unknown = members.keys().filter(|name| !names.contains(&name.as_str()));
        let problems = unknown.map(|name| Problem { field: name.clone(), message: unknown_member(name, names) });
        Ok(Self { problems: problems.collect(), members })
    }

    /// The text `name`, which must be there; an empty one stands in for what is wrong until [`Self::finish`].
    pub(super) fn text(&mut self, name: &str) -> String {
        match self.members.remove(name) {
            Some(Value::String(text)) => text,
            Some(_) => self.problem(name, "must be a text"),
            None => self.problem(name, "is required"),
        }
    }

    /// The text `name`, if it is there; null for no text.
    pub(super) fn optional_text(&mut self, name: &str) -> Option<Option<String>> {
        match self.members.remove(name)? {
            Value::String(text) => Some(Some(text)),
            Value::Null => Some(None),
            _ => {
                self.problem(name, "must be a text or null");
                None
            }
        }
    }

    /// Refuses the body if anything was wrong with it.
    pub(super) fn finish(self) -> Result<()> {
        if self.problems.is_empty() { Ok(()) } else { Err(Error::invalid(self.problems)) }
    }

    fn problem(&mut self, name: &str, message: &str) -> String {
        self.problems.push(Problem { field: name.to_owned(), message: message.to_owned() });
        String::new()
    }
}

fn unknown_member(name: &str, names: &[&str]) -> String {
    match nearest(name, names.iter().copied()) {
        Some(near) => format!("is not a member of this body; did you mean \"{near}\"?"),
        None => format!("is not a member of this body; it may have {}", names.join(", ")),
    }
}

/// The user name and the password of an OAuth 2 password form (RFC 6749, section 4.3.2). Other parameters are ignored,
/// as its section 3.2 wants; what it lets appear once may not appear twice.
pub(super) fn password_form(bytes: &[u8]) -> Result<(String, String)> {
    let malformed = |message: &str| Error::bad_request(message).code("PGRST102");
    let mut found: [Option<String>; 3] = [None, None, None];
    for (name, value) in url::form_urlencoded::parse(bytes) {
        let place = match name.as_ref() {
            "username" => &mut found[0],
            "password" => &mut found[1],
            "grant_type" => &mut found[2],
            _ => continue,
        };
        if place.replace(value.into_owned()).is_some() {
            return Err(malformed("A parameter of the form is there twice"));
        }
    }
    let [username, password, grant] = found;
    if grant.is_some_and(|grant| !matches!(grant.as_str(), "" | "password")) {
        return Err(malformed("The form's grant_type must be password"));
    }
    let missing = |field: &str| Problem { field: field.to_owned(), message: "is required".to_owned() };
    match (username, password) {
        (Some(username), Some(password)) => Ok((username, password)),
        (username, password) => Err(Error::invalid(
            [username.is_none().then(|| missing("username")), password.is_none().then(|| missing("password"))]
                .into_iter()
                .flatten()
                .collect(),
        )),
    }
}
