//! Signing in by mutation: a session, and who signed in as an ordinary read of the new principal's own row.
//!
//! In: a field `register` or `login` with its values. Out: its JSON.

use super::{
    execute::GraphQl,
    operation::{SessionField, SessionPart, Source},
};
use crate::{
    auth::{RegisterInput, client::Client},
    catalog::scalar::write_string,
    engine::{authorize::Who, bind::Argument},
    error::Result,
};

impl GraphQl {
    /// Runs a field that signs in.
    ///
    /// # Errors
    /// Those of registration and login, and of reading the user.
    pub(super) async fn sign_in(&self, field: &SessionField, leaves: &[Argument], client: &Client) -> Result<Vec<u8>> {
        let text = |source: &Source| source.argument(leaves).text().unwrap_or_default().to_owned();
        let (email, password) = (text(&field.email), text(&field.password).into());
        let session = if field.register {
            let name = field.name.as_ref().and_then(|name| name.argument(leaves).text().map(str::to_owned));
            self.auth().register(client, RegisterInput { email, password, name }).await?
        } else {
            self.auth().login(client, &email, password).await?
        };
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
                SessionPart::TypeName => out.extend_from_slice(b"\"Session\""),
                SessionPart::User(asked) => {
                    let planned = self.planned((**asked).clone(), &Who::from(&principal))?;
                    let arguments: Vec<_> = planned.sources.iter().map(|source| source.argument(leaves)).collect();
                    let answer = self.engine().run(&planned.plan, &arguments, &principal).await?;
                    out.extend_from_slice(&answer.bytes);
                }
            }
        }
        out.push(b'}');
        Ok(out)
    }
}
