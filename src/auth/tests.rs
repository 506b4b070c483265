//! Tests of accounts and sessions over a database in memory.

use std::sync::atomic::Ordering;

use argon2::{Algorithm, Argon2, Params, Version, password_hash::PasswordHasher as _};
use axum::http::HeaderValue;
use sea_orm::ConnectionTrait as _;
use secrecy::ExposeSecret as _;

use super::{client::Client, jwt::Claims, password::Passwords, users, *};
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
    let principal = auth.authenticate(Some(&bearer(&session)), None).await.unwrap();
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
    assert_eq!(auth.authenticate(Some(&bearer(&session)), None).await.unwrap().role(), "editor");
    // Another instance, which has not asked yet, stands for this one after the time for which it remembers.
    users::set_disabled(&database, session.user, true).await.unwrap();
    let accounts = accounts::Accounts::new(database.clone());
    let claims = Claims { subject: session.user, session: None, issued_at: Some(u64::MAX >> 1), expires: u64::MAX };
    assert_eq!(accounts.role(&claims).await.unwrap(), None);
    users::set_disabled(&database, session.user, false).await.unwrap();
    assert_eq!(accounts.role(&claims).await.unwrap(), None, "remembered");
    accounts.forget(session.user);
    assert_eq!(accounts.role(&claims).await.unwrap().as_deref(), Some("editor"));
}

/// The key alone is not enough: the session that a token names must be there, and its subject's.
#[tokio::test]
async fn a_session_is_of_one_user() {
    let (auth, database) = auth().await;
    let ada = auth.register(&client(), ada()).await.unwrap();
    let bob = RegisterInput { email: "bob@example.com".into(), password: PASSWORD.into(), name: None };
    let bob = auth.register(&client(), bob).await.unwrap();
    let tokens = auth.own().unwrap();
    let session = tokens.verify(&ada.access_token).unwrap().session.unwrap();
    let accounts = accounts::Accounts::new(database);
    for (user, session, good) in
        [(ada.user, session, true), (bob.user, session, false), (ada.user, uuid::Uuid::now_v7(), false)]
    {
        let token = tokens.issue(user, "admin", session, std::time::Duration::from_secs(60)).unwrap();
        let claims = tokens.verify(&token).unwrap();
        assert_eq!(accounts.role(&claims).await.unwrap().as_deref(), good.then_some("user"));
    }
}

/// Somebody else who has the key signs tokens that name no session: they end with the sessions all the same.
#[tokio::test]
async fn a_token_without_a_session_must_be_younger_than_the_last_end_of_all() {
    let (auth, database) = auth().await;
    let session = auth.register(&client(), ada()).await.unwrap();
    let role = async |issued_at| {
        let claims = Claims { subject: session.user, session: None, issued_at, expires: u64::MAX };
        accounts::Accounts::new(database.clone()).role(&claims).await.unwrap()
    };
    let now = u64::try_from(users::now().timestamp()).unwrap();
    assert_eq!(role(None).await.as_deref(), Some("user"), "nothing has ended yet");
    users::set_disabled(&database, session.user, true).await.unwrap();
    users::set_disabled(&database, session.user, false).await.unwrap();
    for (issued_at, good) in [(None, false), (Some(0), false), (Some(now), false), (Some(now + 60), true)] {
        assert_eq!(role(issued_at).await.is_some(), good, "{issued_at:?}");
    }
}

/// Counted, since time tells nothing on a busy machine: every failed login is one piece of work, of one size.
#[tokio::test]
async fn a_failed_login_costs_the_same_whoever_it_is_for() {
    let (auth, database) = auth().await;
    let session = auth.register(&client(), ada()).await.unwrap();
    let work = async |email: &str, password: &str| {
        let begun = || auth.shared.passwords.begun.load(Ordering::Relaxed);
        let before = begun();
        auth.login(&client(), email, password.into()).await.unwrap_err();
        begun() - before
    };
    for email in ["ada@example.com", "bob@example.com", "no address", ""] {
        assert_eq!(work(email, "wrong").await, 1, "{email}");
    }
    users::set_disabled(&database, session.user, true).await.unwrap();
    assert_eq!(work("ada@example.com", PASSWORD).await, 1, "shut out");
    run(&database, "delete from credentials").await;
    assert_eq!(work("ada@example.com", PASSWORD).await, 1, "without a password");
}

