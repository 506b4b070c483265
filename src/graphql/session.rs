//! Sessions by mutation: a session is told as it is, and who signed in as an ordinary read of the new principal's own row.
//!
//! In: a field `register`, `login`, `refresh`, `changePassword` or `logout` with its values. Out: its JSON.

use super::{
    execute::GraphQl,
    operation::{SessionField, SessionPart, SignIn, Source},
};
use crate::{
    auth::{RegisterInput, Session, client::Client},
    catalog::scalar::write_string,
    engine::{authorize::Who, bind::Argument, principal::Principal},
    error::Result,
    telemetry::record,
};

impl GraphQl {
    /// Opens the session that a field asks for.
    async fn open(&self, by: &SignIn, leaves: &[Argument], caller: &Principal, client: &Client) -> Result<Session> {
        let text = |source: &Source| source.argument(leaves).text().unwrap_or_default().to_owned();
        let auth = self.auth();
        match by {
            SignIn::Register { email, password, name } => {
                let name = name.argument(leaves).text().map(str::to_owned);
                let input = RegisterInput { email: text(email), password: text(password).into(), name };
                auth.register(client, input).await
            }
            SignIn::Login { email, password } => auth.login(client, &text(email), text(password).into()).await,
            SignIn::Refresh(token) => auth.refresh(client, &text(token)).await,
            SignIn::ChangePassword { current, new } => {
                auth.change_password(client, caller, text(current).into(), text(new).into()).await
            }
        }
    }

    /// Runs a field that ends a session.
    ///
    /// # Errors
    /// Those of logging out.
    pub(super) async fn sign_out(&self, token: &Source, leaves: &[Argument], client: &Client) -> Result<Vec<u8>> {
        record::withhold_timing();
        self.auth().logout(client, token.argument(leaves).text().unwrap_or_default()).await?;
        Ok(b"true".to_vec())
    }

    /// Runs a field that gives a session.
    ///
    /// # Errors
    /// Those of the way to the session, and of reading the user.
    pub(super) async fn sign_in(
        &self,
        field: &SessionField,
        leaves: &[Argument],
        caller: &Principal,
        client: &Client,
    ) -> Result<Vec<u8>> {
        record::withhold_timing();
        let session = self.open(&field.by, leaves, caller, client).await?;
        let principal = session.principal();
        let mut out = b"{".to_vec();
        for (index, (key, part)) in field.fields.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            write_string(key, &mut out);
            out.push(b':');
            match part {
                SessionPart::AccessToken => write_string(&session.access_token, &mut out),
                SessionPart::TokenType => out.extend_from_slice(b"\"bearer\""),
                SessionPart::ExpiresIn => out.extend_from_slice(session.expires_in.to_string().as_bytes()),
                SessionPart::RefreshToken => write_string(session.refresh_token.expose(), &mut out),
                SessionPart::TypeName => out.extend_from_slice(b"\"Session\""),
                SessionPart::User(asked) => {
                    let planned = self.planned((**asked).clone(), &Who::from(&principal))?;
                    let arguments: Vec<_> = planned.sources.iter().map(|source| source.argument(leaves)).collect();
                    let answer = self.engine().run_latest(&planned.plan, &arguments, &principal).await?;
                    out.extend_from_slice(&answer.bytes);
                }
            }
        }
        out.push(b'}');
        Ok(out)
    }
}
