//! Another password: who knows the old one may choose a new one, and what was opened by the old one ends.

use super::signed_in::{Tokens, Way, anns, assert_ended, log_in, refresh, session, worth};
use crate::support::{Answer, Caller::*, PASSWORD, Server, on_both};
use futures_util::future::join_all;
use serde_json::{Value, json};

const NEW: &str = "orchid tunnel gravel 61";

async fn change(server: &Server, way: Way, access: &str, current: &str, new: &str) -> Answer {
    let document = "mutation ($current: String!, $new: String!) { changePassword(currentPassword: $current,
        newPassword: $new) { accessToken refreshToken user { role email } } }";
    let (path, body) = match way {
        Way::Rest => ("/auth/password", json!({ "current_password": current, "new_password": new })),
        Way::GraphQl => ("/graphql", json!({ "query": document, "variables": { "current": current, "new": new } })),
    };
    server.send(server.request(Anonymous, "POST", path).bearer_auth(access).json(&body)).await
}

#[tokio::test]
async fn a_wrong_current_password_changes_nothing() {
    on_both(async |server| {
        let ann = anns(server).await;
        for way in Way::BOTH {
            let mut told = Vec::new();
            for wrong in ["", "wrong", NEW, &PASSWORD.to_uppercase(), &format!("{PASSWORD} "), "\u{0}"] {
                // Whether the new one would do is told to nobody who does not know the old one.
                for new in [NEW, "weak"] {
                    let answer = change(server, way, &ann.access, wrong, new).await;
                    assert_eq!(session(&answer), Err(401), "{wrong:?}");
                    told.push(answer.text);
                }
            }
            told.dedup();
            assert_eq!(told.len(), 1, "{told:?}");
        }
        assert_eq!(log_in(server, "ann@example.com", NEW).await, Err(401));
        assert_eq!(worth(server, &ann.access).await, 200);
        refresh(server, Way::Rest, &ann.refresh).await.expect("nothing has ended");
    })
    .await;
}

#[tokio::test]
async fn nobody_and_a_bad_token_change_no_password() {
    on_both(async |server| {
        for way in Way::BOTH {
            for access in ["nonsense", "", "a.b.c"] {
                assert_eq!(session(&change(server, way, access, PASSWORD, NEW).await), Err(401), "{access}");
            }
        }
        let body = json!({ "current_password": PASSWORD, "new_password": NEW });
        let answer = server.rest(Anonymous, "POST", "/auth/password", body).await.expect(401);
        assert_eq!((answer.header("www-authenticate"), answer.header("cache-control")), ("Bearer", "no-store"));
        let document = format!(
            "mutation {{ changePassword(currentPassword: \"{PASSWORD}\", newPassword: \"{NEW}\") {{ tokenType }} }}"
        );
        server.graphql(Anonymous, &document, Value::Null).await.refused("UNAUTHENTICATED");
    })
    .await;
}

/// Who the caller is counts for what can be guessed.
#[tokio::test]
async fn a_weak_new_password_is_refused_by_field() {
    on_both(async |server| {
        let ann = anns(server).await;
        let long = "n".repeat(129);
        for weak in ["", "short", "password1234", "ann@example.com", "aaaaaaaaaaaaaaaa", &long] {
            for (way, field) in [(Way::Rest, "new_password"), (Way::GraphQl, "newPassword")] {
                let answer = change(server, way, &ann.access, PASSWORD, weak).await;
                assert_eq!(session(&answer), Err(422), "{weak}");
                let answer = answer.saying(field);
                match way {
                    Way::Rest => assert!(answer.json()["details"].as_str().unwrap().starts_with(field)),
                    Way::GraphQl => assert_eq!(answer.errors()[0]["extensions"]["field"], field),
                }
            }
        }
        let request = async |body: Value| {
            let request = server.request(Anonymous, "POST", "/auth/password").bearer_auth(&ann.access);
            server.send(request.json(&body)).await
        };
        for (body, status) in [
            (json!({ "new_password": NEW }), 422),
            (json!({ "current_password": PASSWORD }), 422),
            (json!({ "current_password": 1, "new_password": NEW }), 422),
            (json!({ "current_password": PASSWORD, "new_password": NEW, "user_id": server.person(Other).id }), 422),
            (json!([]), 400),
        ] {
            request(body).await.expect(status);
        }
        assert_eq!(worth(server, &ann.access).await, 200);
        anns(server).await;
    })
    .await;
}

