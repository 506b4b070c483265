//! The audit, as the real program writes it: what happens to accounts and sessions, over HTTP and from the shell.

use reqwest::Client;
use serde_json::{Value, json};

use crate::{
    command::{OTHER_PASSWORD, PASSWORD, refresh, session, sign_in},
    program::Place,
};

/// One line an event, with ids alone: no address for e-mail, no password, no token.
#[tokio::test]
async fn the_audit_has_a_line_for_all_that_happens_to_an_account() {
    let place = Place::empty();
    place.succeeds(&["migrate", "up"]);
    let events = |log: &str| -> Vec<Value> {
        let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        lines.filter(|line| line["target"] == "rootstock::audit").collect()
    };
    let names = |events: &[Value]| -> Vec<String> {
        events.iter().map(|event| event["auth.event"].as_str().expect("a name").to_owned()).collect()
    };
    let create = ["user", "create", "--email", "ada@example.com", "--password-stdin"];
    let created = place.run_with(&create, PASSWORD);
    let (id, shell) = (created.out.trim(), events(&created.err));
    assert_eq!(names(&shell), ["registered"], "{created:?}");
    assert_eq!(shell[0]["user.id"], id);

    let server = place.serve();
    let base = &server.base;
    let first = sign_in(base, "ada@example.com", PASSWORD).await.expect("a session");
    for (email, password) in [("ada@example.com", "wrong"), ("nobody@example.com", PASSWORD)] {
        sign_in(base, email, password).await.expect_err("no session");
    }
    let next = refresh(base, &first).await.expect("the next tokens");
    refresh(base, &first).await.expect_err("it is used");
    refresh(base, &next).await.expect_err("the session has ended");
    let other = sign_in(base, "ada@example.com", PASSWORD).await.expect("a session");
    let post = async |path: &str, access: &str, body: Value| {
        let request = Client::new().post(format!("{base}{path}")).bearer_auth(access).json(&body);
        request.send().await.expect("an answer").status().as_u16()
    };
    let access = other["access_token"].as_str().expect("a token");
    let change = |current| json!({ "current_password": current, "new_password": OTHER_PASSWORD });
    assert_eq!(post("/auth/password", access, change("wrong")).await, 401);
    assert_eq!(post("/auth/password", access, change(PASSWORD)).await, 200);
    assert_eq!(post("/auth/password", "nonsense", change(PASSWORD)).await, 401);
    let last = sign_in(base, "ada@example.com", OTHER_PASSWORD).await.expect("a session");
    let access = last["access_token"].as_str().expect("a token");
    let leave = json!({ "refresh_token": last["refresh_token"] });
    assert_eq!(post("/auth/logout", access, leave).await, 204);
    let register = json!({ "email": "bob@example.com", "password": PASSWORD });
    session(base, "register", register).await.expect_err("made, and not 200");
    // The header of somebody who signs in is beside the point.
    let login = json!({ "email": "ada@example.com", "password": OTHER_PASSWORD });
    assert_eq!(post("/auth/login", "nonsense", login).await, 200);

    let log = server.terminate().err;
    let audit = events(&log);
    assert_eq!(
        names(&audit),
        [
            "signed_in",
            "sign_in_failed",
            "sign_in_failed",
            "refreshed",
            "refresh_reused",
            "refresh_failed",
            "signed_in",
            "password_change_failed",
            "password_changed",
            "token_refused",
            "signed_in",
            "signed_out",
            "registered",
            "signed_in",
        ],
        "{log}"
    );
    for event in &audit {
        assert_eq!(event["client.address"], "127.0.0.1", "{event}");
        assert!(event["request.id"].as_str().is_some_and(|id| !id.is_empty()), "{event}");
    }
    // Who is known is named, and nobody else.
    let named = |number: usize| audit[number]["user.id"] == id;
    assert!((0..14).all(|number| named(number) != [2, 5, 9, 12].contains(&number)), "{log}");
    for secret in ["@example.com", PASSWORD, OTHER_PASSWORD, access, last["refresh_token"].as_str().expect("a token")] {
        assert!(!log.contains(secret), "{secret} is in the log:\n{log}");
    }

    for (arguments, input, event) in [
        (vec!["user", "promote", "ada@example.com", "editor"], "", "role_changed"),
        (vec!["user", "reset-password", "ada@example.com", "--password-stdin"], PASSWORD, "password_reset"),
        (vec!["token", "--user", "ada@example.com"], "", "token_minted"),
        (vec!["user", "disable", "ada@example.com"], "", "disabled"),
        (vec!["user", "enable", "ada@example.com"], "", "enabled"),
    ] {
        let shell = events(&place.run_with(&arguments, input).err);
        assert_eq!((names(&shell), &shell[0]["user.id"]), (vec![event.to_owned()], &json!(id)));
    }
}
