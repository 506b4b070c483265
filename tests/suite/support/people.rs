//! Who asks: nobody, or one of the people who are registered on every test's database.

use super::server::Server;
use rootstock::auth::users;
use serde_json::json;
use uuid::Uuid;

/// The password of everybody.
pub(crate) const PASSWORD: &str = "salmon-quilt-47-harbour";

/// Who sends a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Caller {
    /// Nobody in particular: no token is sent.
    Anonymous,
    /// Ann, in the role `user`.
    User,
    /// Bob, in the role `user` as well.
    Other,
    /// Eve, in the role `editor`.
    Editor,
    /// Ada, in the role `admin`.
    Admin,
}

impl Caller {
    /// Everybody, those without a token first.
    pub(crate) const ALL: [Self; 5] = [Self::Anonymous, Self::User, Self::Other, Self::Editor, Self::Admin];

    /// The e-mail address, the name and the role of those who have one.
    const fn profile(self) -> Option<(&'static str, &'static str, &'static str)> {
        match self {
            Self::Anonymous => None,
            Self::User => Some(("ann@example.com", "Ann", "user")),
            Self::Other => Some(("bob@example.com", "Bob", "user")),
            Self::Editor => Some(("eve@example.com", "Eve", "editor")),
            Self::Admin => Some(("ada@example.com", "Ada", "admin")),
        }
    }
}

/// Somebody who is registered.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    /// Who it is in a request.
    pub(crate) caller: Caller,
    /// The key in `users`.
    pub(crate) id: String,
    /// The e-mail address.
    pub(crate) email: String,
    /// The name.
    pub(crate) name: String,
    /// The role.
    pub(crate) role: String,
    /// A token that is good for as long as the tests run.
    pub(crate) token: String,
}

/// Registers everybody by HTTP, as people do, and gives them their roles, as an operator does.
pub(super) async fn register(server: &Server) -> Vec<Person> {
    let mut people = Vec::new();
    for caller in Caller::ALL {
        let Some((email, name, role)) = caller.profile() else { continue };
        let body = json!({ "email": email, "password": PASSWORD, "name": name });
        let session = server.rest(Caller::Anonymous, "POST", "/auth/register", body).await.expect(201).json();
        let text = |value: &serde_json::Value| value.as_str().expect("a text").to_owned();
        let id = text(&session["user"]["id"]);
        if role != "user" {
            let key = Uuid::parse_str(&id).expect("a UUID");
            users::set_role(&server.app.database, key, role).await.expect("a role is set");
        }
        people.push(Person {
            caller,
            id,
            email: email.to_owned(),
            name: name.to_owned(),
            role: role.to_owned(),
            token: text(&session["access_token"]),
        });
    }
    people
}
