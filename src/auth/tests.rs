//! Tests of accounts and sessions over a database in memory.

use axum::http::HeaderValue;

use super::{client::Client, password::Passwords, users, *};
use crate::{
    config::Config,
    engine::database::Database,
    error::{Error, Kind},
};

const PASSWORD: &str = "violet kettle ambush 94";

async fn auth() -> (Auth, Database) {
    let config = Config::for_tests("sqlite::memory:").unwrap();
    let database = Database::connect(&config.database).await.unwrap();
    database.migrate::<migration::Migrator>(crate::engine::database::Migrate::Up).await.unwrap();
    (Auth::new(&config.auth, database.clone()), database)
}

fn ada() -> RegisterInput {
    RegisterInput { email: " Ada@Example.com ".into(), password: PASSWORD.into(), name: Some("Ada".into()) }
}

fn bearer(session: &Session) -> HeaderValue {
    format!("Bearer {}", session.access_token).parse().unwrap()
}

fn fields(error: &Error) -> Vec<&str> {
    error.problems.iter().map(|problem| problem.field.as_str()).collect()
}

#[tokio::test]
async fn who_registers_signs_in_by_any_spelling_of_the_address() {
    let (auth, database) = auth().await;
    let registered = auth.register(&client(), ada()).await.unwrap();
    assert_eq!((registered.role.as_str(), registered.expires_in), ("user", 1800));
    let session = auth.login(&client(), "ADA@example.COM", PASSWORD.into()).await.unwrap();
    assert_eq!(session.user, registered.user);
    let principal = auth.authenticate(Some(&bearer(&session))).await.unwrap();
    assert_eq!(principal, session.principal());
    let user = users::by_id(&database, session.user).await.unwrap().unwrap();
    assert_eq!(user.email.as_deref(), Some("Ada@Example.com"), "its own spelling is kept");
    assert_eq!(user.id.get_version_num(), 7);
}

#[tokio::test]
async fn an_address_is_taken_without_regard_to_case() {
    let (auth, database) = auth().await;
    auth.register(&client(), ada()).await.unwrap();
    let error = auth.register(&client(), RegisterInput { email: "ada@example.com".into(), ..ada() }).await.unwrap_err();
    assert_eq!((error.kind, error.code.as_ref()), (Kind::Conflict, "23505"));
    assert_eq!(fields(&error), ["email"]);
    assert_eq!(users::all(&database).await.unwrap().len(), 1);
}

#[tokio::test]
async fn everything_wrong_with_a_registration_is_named_at_once() {
    let (auth, database) = auth().await;
    let input = RegisterInput { email: "ada".into(), password: "short".into(), name: Some(" ".into()) };
    assert_eq!(fields(&auth.register(&client(), input).await.unwrap_err()), ["email", "name", "password"]);
    assert!(users::all(&database).await.unwrap().is_empty());
}

#[tokio::test]
async fn every_failed_login_has_the_same_words() {
    let (auth, database) = auth().await;
    let session = auth.register(&client(), ada()).await.unwrap();
    let wrong = auth.login(&client(), "ada@example.com", "wrong".into()).await.unwrap_err();
    assert_eq!(wrong.kind, Kind::Unauthenticated);
    users::set_disabled(&database, session.user, true).await.unwrap();
    for (email, password) in [("ada@example.com", PASSWORD), ("bob@example.com", PASSWORD), ("\0", ""), ("", "")] {
        let error = auth.login(&client(), email, password.into()).await.unwrap_err();
        assert_eq!((error.kind, &error.code, &error.message), (wrong.kind, &wrong.code, &wrong.message), "{email:?}");
        assert_eq!((&error.details, &error.hint), (&None, &None));
    }
    users::set_disabled(&database, session.user, false).await.unwrap();
    auth.login(&client(), "ada@example.com", PASSWORD.into()).await.unwrap();
}

#[tokio::test]
async fn the_database_decides_what_a_token_is_worth() {
    let (auth, database) = auth().await;
    let session = auth.register(&client(), ada()).await.unwrap();
    users::set_role(&database, session.user, "editor").await.unwrap();
    assert_eq!(auth.authenticate(Some(&bearer(&session))).await.unwrap().role(), "editor");
    // Another instance, which has not asked yet, stands for this one after the time for which it remembers.
    users::set_disabled(&database, session.user, true).await.unwrap();
    let accounts = accounts::Accounts::new(database.clone());
    assert_eq!(accounts.role(session.user).await.unwrap(), None);
    users::set_disabled(&database, session.user, false).await.unwrap();
    assert_eq!(accounts.role(session.user).await.unwrap(), None, "remembered");
    accounts.forget(session.user);
    assert_eq!(accounts.role(session.user).await.unwrap().as_deref(), Some("editor"));
}

#[tokio::test]
async fn a_bad_header_is_never_anonymous() {
    let (auth, _) = auth().await;
    assert!(auth.authenticate(None).await.unwrap().is_anonymous());
    let token = auth.register(&client(), ada()).await.unwrap().access_token;
    for good in [format!("Bearer {token}"), format!("bearer  {token}")] {
        assert!(auth.authenticate(Some(&good.parse().unwrap())).await.is_ok(), "{good}");
    }
    for bad in ["", "Bearer", "Bearer ", "Basic eDp5", &token, &format!("Bearer {token} {token}"), "Bearer null"] {
        let error = auth.authenticate(Some(&bad.parse().unwrap())).await.unwrap_err();
        assert_eq!(error.kind, Kind::Unauthenticated, "{bad}");
    }
    assert!(auth.authenticate(Some(&HeaderValue::from_bytes(b"Bearer \xff").unwrap())).await.is_err());
}

#[tokio::test]
async fn a_name_and_a_password_are_changed_and_the_time_of_it_moves_on() {
    let (auth, database) = auth().await;
    let session = auth.register(&client(), ada()).await.unwrap();
    auth.rename(session.user, None).await.unwrap();
    assert_eq!(users::by_id(&database, session.user).await.unwrap().unwrap().name, None);
    assert_eq!(fields(&auth.rename(session.user, Some("a".repeat(201))).await.unwrap_err()), ["name"]);
    let hash = Passwords::new().hash_new("orchid tunnel gravel 61".into(), vec![]).await.unwrap();
    users::set_password_hash(&database, session.user, hash).await.unwrap();
    assert!(auth.login(&client(), "ada@example.com", PASSWORD.into()).await.is_err());
    auth.login(&client(), "ada@example.com", "orchid tunnel gravel 61".into()).await.unwrap();
    let nobody = users::set_disabled(&database, uuid::Uuid::now_v7(), true).await.unwrap_err();
    assert_eq!(nobody.kind, Kind::NotFound);
}

#[tokio::test]
async fn nothing_secret_is_shown_by_debug() {
    let (auth, database) = auth().await;
    let session = auth.register(&client(), ada()).await.unwrap();
    let user = users::by_id(&database, session.user).await.unwrap().unwrap();
    let shown = format!("{auth:?} {session:?} {user:?} {:?}", ada());
    assert!(
        !shown.contains("argon2") && !shown.contains(&session.access_token) && !shown.contains(PASSWORD),
        "{shown}"
    );
}

/// Where everybody comes from.
fn client() -> Client {
    Client { address: [192, 0, 2, 1].into(), request_id: HeaderValue::from_static("id") }
}
