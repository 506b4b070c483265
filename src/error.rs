//! The one error of the program: what a caller may read of a failure, and what only the log may.
//!
//! In: a situation, named by a constructor. Out: a [`Kind`] that each protocol maps to its own
//! vocabulary (an HTTP status, a GraphQL `extensions.code`), the four members that both protocols
//! show (`code`, `message`, `details`, `hint`), and a source that is logged and never shown.

use std::{borrow::Cow, fmt, num::NonZeroU32, time::Duration};

/// A result whose error can be shown to the caller.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The kind of a failure, from which each protocol derives its status or code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The request cannot be understood: a malformed value, an unknown name.
    BadRequest,
    /// A body that is understood and breaks a rule; the fields are named.
    Invalid,
    /// No token, or one that is not good.
    Unauthenticated,
    /// The caller is known and may not do this.
    Forbidden,
    /// The row, or the resource, is not there for this caller.
    NotFound,
    /// The resource is there, the method is not.
    MethodNotAllowed,
    /// No offered media type or profile is acceptable.
    NotAcceptable,
    /// Another row or another state stands in the way.
    Conflict,
    /// The row is not in the state on which the caller made the write depend.
    PreconditionFailed,
    /// The body's media type is not one that is read.
    UnsupportedMediaType,
    /// The body is larger than the configured bound.
    PayloadTooLarge,
    /// The body was still on its way when the request's time was over.
    SlowBody,
    /// The range asked for lies outside of the rows.
    RangeNotSatisfiable,
    /// A name that has several meanings here.
    Ambiguous,
    /// The operation is too deep or too costly to run.
    CostLimit,
    /// The caller has asked too often; it is told when it may ask again.
    RateLimited,
    /// The request took longer than it may.
    Timeout,
    /// The database is away or has no connection free.
    Unavailable,
    /// The database takes no writes.
    ReadOnly,
    /// A defect of ours: the caller learns the request id and nothing else.
    Internal,
}

impl Kind {
    /// The code shown when a situation has no more exact one.
    const fn default_code(self) -> &'static str {
        match self {
            Self::BadRequest => "PGRST100",
            Self::Invalid => "23514",
            Self::Unauthenticated => "PGRST302",
            Self::Forbidden => "42501",
            Self::NotFound => "PGRST116",
            Self::MethodNotAllowed => "PGRST117",
            Self::NotAcceptable | Self::UnsupportedMediaType => "PGRST107",
            Self::Conflict => "23505",
            Self::PreconditionFailed => "55000",
            Self::PayloadTooLarge | Self::SlowBody => "PGRST102",
            Self::RangeNotSatisfiable => "PGRST103",
            Self::Ambiguous => "PGRST201",
            Self::CostLimit => "54001",
            // PostgREST limits nobody; PostgreSQL calls a configured limit so.
            Self::RateLimited => "53400",
            Self::Timeout => "57014",
            Self::Unavailable => "PGRST001",
            Self::ReadOnly => "25006",
            Self::Internal => "PGRSTX00",
        }
    }
}

/// How many problems an answer tells at most.
const MAX_TOLD: usize = 100;

/// What is wrong with one field of an input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The column, in the catalogue's spelling; protocols translate it to theirs.
    pub field: String,
    /// What would be right, as a sentence without a subject: "must be 1 to 200 characters long".
    pub message: String,
}

/// A failure, with what the caller may know of it.
#[derive(Debug)]
pub struct Error {
    /// What kind of failure it is.
    pub kind: Kind,
    /// A SQLSTATE or PostgREST code.
    pub code: Cow<'static, str>,
    /// What was wrong, in one sentence.
    pub message: String,
    /// Where, or how much.
    pub details: Option<String>,
    /// The same as a list of values, for protocols that can tell one.
    pub list: Vec<serde_json::Value>,
    /// What would be right.
    pub hint: Option<String>,
    /// The fields that are wrong, when the failure is about an input.
    pub problems: Vec<Problem>,
    /// The methods that the path has, where another was used (RFC 9110 section 15.5.6).
    pub allow: Option<String>,
    /// After how many seconds the same request may do better: of what has been asked for too often, and of what is away.
    pub retry_after: Option<NonZeroU32>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl AsRef<Self> for Error {
    fn as_ref(&self) -> &Self {
        self
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|source| source.as_ref() as &(dyn std::error::Error + 'static))
    }
}

impl Error {
    /// A failure of `kind`, described to the caller by `message`.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self {
            kind,
            code: Cow::Borrowed(kind.default_code()),
            message: message.into(),
            details: None,
            list: Vec::new(),
            hint: None,
            problems: Vec::new(),
            allow: None,
            retry_after: matches!(kind, Kind::Unavailable).then_some(NonZeroU32::MIN),
            source: None,
        }
    }

    /// A method that the path does not have; `allow` are those that it has, with commas between.
    pub fn method_not_allowed(message: impl Into<String>, allow: impl Into<String>) -> Self {
        Self { allow: Some(allow.into()), ..Self::new(Kind::MethodNotAllowed, message) }
    }

