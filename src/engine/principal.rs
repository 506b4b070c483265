//! Who is asking. Made by the authentication layer, read by the policies of every statement.

use uuid::Uuid;

/// The role of a caller without a token.
pub const ANONYMOUS: &str = "anonymous";

/// Who is asking: nobody in particular, or the subject of a verified token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    subject: Option<Uuid>,
    role: String,
}

impl Principal {
    /// A caller without a token.
    pub fn anonymous() -> Self {
        Self { subject: None, role: ANONYMOUS.to_owned() }
    }

    /// The user with the id `subject`, acting in `role`.
    pub fn user(subject: Uuid, role: impl Into<String>) -> Self {
        Self { subject: Some(subject), role: role.into() }
    }

    /// The id of the user who asks; none for an anonymous caller.
    pub const fn subject(&self) -> Option<Uuid> {
        self.subject
    }

    /// The role in which the caller acts: one of the roles of `users`, or [`ANONYMOUS`].
    pub fn role(&self) -> &str {
        &self.role
    }

    /// Whether there is no subject.
    pub const fn is_anonymous(&self) -> bool {
        self.subject.is_none()
    }
}
