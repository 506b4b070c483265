//! Several instances on one database: what one keeps to itself decides nothing, so that any of them may answer any
//! request. Each has its own caches; what they share is the database alone.

use crate::support::{Answer, Caller, Caller::*, Dialect, Server, Setup, on_all, start_with};
use futures_util::future::join_all;
use rootstock::auth::users;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// How soon every instance knows that somebody was shut out.
const PROMISED: Duration = Duration::from_secs(5);

async fn ask(server: &Server, caller: Caller, body: Value) -> Answer {
    server.rest(caller, "POST", "/graphql", body).await
}

/// By protocol a hash that an instance does not know is no failure: the client sends the document, and goes on.
#[tokio::test]
async fn a_document_that_one_instance_keeps_is_sent_again_to_another() {
    on_all(async |one| {
        let two = &one.another().await;
        let query = "{ trees { totalCount } }";
        let hash: String = Sha256::digest(query).iter().map(|byte| format!("{byte:02x}")).collect();
        let extensions = json!({ "persistedQuery": { "version": 1, "sha256Hash": hash } });
        let (named, sent) = (json!({ "extensions": extensions }), json!({ "query": query, "extensions": extensions }));
        ask(one, Anonymous, sent.clone()).await.data();
        ask(one, Anonymous, named.clone()).await.data();
        ask(two, Anonymous, named.clone()).await.refused("PERSISTED_QUERY_NOT_FOUND");
        ask(two, Anonymous, sent).await.data();
        ask(two, Anonymous, named).await.data();
    })
    .await;
}

#[tokio::test]
async fn a_key_of_idempotency_is_good_on_every_instance() {
    on_all(async |one| {
        let two = &one.another().await;
        let post = async |server: &Server, key: &str| {
            let tea = json!({ "title": "Tea", "amount": 4.5 });
            server.rest_with(User, "POST", "/expenses", tea, &[("idempotency-key", key)]).await.expect(201)
        };
        let first = post(one, "k").await;
        let again = post(two, "k").await;
        assert_eq!((again.header("idempotency-replayed"), &again.text), ("true", &first.text));
        // At once, on both.
        let told = join_all((0..8).map(|number| post(if number % 2 == 0 { one } else { two }, "twins"))).await;
        assert!(told.iter().all(|answer| answer.text == told[0].text));
        assert_eq!(two.get(User, "/expenses").await.expect(200).json().as_array().expect("rows").len(), 2);
    })
    .await;
}

#[tokio::test]
async fn who_is_shut_out_or_demoted_is_so_on_every_instance() {
    on_all(async |one| {
        let two = &one.another().await;
        let id = |caller| uuid::Uuid::parse_str(&one.person(caller).id).expect("a UUID");
        // Both know them, and remember it.
        for server in [one, two] {
            server.get(User, "/auth/me").await.expect(200);
            server.rest(Editor, "PATCH", "/trees/1", json!({ "name": "Banyan" })).await.expect(200);
        }
        users::set_disabled(&one.app.database, id(User), true).await.expect("shut out");
        one.rest(Admin, "PATCH", &format!("/users/{}", id(Editor)), json!({ "role": "user" })).await.expect(200);
        let since = Instant::now();
        let refused = async |caller: Caller, method: &str, path: &str, body: Value, status: u16| {
            while two.rest(caller, method, path, body.clone()).await.status != status {
                assert!(since.elapsed() < PROMISED, "{caller:?} may still {method} {path}");
                sleep(Duration::from_millis(100)).await;
            }
        };
        tokio::join!(
            refused(User, "GET", "/auth/me", Value::Null, 401),
            refused(Editor, "PATCH", "/trees/1", json!({ "name": "Fig" }), 403),
        );
    })
    .await;
}

