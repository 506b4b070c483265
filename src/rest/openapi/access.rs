//! Who may call an operation.
//!
//! In: a resource's policy. Out: the security requirement of an operation, whether a caller can be forbidden it, and
//! the policy in words.

use crate::{
    catalog::{
        Operator, Resource,
        policy::{Claim, Condition, Grant, Operand},
    },
    engine::authorize::{Who, decided},
};
use serde_json::{Value, json};

/// How callers say who they are.
pub(super) fn schemes() -> Value {
    json!({
        "bearer": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "An access token, from register or login.",
        },
        "password": {
            "type": "oauth2",
            "description": "An e-mail and a password, as the user name and the password of OAuth 2.",
            "flows": { "password": { "tokenUrl": "/auth/login", "scopes": {} } },
        },
    })
}

/// The requirement of a token, or of none.
pub(super) fn security(optional: bool) -> Value {
    if optional {
        json!([{}, { "bearer": [] }, { "password": [] }])
    } else {
        json!([{ "bearer": [] }, { "password": [] }])
    }
}

/// Who may call an operation.
pub(super) struct Access {
    /// Whether somebody without a token may.
    pub(super) anonymous: bool,
    /// Whether somebody with a token may be refused.
    pub(super) forbids: bool,
    /// Whose it is, in words.
    pub(super) words: String,
}

impl Access {
    /// Of reading `resource`.
    pub(super) fn read(resource: &Resource) -> Self {
        let condition = &resource.policy.read;
        Self {
            anonymous: decided(condition, &nobody()) != Some(false),
            // Rows that a caller may not see do not exist for it: only one for whom none can is told so.
            forbids: decided(condition, &stranger()) == Some(false),
            words: words(condition),
        }
    }

    /// Of writing `resource` under `grant`, and of reading what was written.
    pub(super) fn write(resource: &Resource, grant: &Grant) -> Self {
        let open = |condition| decided(condition, &stranger()) == Some(true);
        let columns = resource.policy.columns.iter().map(|rule| &rule.write);
        let columns_forbid = columns.filter(|write| **write != Condition::Never).any(|write| !open(write));
        Self {
            // Before anything is read of a write, a caller without a token is asked for one.
            anonymous: grant.condition == Condition::Always,
            forbids: !open(&grant.condition) || columns_forbid || Self::read(resource).forbids,
            words: words(&grant.condition),
        }
    }
}

fn nobody() -> Who {
    Who { role: String::new(), authenticated: false }
}

/// A caller with a token whose role no policy names.
fn stranger() -> Who {
    Who { role: String::new(), authenticated: true }
}

/// A condition as the end of a sentence.
pub(super) fn words(condition: &Condition) -> String {
    let all = |conditions: &[Condition], word: &str| conditions.iter().map(words).collect::<Vec<_>>().join(word);
    match condition {
        Condition::Always => "everybody".to_owned(),
        Condition::Never => "nobody".to_owned(),
        Condition::Authenticated => "everybody who has signed in".to_owned(),
        Condition::Role(role) => format!("the role `{role}`"),
        Condition::Compare { column, operator: Operator::Eq, operand } => match operand {
            Operand::Claim(Claim::Sub) => format!("the user whose key is in `{column}`"),
            Operand::Claim(Claim::Role) => format!("the role that is in `{column}`"),
            Operand::Value(value) => {
                let mut text = String::new();
                value.write_text(&mut text);
                format!("everybody where `{column}` is `{text}`")
            }
        },
        Condition::Compare { column, operator, .. } => format!("those for whom `{column}` is {}", operator.graphql()),
        Condition::IsNull { column } => format!("everybody where `{column}` is null"),
        Condition::Related { relation, condition } => format!("by its `{relation}`: {}", words(condition)),
        Condition::And(conditions) => all(conditions, " and "),
        Condition::Or(conditions) => all(conditions, " or "),
        Condition::Not(condition) => format!("everybody but {}", words(condition)),
    }
}