#[tokio::test]
async fn a_login_makes_an_outdated_hash_anew_and_ends_no_session() {
    let (auth, database) = auth().await;
    let session = auth.register(&client(), ada()).await.unwrap();
    // Of today's password, by parameters of yesterday.
    let old = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(64, 1, 1, None).unwrap());
    let old = old.hash_password(PASSWORD.as_bytes()).unwrap().to_string();
    run(&database, &format!("update credentials set password_hash = '{old}'")).await;
    let hash = async || {
        let user = users::by_id(&database, session.user).await.unwrap().unwrap();
        user.password_hash.unwrap().expose_secret().to_owned()
    };
    auth.login(&client(), "ada@example.com", "wrong".into()).await.unwrap_err();
    assert_eq!(hash().await, old, "only who knows the password can");
    auth.login(&client(), "ada@example.com", PASSWORD.into()).await.unwrap();
    let new = hash().await;
    assert!(new.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{new}");
    auth.login(&client(), "ada@example.com", PASSWORD.into()).await.unwrap();
    assert_eq!(hash().await, new);
    assert!(auth.authenticate(Some(&bearer(&session)), None).await.is_ok());
    auth.refresh(&client(), session.refresh_token.expose()).await.unwrap();
}

#[tokio::test]
async fn a_bad_header_is_never_anonymous() {
    let (auth, _) = auth().await;
    assert!(auth.authenticate(None, None).await.unwrap().is_anonymous());
    let token = auth.register(&client(), ada()).await.unwrap().access_token;
    for good in [format!("Bearer {token}"), format!("bearer  {token}")] {
        assert!(auth.authenticate(Some(&good.parse().unwrap()), None).await.is_ok(), "{good}");
    }
    for bad in ["", "Bearer", "Bearer ", "Basic eDp5", &token, &format!("Bearer {token} {token}"), "Bearer null"] {
        let error = auth.authenticate(Some(&bad.parse().unwrap()), None).await.unwrap_err();
        assert_eq!(error.kind, Kind::Unauthenticated, "{bad}");
    }
    assert!(auth.authenticate(Some(&HeaderValue::from_bytes(b"Bearer \xff").unwrap()), None).await.is_err());
}

#[tokio::test]
async fn a_name_and_a_password_are_changed_and_the_time_of_it_moves_on() {
    let (auth, database) = auth().await;
    let session = auth.register(&client(), ada()).await.unwrap();
    auth.rename(session.user, None).await.unwrap();
    assert_eq!(users::by_id(&database, session.user).await.unwrap().unwrap().name, None);
    assert_eq!(fields(&auth.rename(session.user, Some("a".repeat(201))).await.unwrap_err()), ["name"]);
    let hash = Passwords::new().hash_new("orchid tunnel gravel 61".into(), vec![], "password").await.unwrap();
    users::reset_password(&database, session.user, hash).await.unwrap();
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
        ["argon2", PASSWORD, &session.access_token, session.refresh_token.expose()]
            .iter()
            .all(|secret| !shown.contains(secret)),
        "{shown}"
    );
}

/// Where everybody comes from.
fn client() -> Client {
    Client { address: [192, 0, 2, 1].into(), request_id: HeaderValue::from_static("id") }
}

/// Runs a statement for what no request can do.
async fn run(database: &Database, statement: &str) {
    let transaction = database.begin().await.unwrap();
    transaction.execute_unprepared(statement).await.unwrap();
    transaction.commit().await.unwrap();
}
