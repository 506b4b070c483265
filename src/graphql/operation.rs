//! An operation, translated: what each of its root fields asks of the engine, and where the values come from.

use super::tree::{Leaf, Origin};
use crate::engine::{bind::Argument, request::Question};
use async_graphql_parser::{Positioned, types::Field};

/// What an operation asks, root field by root field, in the order of the document.
#[derive(Debug, Clone)]
pub(super) struct Operation {
    /// Whether it is a mutation.
    pub mutation: bool,
    /// What it costs.
    pub cost: u64,
    /// Its root fields.
    pub roots: Vec<Root>,
}

/// A root field.
#[derive(Debug, Clone)]
pub(super) struct Root {
    /// The name in the answer.
    pub key: String,
    /// Whether `null` is an answer, so that an error stays this field's own.
    pub nullable: bool,
    /// What it asks.
    pub kind: RootKind,
}

/// What a root field asks.
#[derive(Debug, Clone)]
pub(super) enum RootKind {
    /// A constant.
    TypeName(&'static str),
    /// Of the engine.
    Question(Asked),
    /// The row with a global id: what is asked depends on the resource that the id names.
    Node(Source, Vec<(usize, Asked)>),
    /// A session.
    Session(SessionField),
    /// The end of the session of a refresh token.
    Logout(Source),
    /// Of the schema itself.
    Introspection(Box<Positioned<Field>>),
}

/// A question and where its values come from.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    /// The question.
    pub question: Question,
    /// A source for each slot.
    pub sources: Vec<Source>,
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Source {
    /// The document itself.
    Literal(Argument),
    /// The leaf with this number among those of the variables.
    Variable(usize),
    /// A list of such.
    List(Vec<Source>),
}

impl From<&Leaf> for Source {
    fn from(leaf: &Leaf) -> Self {
        match &leaf.origin {
            Origin::Literal => Self::Literal(leaf.value.clone()),
            Origin::Variable(number) => Self::Variable(*number),
            Origin::List(leaves) => Self::List(leaves.iter().map(Self::from).collect()),
        }
    }
}

impl Source {
    /// The value, with the leaves of the variables of this request.
    pub(super) fn argument(&self, leaves: &[Argument]) -> Argument {
        match self {
            Self::Literal(argument) => argument.clone(),
            Self::Variable(number) => leaves.get(*number).cloned().unwrap_or(Argument::Null),
            Self::List(sources) => Argument::List(sources.iter().map(|source| source.argument(leaves)).collect()),
        }
    }
}

/// A field that gives a session.
#[derive(Debug, Clone)]
pub(super) struct SessionField {
    /// The way to it.
    pub by: SignIn,
    /// What of the session is told, and under which name.
    pub fields: Vec<(String, SessionPart)>,
}

/// A way to a session, with where its values come from.
#[derive(Debug, Clone)]
pub(super) enum SignIn {
    /// A new account.
    Register { email: Source, password: Source, name: Source },
    /// A password.
    Login { email: Source, password: Source },
    /// A session that there is, by its refresh token.
    Refresh(Source),
    /// Another password.
    ChangePassword { current: Source, new: Source },
}

/// A field of a session.
#[derive(Debug, Clone)]
pub(super) enum SessionPart {
    /// The access token.
    AccessToken,
    /// `bearer`.
    TokenType,
    /// The seconds until the token expires.
    ExpiresIn,
    /// The refresh token.
    RefreshToken,
    /// `Session`.
    TypeName,
    /// Who signed in.
    User(Box<Asked>),
}
