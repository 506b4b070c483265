//! The audit: one line of the log for each thing that happens to an account or a session.
//!
//! In: what happened, to whom, and from where. Out: an event of the target [`AUDIT`], and a count, with ids alone: no
//! e-mail address, which may be a password typed into the wrong field, and no token.

use uuid::Uuid;

use super::client::Client;
use crate::telemetry::{AUDIT, metrics};

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// An account was made.
    Registered,
    /// Somebody signed in.
    SignedIn,
    /// A wrong password, an unknown or a disabled account.
    SignInFailed,
    /// A session got new tokens.
    Refreshed,
    /// A refresh token that is unknown or has ended.
    RefreshFailed,
    /// A refresh token was used a second time: its session has been ended.
    RefreshReused,
    /// A session was ended by who had it.
    SignedOut,
    /// A password was changed by who knew the old one; all other sessions have been ended.
    PasswordChanged,
    /// A password was not changed, since the old one was wrong.
    PasswordChangeFailed,
    /// A password was set by an operator; all sessions have been ended.
    PasswordReset,
    /// An account got another role.
    RoleChanged,
    /// An account was shut out; all of its sessions have been ended.
    Disabled,
    /// An account was let in again.
    Enabled,
    /// An access token was made by an operator.
    TokenMinted,
    /// An access token was not taken.
    TokenRefused,
    /// Too many attempts.
    RateLimited,
    /// The subject of an outside identity provider came for the first time, and got an account.
    OutsideSubject,
}

impl Event {
    /// Its name in the log.
    const fn name(self) -> &'static str {
        match self {
            Self::Registered => "registered",
            Self::SignedIn => "signed_in",
            Self::SignInFailed => "sign_in_failed",
            Self::Refreshed => "refreshed",
            Self::RefreshFailed => "refresh_failed",
            Self::RefreshReused => "refresh_reused",
            Self::SignedOut => "signed_out",
            Self::PasswordChanged => "password_changed",
            Self::PasswordChangeFailed => "password_change_failed",
            Self::PasswordReset => "password_reset",
            Self::RoleChanged => "role_changed",
            Self::Disabled => "disabled",
            Self::Enabled => "enabled",
            Self::TokenMinted => "token_minted",
            Self::TokenRefused => "token_refused",
            Self::RateLimited => "rate_limited",
            Self::OutsideSubject => "outside_subject",
        }
    }
}

/// Writes that `event` happened to the account `user`, if one is known, at a request of `client`; without one it was
/// done from the shell.
pub fn record(event: Event, user: Option<Uuid>, client: Option<&Client>) {
    metrics::event(event.name());
    let address = client.map(|client| tracing::field::display(client.address));
    let request_id = client.map(|client| client.request_id.to_str().unwrap_or_default());
    tracing::info!(
        target: AUDIT,
        {
            auth.event = event.name(),
            user.id = user.map(tracing::field::display),
            client.address = address,
            request.id = request_id,
        },
        "audit"
    );
}
