//! The subjects of an outside identity provider: who they are here, what they may do, and what they cannot become.

use crate::support::{
    Caller::*,
    Dialect, Server, Setup, on_both, on_both_with,
    provider::{claims, configured, pinned, public_pem, token},
    start_with,
};
use rootstock::{
    auth::{identities, users},
    config::Config,
};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use std::time::Duration;
use uuid::Uuid;

/// Runs a case on servers that take outside tokens by a pinned key.
async fn on_both_trusting(case: impl AsyncFn(&Server)) {
    on_both_with(|| Setup { outside: pinned("p256"), ..Setup::default() }, case).await;
}

/// A token of `subject` with these claims.
fn of(subject: &str, changes: Value) -> String {
    token("p256", &claims(subject, changes))
}

async fn me(server: &Server, token: &str) -> Value {
    server.get_by(token, "/auth/me").await.expect(200).json()
}

async fn count_users(server: &Server) -> u64 {
    server.data(Admin, "{ users { totalCount } }").await["users"]["totalCount"].as_u64().expect("a number")
}

fn id(user: &Value) -> Uuid {
    Uuid::parse_str(user["id"].as_str().expect("a text")).expect("a UUID")
}

#[tokio::test]
async fn the_first_request_makes_the_account_and_every_other_finds_it() {
    on_both_trusting(async |server| {
        let before = count_users(server).await;
        let claims = json!({ "email": " Zoe@Example.com", "email_verified": true, "name": "Zoe" });
        let zoe = me(server, &of("auth0|zoe", claims)).await;
        assert_eq!(id(&zoe).get_version_num(), 7);
        assert_eq!(
            (&zoe["email"], &zoe["name"], &zoe["role"]),
            (&json!("Zoe@Example.com"), &json!("Zoe"), &json!("user"))
        );
        // The same subject, whatever else its token says now, on another instance and in the other protocol.
        let later = of("auth0|zoe", json!({ "email": "other@example.com", "name": "Other" }));
        assert_eq!(me(server, &later).await, zoe);
        let another = server.another().await;
        assert_eq!(me(&another, &later).await, zoe);
        let asked = server.graphql_by(&later, "{ me { id email name role } }").await.data();
        assert_eq!((&asked["me"]["id"], &asked["me"]["email"]), (&zoe["id"], &zoe["email"]));
        // Another subject, however near.
        for other in ["auth0|zoe ", "AUTH0|ZOE", "zoe", "auth0|zoe%00", "zoë", "zoe\u{308}"] {
            assert_ne!(me(server, &of(other, json!({}))).await["id"], zoe["id"], "{other:?}");
        }
        assert_eq!(count_users(server).await, before + 7);
    })
    .await;
}

/// Who could choose an address, or a name with the provider, would else choose the account.
#[tokio::test]
async fn nobody_becomes_another_by_an_address_or_a_key() {
    on_both_trusting(async |server| {
        let ann = server.person(User);
        for (subject, changes) in [
            ("by-address", json!({ "email": ann.email })),
            ("by-another-spelling", json!({ "email": ann.email.to_uppercase(), "email_verified": true })),
            (ann.id.as_str(), json!({ "email": ann.email, "name": ann.name })),
            (server.person(Admin).id.as_str(), json!({})),
        ] {
            let user = me(server, &of(subject, changes)).await;
            assert!(user["id"] != ann.id && user["id"] != server.person(Admin).id, "{user}");
            assert_eq!((&user["email"], &user["role"]), (&Value::Null, &json!("user")));
        }
        let ann = me(server, &ann.token).await;
        assert_eq!(ann["email"], "ann@example.com");
        // Nor the other way: the first who has the address keeps it.
        let first = me(server, &of("first", json!({ "email": "new@example.com" }))).await;
        assert_eq!(first["email"], "new@example.com");
        let second = me(server, &of("second", json!({ "email": "NEW@example.com" }))).await;
        assert_eq!(second["email"], Value::Null);
        let body = json!({ "email": "new@example.com", "password": crate::support::PASSWORD });
        server.rest(Anonymous, "POST", "/auth/register", body.clone()).await.expect(409);
        server.rest(Anonymous, "POST", "/auth/login", body).await.expect(401);
    })
    .await;
}

#[tokio::test]
async fn what_the_provider_does_not_vouch_for_is_left_out() {
    on_both_trusting(async |server| {
        for (number, changes) in [
            json!({ "email": "no-address", "name": "" }),
            json!({ "email": "a@example.com", "email_verified": false, "name": "n".repeat(201) }),
            json!({ "email": "b@example.com", "email_verified": "false", "name": 7 }),
            json!({ "email": ["c@example.com"], "name": ["x"] }),
            json!({ "email": 7, "name": "a\u{0}b" }),
        ]
        .into_iter()
        .enumerate()
        {
            let user = me(server, &of(&format!("subject {number}"), changes.clone())).await;
            assert_eq!((&user["email"], &user["name"]), (&Value::Null, &Value::Null), "{changes}");
        }
    })
    .await;
}

