//! Sessions: a refresh token is good once, what comes a second time ends the session, and so does logging out.

use super::signed_in::{SESSION, Way, anns, ask_refresh, assert_ended, log_out, refresh, session, worth};
use crate::support::{Caller::*, PASSWORD, Server, on_all};
use futures_util::future::join_all;
use sea_orm::{ConnectionTrait as _, Statement};
use serde_json::{Value, json};

/// Every text in the table of sessions.
async fn stored(server: &Server) -> Vec<String> {
    let connection = server.app.database.read().await.expect("a connection");
    let texts = "select coalesce(family_hash, '') || ' ' || coalesce(token_hash, '') || ' ' || cast(created_at as text)
                 || ' ' || cast(kept_until as text) as line from sessions";
    let rows = Statement::from_string(connection.get_database_backend(), texts);
    let rows = connection.query_all_raw(rows).await.expect("the sessions");
    rows.iter().map(|row| row.try_get("", "line").expect("a text")).collect()
}

#[tokio::test]
async fn whatever_is_no_good_refresh_token_gets_the_same_words() {
    on_all(async |server| {
        let ann = anns(server).await;
        let half = ann.refresh.len() / 2;
        let (family, secret) = ann.refresh.split_at(half);
        let unknown = "A".repeat(2 * half);
        for way in Way::BOTH {
            let mut told = Vec::new();
            for token in [
                "",
                "nonsense",
                "null",
                &unknown,
                family,
                secret,
                &format!("{secret}{family}"),
                &format!("{} ", ann.refresh),
                &format!("{}=", ann.refresh),
                &ann.refresh.to_lowercase(),
                &"x".repeat(100_000),
                "\u{0}",
                "ä' or '1'='1",
                &ann.access,
            ] {
                let answer = ask_refresh(server, way, token, &[]).await;
                assert_eq!(session(&answer), Err(401), "{token:.80}");
                if way == Way::Rest {
                    assert_eq!(answer.header("www-authenticate"), "Bearer");
                    assert_eq!(answer.header("cache-control"), "no-store");
                }
                assert!(!answer.text.contains(family) && !answer.text.contains(secret), "{}", answer.text);
                told.push(answer.text);
            }
            told.dedup();
            assert_eq!(told.len(), 1, "{told:?}");
        }
        // None of that was a token that had been used.
        refresh(server, Way::Rest, &ann.refresh).await.expect("the good one is good still");
    })
    .await;
}