    /// Asked too often; the caller may ask again after `wait`, rounded up to seconds, so that who keeps to it is not
    /// early.
    pub fn rate_limited(message: impl Into<String>, wait: Duration) -> Self {
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        let seconds = u32::try_from(seconds).ok().and_then(NonZeroU32::new).unwrap_or(NonZeroU32::MIN);
        Self { retry_after: Some(seconds), ..Self::new(Kind::RateLimited, message) }
    }

    /// The request cannot be understood.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(Kind::BadRequest, message)
    }

    /// A value that is not of its column's type (SQLSTATE 22P02).
    pub fn bad_value(message: impl Into<String>) -> Self {
        Self::bad_request(message).code("22P02")
    }

    /// A body that breaks rules, each named with its field; of very many, the first. `problems` is not empty.
    pub fn invalid(mut problems: Vec<Problem>) -> Self {
        let message = match problems.as_slice() {
            [only] => format!("{} {}", only.field, only.message),
            _ => "The input breaks the rules of several fields".to_owned(),
        };
        let more = problems.len().saturating_sub(MAX_TOLD);
        problems.truncate(MAX_TOLD);
        let mut details = told(&problems);
        if more > 0 {
            details += &format!("; and {more} more");
        }
        Self { details: Some(details), problems, ..Self::new(Kind::Invalid, message) }
    }

    /// A body that is larger than the configured bound.
    pub fn payload_too_large() -> Self {
        Self::new(Kind::PayloadTooLarge, "The body is larger than this server reads")
    }

    /// A principal is needed and there is none, or its token is not good.
    pub fn unauthenticated(message: impl Into<String>) -> Self {
        Self::new(Kind::Unauthenticated, message)
    }

    /// The principal may not do this.
    pub fn forbidden(message: impl Into<String>) -> Self {
        Self::new(Kind::Forbidden, message)
    }

    /// Not there, or not there for this caller.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(Kind::NotFound, message)
    }

    /// A defect or an unforeseen failure: `source` is logged, the caller learns nothing of it.
    pub fn internal(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self { source: Some(source.into()), ..Self::new(Kind::Internal, "The server could not answer this request") }
    }

    /// With a more exact code than the kind's own.
    #[must_use]
    pub fn code(mut self, code: impl Into<Cow<'static, str>>) -> Self {
        self.code = code.into();
        self
    }

    /// With where, or how much.
    #[must_use]
    pub fn details(mut self, details: impl Into<String>) -> Self {
        self.details = Some(details.into());
        self
    }

    /// With what there is, one by one.
    #[must_use]
    pub fn list(mut self, list: Vec<serde_json::Value>) -> Self {
        self.details = Some(list.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "));
        self.list = list;
        self
    }

    /// With what would be right.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// With the hint "Did you mean …?" if one of `names` is near to `name`.
    #[must_use]
    pub fn nearest<'a>(self, name: &str, names: impl IntoIterator<Item = &'a str>) -> Self {
        match nearest(name, names) {
            Some(near) => self.hint(format!("Did you mean \"{near}\"?")),
            None => self,
        }
    }

    /// With the fields of the row of the input that it is about told as that row's.
    #[must_use]
    pub fn within(mut self, row: &str) -> Self {
        if row.is_empty() || self.problems.is_empty() {
            return self;
        }
        for problem in &mut self.problems {
            problem.field.insert_str(0, row);
        }
        self.details = Some(told(&self.problems));
        self
    }

    /// About one field of the input.
    #[must_use]
    pub fn field(mut self, field: impl Into<String>) -> Self {
        let message = self.message.clone();
        self.problems.push(Problem { field: field.into(), message });
        self
    }

    /// With these fields named, each with what is wrong with it.
    #[must_use]
    pub fn about(self, problems: Vec<Problem>) -> Self {
        let details = if problems.is_empty() { self.details.clone() } else { Some(told(&problems)) };
        Self { details, problems, ..self }
    }

    /// The same for another caller, without the source, which is logged once.
    #[must_use]
    pub fn repeated(&self) -> Self {
        Self {
            kind: self.kind,
            code: self.code.clone(),
            message: self.message.clone(),
            details: self.details.clone(),
            list: self.list.clone(),
            hint: self.hint.clone(),
            problems: self.problems.clone(),
            allow: self.allow.clone(),
            retry_after: self.retry_after,
            source: None,
        }
    }

    /// What led to it, from the nearest to the farthest: for the log alone.
    pub fn cause(&self) -> Option<String> {
        let mut source = std::error::Error::source(self)?;
        let mut cause = source.to_string();
        while let Some(deeper) = source.source() {
            cause = format!("{cause}: {deeper}");
            source = deeper;
        }
        Some(cause)
    }

    /// With the failure that led to this one, for the log alone: its words must hold no value that a client has sent.
    #[must_use]
    pub fn source(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }
}

/// Problems as one text.
fn told(problems: &[Problem]) -> String {
    problems.iter().map(|p| format!("{} {}", p.field, p.message)).collect::<Vec<_>>().join("; ")
}

/// The one of `names` that `name` was most likely meant to be, if any is near enough.
pub fn nearest<'a>(name: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    names
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(name, candidate), candidate))
        .filter(|(score, _)| *score > 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_finds_a_misspelt_name_and_nothing_for_a_foreign_one() {
        assert_eq!(nearest("speces", ["id", "name", "species"]), Some("species"));
        assert_eq!(nearest("zzz", ["id", "name", "species"]), None);
    }
}