#[tokio::test]
async fn a_new_password_ends_all_other_sessions_and_opens_one() {
    on_both(async |server| {
        for (way, old, new) in [(Way::Rest, PASSWORD, NEW), (Way::GraphQl, NEW, PASSWORD)] {
            let by_old = async || log_in(server, "ann@example.com", old).await;
            let (used, other) = (by_old().await.expect("a session"), by_old().await.expect("a session"));
            let next = refresh(server, way, &used.refresh).await.expect("the next tokens");
            let bob = log_in(server, "bob@example.com", PASSWORD).await.expect("a session of Bob's");
            for held in [&used, &next, &other, &bob] {
                assert_eq!(worth(server, &held.access).await, 200);
            }
            let answer = change(server, way, &next.access, old, new).await.expect(200);
            if way == Way::Rest {
                assert_eq!(answer.header("cache-control"), "no-store");
            }
            let fresh: Tokens = session(&answer).expect("a new session");
            assert_ended(server, &[&used, &next, &other]).await;
            assert_eq!(by_old().await, Err(401));
            for held in [&fresh, &bob] {
                assert_eq!(worth(server, &held.access).await, 200);
                refresh(server, way, &held.refresh).await.expect("it goes on");
            }
            assert_eq!(fresh.role, "user");
            log_in(server, "ann@example.com", new).await.expect("the new password is good");
        }
        // The session of the test's own beginning was one of them.
        server.get(User, "/auth/me").await.expect(401);
    })
    .await;
}

/// Whatever runs beside the change, nothing that the old password has opened is there after it.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_session_outlives_the_password_that_opened_it() {
    on_both(async |server| {
        let ann = anns(server).await;
        let mut chain = anns(server).await;
        let change = async { session(&change(server, Way::Rest, &ann.access, PASSWORD, NEW).await) };
        let logins = join_all((0..12).map(|_| log_in(server, "ann@example.com", PASSWORD)));
        let refreshes = async {
            let mut seen = vec![chain.clone()];
            while let Ok(next) = refresh(server, Way::Rest, &chain.refresh).await {
                chain = next;
                seen.push(chain.clone());
            }
            seen
        };
        let (changed, logins, seen) = tokio::join!(change, logins, refreshes);
        let changed = changed.expect("the password is changed");
        let another = server.another().await;
        let opened = logins.iter().flatten().chain(&seen).chain([&ann]);
        for old in opened {
            assert_eq!(worth(&another, &old.access).await, 401);
            assert_eq!(refresh(server, Way::Rest, &old.refresh).await, Err(401));
        }
        assert_eq!(worth(&another, &changed.access).await, 200);
    })
    .await;
}

/// Two who change it at once: one has, and the other has come with a password that is not the current one any more.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_changes_at_once_one_counts() {
    on_both(async |server| {
        let ann = anns(server).await;
        let new = ["orchid tunnel gravel 61", "pewter lantern ditch 38"];
        let both = join_all(new.map(|new| change(server, Way::Rest, &ann.access, PASSWORD, new))).await;
        let both: Vec<_> = both.iter().map(session).collect();
        assert_eq!(both.iter().filter(|outcome| outcome.is_ok()).count(), 1, "{both:?}");
        for (outcome, new) in both.iter().zip(new) {
            assert_eq!(log_in(server, "ann@example.com", new).await.is_ok(), outcome.is_ok());
        }
    })
    .await;
}