/// Whichever instance a stolen token is used on, its second use ends the session everywhere.
#[tokio::test]
async fn a_token_that_is_used_twice_ends_its_session_on_every_instance() {
    on_all(async |one| {
        let two = &one.another().await;
        let login = json!({ "email": one.person(User).email, "password": crate::support::PASSWORD });
        let session = one.rest(Anonymous, "POST", "/auth/login", login).await.expect(200).json();
        let refresh = async |server: &Server, token: &Value| {
            server.rest(Anonymous, "POST", "/auth/refresh", json!({ "refresh_token": token })).await
        };
        let next = refresh(one, &session["refresh_token"]).await.expect(200).json();
        let third = refresh(two, &next["refresh_token"]).await.expect(200).json();
        refresh(one, &next["refresh_token"]).await.expect(401);
        refresh(two, &third["refresh_token"]).await.expect(401);
        // At once, on both: one of them has it.
        let login = json!({ "email": one.person(User).email, "password": crate::support::PASSWORD });
        let session = two.rest(Anonymous, "POST", "/auth/login", login).await.expect(200).json();
        let token = &session["refresh_token"];
        let both = join_all([one, two].map(|server| refresh(server, token))).await;
        assert_eq!(both.iter().filter(|answer| answer.status == 200).count(), 1);
    })
    .await;
}

/// What an instance gives a client to come back with is good on any other.
#[tokio::test]
async fn cursors_and_states_of_one_instance_are_those_of_another() {
    on_all(async |one| {
        let two = &one.another().await;
        let page = one.data(Anonymous, "{ trees(first: 2, orderBy: [{ name: DESC }]) { nodes { name } pageInfo { endCursor } } }");
        let page = page.await;
        let cursor = page["trees"]["pageInfo"]["endCursor"].as_str().expect("a cursor");
        let next = format!(r#"{{ trees(first: 2, orderBy: [{{ name: DESC }}], after: "{cursor}") {{ nodes {{ name }} }} }}"#);
        let next = two.data(Anonymous, &next).await;
        assert_eq!(
            json!([page["trees"]["nodes"], next["trees"]["nodes"]]),
            json!([[{ "name": "Red Maple" }, { "name": "Quaking Aspen" }], [{ "name": "Banyan" }, { "name": "American Elm" }]])
        );
        let node = one.data(Anonymous, "{ tree(id: 2) { nodeId } }").await;
        let node = format!(r#"{{ node(nodeId: {}) {{ ... on Tree {{ name }} }} }}"#, node["tree"]["nodeId"]);
        assert_eq!(two.data(Anonymous, &node).await["node"]["name"], "Quaking Aspen");

        let state = one.get(Anonymous, "/trees/1").await.expect(200).header("etag").to_owned();
        assert_eq!(two.get(Anonymous, "/trees/1").await.header("etag"), state);
        let seen = [("if-none-match", &*state)];
        two.rest_with(Anonymous, "GET", "/trees/1", Value::Null, &seen).await.expect(304);
        let rename = json!({ "name": "Fig" });
        two.rest_with(Editor, "PATCH", "/trees/1", rename.clone(), &[("if-match", &state)]).await.expect(200);
        one.rest_with(Editor, "PATCH", "/trees/1", rename, &[("if-match", &state)]).await.expect(412);
    })
    .await;
}

/// Limits on attempts are each instance's own, as the documentation says.
#[tokio::test]
async fn attempts_are_counted_by_each_instance() {
    let limited = || Setup {
        configure: |config| config.auth.rate_limit_per_minute = std::num::NonZeroU32::new(2).expect("two"),
        ..Setup::default()
    };
    let one = start_with(Dialect::Postgres, limited()).await;
    let two = one.another_with(limited()).await;
    let attempt = async |server: &Server| {
        let wrong = json!({ "email": "nobody@example.com", "password": "not the password" });
        server.rest(Anonymous, "POST", "/auth/login", wrong).await.status
    };
    assert_eq!([attempt(&one).await, attempt(&one).await, attempt(&one).await], [401, 401, 429]);
    assert_eq!([attempt(&two).await, attempt(&two).await, attempt(&two).await], [401, 401, 429]);
}