#[tokio::test]
async fn a_body_that_names_no_token_is_refused_in_its_own_way() {
    on_all(async |server| {
        let (json, form) = ("application/json", "application/x-www-form-urlencoded");
        for path in ["/auth/refresh", "/auth/logout"] {
            for (media, body, status) in [
                (json, "", 400),
                (json, "[]", 400),
                (json, "{}", 422),
                (json, r#"{"refresh_token":null}"#, 422),
                (json, r#"{"refresh_token":7}"#, 422),
                (json, r#"{"refreshToken":"a"}"#, 422),
                (json, r#"{"refresh_token":"a","scope":"b"}"#, 422),
                (form, "grant_type=refresh_token&refresh_token=a", 415),
                ("text/plain", r#"{"refresh_token":"a"}"#, 415),
            ] {
                let answer = server.text(Anonymous, "POST", path, media, body).await.expect(status);
                assert_eq!(answer.header("cache-control"), "no-store", "{path} {media} {body}");
                answer.failure();
            }
            server.get(Anonymous, path).await.expect(405).refused("PGRST117");
        }
        for field in [
            "refresh { accessToken }",
            "logout",
            "refresh(refreshToken: null) { accessToken }",
            "logout(refreshToken: 1)",
        ] {
            let answer = server.graphql(Anonymous, &format!("mutation {{ {field} }}"), Value::Null).await;
            answer.refused("GRAPHQL_VALIDATION_FAILED");
        }
        let variable = "mutation ($t: String!) { logout(refreshToken: $t) }";
        server.graphql(Anonymous, variable, json!({ "t": null })).await.refused("BAD_USER_INPUT");
    })
    .await;
}

#[tokio::test]
async fn a_refresh_gives_other_tokens_in_the_role_of_now() {
    on_all(async |server| {
        let mut held = anns(server).await;
        let mut seen = vec![held.clone()];
        for way in [Way::Rest, Way::GraphQl, Way::Rest, Way::GraphQl] {
            held = refresh(server, way, &held.refresh).await.expect("the next tokens");
            assert!(seen.iter().all(|old| old.access != held.access && old.refresh != held.refresh));
            assert_eq!((worth(server, &held.access).await, held.role.as_str()), (200, "user"));
            seen.push(held.clone());
        }
        // All of them are of one session, and good for their time.
        for old in &seen {
            assert_eq!(worth(server, &old.access).await, 200);
        }
        let ann = uuid::Uuid::parse_str(&server.person(User).id).unwrap();
        rootstock::auth::users::set_role(&server.app.database, ann, "editor").await.unwrap();
        held = refresh(server, Way::Rest, &held.refresh).await.expect("the next tokens");
        assert_eq!(held.role, "editor");
        let claims = base64::Engine::decode(
            &base64::prelude::BASE64_URL_SAFE_NO_PAD,
            held.access.split('.').nth(1).expect("claims"),
        );
        let claims: Value = serde_json::from_slice(&claims.unwrap()).unwrap();
        assert_eq!((&claims["role"], &claims["sub"]), (&json!("editor"), &json!(server.person(User).id)));
    })
    .await;
}

#[tokio::test]
async fn a_session_is_told_in_the_order_of_oauth() {
    on_all(async |server| {
        let ann = anns(server).await;
        let answer = ask_refresh(server, Way::Rest, &ann.refresh, &[]).await.expect(200);
        let body = answer.json();
        let members: Vec<_> = body.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(members, ["access_token", "token_type", "expires_in", "refresh_token", "user"]);
        assert_eq!((&body["token_type"], &body["expires_in"]), (&json!("bearer"), &json!(1800)));
        assert_eq!(body["user"]["email"], "ann@example.com");
        assert_eq!(answer.header("cache-control"), "no-store");
    })
    .await;
}

#[tokio::test]
async fn a_used_token_that_comes_again_ends_its_session() {
    on_all(async |server| {
        for way in Way::BOTH {
            let (first, other) = (anns(server).await, anns(server).await);
            let second = refresh(server, way, &first.refresh).await.expect("the next tokens");
            assert_eq!(worth(server, &second.access).await, 200);
            assert_eq!(refresh(server, way, &first.refresh).await, Err(401));
            assert_ended(server, &[&first, &second]).await;
            // Ann's other session has nothing to do with that.
            assert_eq!(worth(server, &other.access).await, 200);
            refresh(server, way, &other.refresh).await.expect("the other session goes on");
        }
    })
    .await;
}

/// Of those that come at once with one token, one gets the next; the others are told from no thief.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_twenty_refreshes_at_once_one_wins() {
    on_all(async |server| {
        for _ in 0..3 {
            let ann = anns(server).await;
            let at_once = (0..20).map(|number| refresh(server, Way::BOTH[number % 2], &ann.refresh));
            let (won, lost): (Vec<_>, Vec<_>) = join_all(at_once).await.into_iter().partition(Result::is_ok);
            assert_eq!((won.len(), lost.len()), (1, 19), "{lost:?}");
            assert!(lost.iter().all(|outcome| *outcome == Err(401)), "{lost:?}");
            assert_ended(server, &[&ann, won[0].as_ref().expect("the winner's tokens")]).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_session_whose_time_is_over_cannot_be_refreshed_and_is_forgotten() {
    on_all(async |server| {
        let ann = anns(server).await;
        server.sql("update sessions set expires_at = '2020-01-01T00:00:00.000000Z'").await;
        for way in Way::BOTH {
            assert_eq!(refresh(server, way, &ann.refresh).await, Err(401));
        }
        assert_eq!(worth(server, &ann.access).await, 200, "the access token has its own end");
        let before = stored(server).await.len();
        anns(server).await;
        assert_eq!(stored(server).await.len(), before + 1, "a token of it may be good still");
        server.sql("update sessions set kept_until = '2020-01-01T00:00:00.000000Z'").await;
        anns(server).await;
        assert_eq!(stored(server).await.len(), 1, "none is, so the next login deletes it");
    })
    .await;
}

#[tokio::test]
async fn no_token_is_stored() {
    on_all(async |server| {
        let mut held = vec![anns(server).await];
        for way in Way::BOTH {
            held.push(refresh(server, way, &held[held.len() - 1].refresh).await.expect("the next tokens"));
        }
        let stored = stored(server).await.join("\n");
        assert!(stored.len() > 100, "{stored}");
        for tokens in held {
            let (family, secret) = tokens.refresh.split_at(tokens.refresh.len() / 2);
            for part in [family, secret].into_iter().chain(tokens.access.split('.')) {
                assert!(!stored.contains(part), "{part}\n{stored}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn who_is_shut_out_has_no_session_and_gets_none_back() {
    on_all(async |server| {
        let id = uuid::Uuid::parse_str(&server.person(User).id).unwrap();
        let ann = anns(server).await;
        rootstock::auth::users::set_disabled(&server.app.database, id, true).await.unwrap();
        let another = server.another().await;
        assert_eq!(worth(&another, &ann.access).await, 401);
        for way in Way::BOTH {
            assert_eq!(refresh(server, way, &ann.refresh).await, Err(401));
        }
        rootstock::auth::users::set_disabled(&server.app.database, id, false).await.unwrap();
        assert_ended(server, &[&ann]).await;
        assert_eq!(worth(server, &anns(server).await.access).await, 200);
    })
    .await;
}

/// However a row that should be gone came to be there still.
#[tokio::test]
async fn a_session_of_somebody_who_is_shut_out_ends_at_its_refresh() {
    on_all(async |server| {
        for way in Way::BOTH {
            let ann = anns(server).await;
            server.sql("update credentials set disabled_at = '2020-01-01T00:00:00.000000Z'").await;
            assert_eq!(refresh(server, way, &ann.refresh).await, Err(401));
            server.sql("update credentials set disabled_at = null").await;
            assert_ended(server, &[&ann]).await;
        }
    })
    .await;
}

/// What counts is the token in the body; the header may be as old as the reason to refresh.
#[tokio::test]
async fn a_refresh_does_not_look_at_the_header() {
    on_all(async |server| {
        let ended = anns(server).await;
        log_out(server, Way::Rest, &ended.refresh).await;
        let mut held = anns(server).await;
        let stale = format!("Bearer {}", ended.access);
        for header in ["Bearer nonsense", "Basic YTpi", "", &stale] {
            for way in Way::BOTH {
                let answer = ask_refresh(server, way, &held.refresh, &[("authorization", header)]).await;
                held = session(&answer).unwrap_or_else(|status| panic!("{status} for {header}"));
            }
            // Whose session ends is said by the body too, but that is no way to go on.
            let body = json!({ "refresh_token": held.refresh });
            let headers = [("authorization", header)];
            let answer = server.rest_with(Anonymous, "POST", "/auth/logout", body, &headers).await.expect(401);
            assert_eq!(answer.header("cache-control"), "no-store");
            let query = format!("mutation {{ logout(refreshToken: \"{}\") }}", held.refresh);
            let answer = server.rest_with(Anonymous, "POST", "/graphql", json!({ "query": query }), &headers).await;
            answer.expect(401).refused("UNAUTHENTICATED");
        }
        refresh(server, Way::Rest, &held.refresh).await.expect("nothing has ended it");
    })
    .await;
}

#[tokio::test]
async fn logging_out_ends_the_session_and_no_other() {
    on_all(async |server| {
        for way in Way::BOTH {
            let (first, other) = (anns(server).await, anns(server).await);
            let second = refresh(server, way, &first.refresh).await.expect("the next tokens");
            log_out(server, way, &second.refresh).await;
            assert_ended(server, &[&first, &second]).await;
            assert_eq!(worth(server, &other.access).await, 200);

            // One that was used ends its session as well; one that is no token ends nothing, and is told so in no way.
            let next = refresh(server, way, &other.refresh).await.expect("the next tokens");
            for nothing in ["", "nonsense", &second.refresh, &"A".repeat(64), &"x".repeat(100_000)] {
                log_out(server, way, nothing).await;
            }
            assert_eq!(worth(server, &next.access).await, 200);
            log_out(server, way, &other.refresh).await;
            assert_ended(server, &[&other, &next]).await;
        }
        assert_eq!(server.get(User, "/auth/me").await.status, 200);
    })
    .await;
}

#[tokio::test]
async fn what_signs_in_or_out_stands_alone_in_its_document() {
    on_all(async |server| {
        let ann = anns(server).await;
        let token = &ann.refresh;
        let delete = "deleteTree(id: 1) { id }";
        for field in [
            format!("refresh(refreshToken: \"{token}\") {{ tokenType }}"),
            format!("logout(refreshToken: \"{token}\")"),
            format!("changePassword(currentPassword: \"{PASSWORD}\", newPassword: \"orchid tunnel gravel 61\") {{ tokenType }}"),
        ] {
            for document in [format!("mutation {{ {field} {delete} }}"), format!("mutation {{ {delete} {field} }}")] {
                server.graphql(Admin, &document, Value::Null).await.refused("BAD_USER_INPUT").saying("stands alone");
            }
        }
        server.get(Anonymous, "/trees/1").await.expect(200);
        // Beside one another they run one after the other.
        let document = format!(
            "mutation {{ a: refresh(refreshToken: \"{token}\") {SESSION} b: logout(refreshToken: \"{token}\") }}"
        );
        let data = server.graphql(Anonymous, &document, Value::Null).await.data();
        assert_eq!(data["b"], true);
        assert_eq!(worth(server, data["a"]["accessToken"].as_str().unwrap()).await, 401);
    })
    .await;
}