/// The claim decides, and not what the database says.
#[tokio::test]
async fn the_role_is_that_of_the_token() {
    on_both_trusting(async |server| {
        let as_ = |role: Value| of("zoe", json!({ "role": role }));
        let zoe = me(server, &as_(json!("editor"))).await;
        assert_eq!(zoe["role"], "editor");
        let tree = json!({ "name": "Zoe's", "species": "oak" });
        let plant = async |token: String| {
            let request = server.request(Anonymous, "POST", "/trees").bearer_auth(token).json(&tree);
            server.send(request).await.status
        };
        assert_eq!(plant(as_(json!("editor"))).await, 201);
        for low in [json!("user"), json!("root"), json!([]), json!(["nobody", "user"]), json!("")] {
            assert_eq!(plant(as_(low)).await, 403);
        }
        users::set_role(&server.app.database, id(&zoe), "admin").await.expect("a role is set");
        assert_eq!(plant(as_(json!("user"))).await, 403);
        let seen = server.graphql_by(&as_(json!("user")), "{ users { totalCount } }").await.data();
        assert_eq!(seen["users"]["totalCount"], 1);
        let seen = server.graphql_by(&as_(json!(["x", "admin", "user"])), "{ users { totalCount } }").await.data();
        assert!(seen["users"]["totalCount"].as_u64() > Some(4), "{seen}");
        server.get_by(&as_(json!(7)), "/trees").await.expect(401);
        server.get_by(&as_(Value::Null), "/trees").await.expect(200);
        // Admins are shown the role of the last token, as soon as it is asked for anew.
        let another = server.another().await;
        assert_eq!(me(&another, &as_(json!("editor"))).await["role"], "editor");
    })
    .await;
}

#[tokio::test]
async fn the_role_is_where_the_provider_writes_it() {
    for (path, changes) in [
        ("https://example.com/role", json!({ "https://example.com/role": "editor" })),
        ("realm_access.roles", json!({ "realm_access": { "roles": ["offline_access", "editor"] } })),
        ("cognito:groups", json!({ "cognito:groups": ["editor"] })),
    ] {
        let pem = public_pem("p256");
        let outside = || configured([("jwt-public-key", pem.as_str()), ("jwt-role-claim", path)]);
        on_both_with(
            || Setup { outside: outside(), ..Setup::default() },
            async |server| {
                assert_eq!(me(server, &of("zoe", changes.clone())).await["role"], "editor", "{path}");
                // Of own tokens the database decides, wherever else a role is written.
                assert_eq!(me(server, &server.person(User).token).await["role"], "user");
            },
        )
        .await;
    }
}

#[tokio::test]
async fn first_requests_at_once_make_one_account() {
    on_both_trusting(async |server| {
        let before = count_users(server).await;
        let another = server.another().await;
        for email in [Value::Null, json!("zoe@example.com"), json!("ann@example.com")] {
            let token = of(&format!("zoe of {email}"), json!({ "email": email }));
            let requests = (0..20).map(async |number| {
                let server = if number % 2 == 0 { server } else { &another };
                me(server, &token).await["id"].clone()
            });
            let ids = futures_util::future::join_all(requests).await;
            assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
        }
        assert_eq!(count_users(server).await, before + 3);
    })
    .await;
}

#[tokio::test]
async fn what_a_subject_makes_is_its_own() {
    on_both_trusting(async |server| {
        let (zoe, yan) = (of("zoe", json!({})), of("yan", json!({})));
        let body = json!({ "title": "Lunch", "amount": "12.50" });
        let made = server.send(server.request(Anonymous, "POST", "/expenses").bearer_auth(&zoe).json(&body)).await;
        let made = made.expect(201).json();
        assert_eq!(made["user_id"], me(server, &zoe).await["id"]);
        assert_eq!(server.get_by(&zoe, "/expenses").await.expect(200).json().as_array().map(Vec::len), Some(1));
        for other in [&yan, &server.person(User).token] {
            assert_eq!(server.get_by(other, "/expenses").await.expect(200).json(), json!([]));
        }
        let path = format!("/expenses/{}", made["id"].as_str().expect("a key"));
        server.send(server.request(Anonymous, "DELETE", &path).bearer_auth(&yan)).await.expect(404);

        let renamed = server.request(Anonymous, "PATCH", "/auth/me").bearer_auth(&zoe).json(&json!({ "name": "Z" }));
        assert_eq!(server.send(renamed).await.expect(200).json()["name"], "Z");
    })
    .await;
}

#[tokio::test]
async fn a_subject_that_is_shut_out_is_401_within_five_seconds() {
    on_both_trusting(async |server| {
        let token = of("zoe", json!({ "role": "admin" }));
        let zoe = id(&me(server, &token).await);
        let database = &server.app.database;
        assert!(identities::set_disabled(database, zoe, true).await.expect("it is shut out"));
        assert!(users::by_id(database, zoe).await.expect("an answer").expect("an account").disabled);
        // Where nothing is remembered, at once; here as soon as what is remembered is too old.
        let another = server.another().await;
        let answer = another.get_by(&token, "/trees").await.expect(401).refused("PGRST303");
        assert_eq!(answer.header("www-authenticate"), "Bearer error=\"invalid_token\"");
        another.graphql_by(&token, "{ trees { totalCount } }").await.expect(401).refused("UNAUTHENTICATED");
        let out = async {
            while server.get_by(&token, "/trees").await.status != 401 {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), out).await.expect("shut out here as well");

        assert!(identities::set_disabled(database, zoe, false).await.expect("it is let in"));
        me(&server.another().await, &token).await;
        // Who has a password here is none of these.
        let ann = Uuid::parse_str(&server.person(User).id).expect("a UUID");
        assert!(!identities::set_disabled(database, ann, true).await.expect("an answer"));
        server.get(User, "/auth/me").await.expect(200);
    })
    .await;
}

/// SQLite's file is opened for reading; PostgreSQL's sessions are.
fn read_only(config: &mut Config) {
    config.database.url = config.database.url.expose_secret().replace("mode=rwc", "mode=ro").into();
}

#[tokio::test]
async fn a_first_request_to_a_database_that_takes_no_writes_is_405() {
    let key = "0190a5c8-0000-7000-8000-000000000000";
    for dialect in [Dialect::Sqlite, Dialect::Postgres] {
        let sql = match dialect {
            Dialect::Sqlite => Vec::new(),
            Dialect::Postgres => vec![
                format!("insert into users values ('{key}', null, null, 'user', now(), now())"),
                format!("insert into identities values ('rootstock', 'known', '{key}', now(), null)"),
                "do $$ begin execute format('alter database %I set default_transaction_read_only = on', \
                 current_database()); end $$"
                    .to_owned(),
                "set default_transaction_read_only = on".to_owned(),
            ],
        };
        let setup = Setup { sql, configure: read_only, outside: pinned("p256"), ..Setup::default() };
        let server = start_with(dialect, setup).await;
        let token = of("zoe", json!({}));
        for path in ["/trees", "/auth/me"] {
            server.get_by(&token, path).await.expect(405).refused("25006");
        }
        server.graphql_by(&token, "{ me { id } }").await.refused("UNAVAILABLE");
        server.get(Anonymous, "/trees").await.expect(200);
        if dialect == Dialect::Postgres {
            // A role that cannot be shown is had nevertheless.
            let known = of("known", json!({ "role": "admin" }));
            let seen = server.graphql_by(&known, "{ users { totalCount } }").await.data();
            assert!(seen["users"]["totalCount"].as_u64() > Some(4), "{seen}");
            assert_eq!(me(&server, &known).await["role"], "user");
        }
    }
}

/// With the provider's key alone there is nobody to sign in as.
#[tokio::test]
async fn without_an_own_key_there_are_outside_tokens_alone() {
    let setup = || Setup { outside: pinned("p256"), configure: |config| config.auth.key = None, ..Setup::default() };
    on_both_with(setup, async |server| {
        let good = json!({ "email": "new@example.com", "password": crate::support::PASSWORD });
        for path in ["/auth/register", "/auth/login"] {
            for body in [good.clone(), json!({}), json!([])] {
                server.rest(Anonymous, "POST", path, body).await.expect(404).saying("identity provider");
            }
            server.text(Anonymous, "POST", path, "text/plain", "x").await.expect(404);
        }
        for field in ["register", "login"] {
            let document = format!(
                "mutation {{ {field}(input: {{ email: \"new@example.com\", password: \"{}\" }}) {{ accessToken }} }}",
                crate::support::PASSWORD
            );
            server.graphql(Anonymous, &document, Value::Null).await.refused("NOT_FOUND").saying("identity provider");
        }
        // A token that was good while there was a key.
        server.get(User, "/trees").await.expect(401);
        assert_eq!(me(server, &of("zoe", json!({}))).await["role"], "user");
        server.get(Anonymous, "/trees").await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn without_a_provider_outside_tokens_are_401() {
    on_both(async |server| {
        for name in ["rsa", "p256", "ed25519"] {
            server.get_by(&token(name, &claims("zoe", json!({}))), "/trees").await.expect(401).refused("PGRST301");
        }
    })
    .await;
}

/// No protocol knows the table.
#[tokio::test]
async fn identities_are_no_resource() {
    on_both_trusting(async |server| {
        me(server, &of("zoe", json!({}))).await;
        for path in ["/identities", "/users?select=*,identities(*)", "/users?identities.subject=eq.zoe"] {
            let status = server.get(Admin, path).await.status;
            assert!((400..500).contains(&status), "{path}: {status}");
        }
        server.graphql(Admin, "{ identities { totalCount } }", Value::Null).await.refused("GRAPHQL_VALIDATION_FAILED");
    })
    .await;
}
