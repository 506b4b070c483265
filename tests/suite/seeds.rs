//! The commands of two well-known tutorials, word for word, by real `curl`: trees for everybody and for a role, by
//! PostgREST's spelling; and a tracker of expenses with register, login and classic CRUD.

use crate::{
    clients::run,
    support::{Caller::*, PASSWORD, Server, on_both},
};
use serde_json::{Value, json};
use std::process::Command;

/// What `curl` printed, and the status.
struct Printed {
    command: String,
    status: u16,
    headers: String,
    body: String,
}

impl Printed {
    #[track_caller]
    fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}\n{}\n{}", self.command, self.headers, self.body);
        self
    }

    #[track_caller]
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}\n{}\n{}", self.command, self.body))
    }

    /// A header, by its name in lower case.
    fn header(&self, name: &str) -> Option<&str> {
        let lines = self.headers.lines().filter_map(|line| line.split_once(": "));
        lines.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim_end())
    }
}

/// Runs a command line as a shell does, in which `$HOST` is the server and `$TOKEN` a token.
async fn shell(server: &Server, token: &str, command: &str) -> Printed {
    let folder = tempfile::tempdir().expect("a folder");
    let mut sh = Command::new("sh");
    // The command stays what it is: where the headers and the status go is curl's own configuration.
    let config = "silent\nshow-error\ndump-header = \"headers\"\nmax-time = 30\n";
    std::fs::write(folder.path().join(".curlrc"), config).expect("curl's configuration");
    sh.args(["-c", command]).current_dir(folder.path());
    sh.env("CURL_HOME", folder.path()).env("HOST", &server.url).env("TOKEN", token).env("PASSWORD", PASSWORD);
    sh.env_remove("http_proxy").env_remove("HTTP_PROXY").env_remove("all_proxy").env_remove("ALL_PROXY");
    let output = run(sh).await;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{command}\n{}", text(&output.stderr));
    let headers = std::fs::read_to_string(folder.path().join("headers")).expect("the headers");
    let status = headers.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    Printed { command: command.to_owned(), status, headers, body: text(&output.stdout) }
}

const TREES: &str = r#"[{"id":1,"name":"Banyan","species":"Ficus benghalensis"},{"id":2,"name":"Quaking Aspen","species":"Populus tremula"},{"id":3,"name":"American Elm","species":"Ulmus americana"},{"id":4,"name":"Red Maple","species":"Acer rubrum"}]"#;

#[tokio::test]
async fn the_trees_are_there_for_everybody() {
    on_both(async |server| {
        let curl = async |command: &str| shell(server, "", command).await;
        let all = curl("curl $HOST/trees").await.expect(200);
        assert_eq!(all.body, TREES);
        assert_eq!(all.header("content-type"), Some("application/json; charset=utf-8"));
        assert_eq!(all.header("content-range"), Some("0-3/*"));
        assert_eq!(curl("curl $HOST/trees/").await.expect(200).body, TREES);
        for one in ["curl $HOST/trees?id=eq.1", "curl \"$HOST/trees?id=eq.1\"", "curl -X GET \"$HOST/trees?id=eq.1\""] {
            let banyan = json!([{ "id": 1, "name": "Banyan", "species": "Ficus benghalensis" }]);
            assert_eq!(curl(one).await.expect(200).json(), banyan);
        }
        let named = curl("curl \"$HOST/trees?select=name,species&order=name.desc\"").await.expect(200);
        let names: Vec<_> = named.json().as_array().expect("rows").iter().map(|row| row["name"].clone()).collect();
        assert_eq!(names, ["Red Maple", "Quaking Aspen", "Banyan", "American Elm"]);
        assert_eq!(named.json()[0], json!({ "name": "Red Maple", "species": "Acer rubrum" }));
        let found = curl("curl \"$HOST/trees?name=like.*Maple*&select=id\"").await.expect(200);
        assert_eq!(found.json(), json!([{ "id": 4 }]));
        let head = curl("curl -I $HOST/trees").await.expect(200);
        assert_eq!(head.header("content-range"), Some("0-3/*"));
        assert_eq!(curl("curl $HOST/tree").await.expect(404).json()["code"], "PGRST205");
    })
    .await;
}

#[tokio::test]
async fn a_role_in_the_token_plants_a_tree() {
    const PLANT: &str = r#"curl $HOST/trees -X POST -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" -d '{"name":"Weeping Willow","species":"Salix babylonica"}'"#;
    on_both(async |server| {
        let anonymous = r#"curl $HOST/trees -X POST -H "Content-Type: application/json" -d '{"name":"Weeping Willow","species":"Salix babylonica"}'"#;
        let refused = shell(server, "", anonymous).await.expect(401);
        assert_eq!(refused.header("www-authenticate"), Some("Bearer"));
        let bad = shell(server, "not.a.token", PLANT).await.expect(401);
        assert!(bad.header("www-authenticate").is_some_and(|value| value.starts_with("Bearer")), "{}", bad.headers);
        assert_eq!(shell(server, &server.person(User).token, PLANT).await.expect(403).json()["code"], "42501");
        assert_eq!(shell(server, "", "curl $HOST/trees").await.expect(200).body, TREES);

        let planted = shell(server, &server.person(Editor).token, PLANT).await.expect(201);
        let willow = json!({ "id": 5, "name": "Weeping Willow", "species": "Salix babylonica" });
        assert_eq!(planted.json(), willow);
        assert_eq!(planted.header("location"), Some("/trees/5"));
        let told = PLANT.replace("-X POST", "-X POST -H \"Prefer: return=representation\"");
        let told = shell(server, &server.person(Editor).token, &told).await.expect(201);
        assert_eq!(told.json(), json!([{ "id": 6, "name": "Weeping Willow", "species": "Salix babylonica" }]));
        let felled = r#"curl "$HOST/trees?id=eq.6" -X DELETE -H "Authorization: Bearer $TOKEN""#;
        assert_eq!(shell(server, &server.person(Editor).token, felled).await.expect(204).body, "");
        assert_eq!(shell(server, "", "curl $HOST/trees?id=eq.5").await.expect(200).json(), json!([willow]));
        assert_eq!(shell(server, "", "curl $HOST/trees?id=eq.6").await.expect(200).body, "[]");
    })
    .await;
}

#[tokio::test]
async fn expenses_are_tracked_by_who_has_signed_in() {
    on_both(async |server| {
        let curl = async |token: &str, command: &str| shell(server, token, command).await;
        let register = r#"curl -X POST "$HOST/auth/register" -H "Content-Type: application/json" -d '{"email":"user@example.com","password":"'$PASSWORD'"}'"#;
        let session = curl("", register).await.expect(201).json();
        assert_eq!(session["user"]["email"], "user@example.com");
        curl("", register).await.expect(409);
        let login = r#"curl -X POST "$HOST/auth/login" -H "Content-Type: application/json" -d '{"email":"user@example.com","password":"'$PASSWORD'"}'"#;
        let session = curl("", login).await.expect(200).json();
        assert_eq!(session["token_type"], "bearer");
        let token = session["access_token"].as_str().expect("a token");
        let form = r#"curl -X POST "$HOST/auth/login" -d "username=user@example.com" -d "password=$PASSWORD""#;
        assert!(curl("", form).await.expect(200).json()["access_token"].is_string());
        let wrong = form.replace("$PASSWORD", "wrong");
        assert!(curl("", &wrong).await.expect(401).header("www-authenticate").is_some());

        for command in [
            "curl $HOST/expenses/",
            r#"curl -X POST $HOST/expenses/ -H "Content-Type: application/json" -d '{"title":"Lunch","amount":45.58}'"#,
            "curl $HOST/expenses/01939d5c-7c5e-7cc0-8e5b-3d9c5f5b2a10",
        ] {
            let refused = curl("", command).await.expect(401);
            assert_eq!(refused.header("www-authenticate"), Some("Bearer"), "{command}");
        }

        let create = r#"curl -X POST "$HOST/expenses/" -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" -d '{"title":"Groceries","description":"Weekly shopping","amount":45.58,"category":"Food"}'"#;
        let created = curl(token, create).await.expect(201);
        let row = created.json();
        let id = row["id"].as_str().expect("a key");
        assert_eq!(created.header("location"), Some(format!("/expenses/{id}").as_str()));
        assert!(created.body.contains(r#""amount":45.58"#), "{}", created.body);
        let list = r#"curl "$HOST/expenses/" -H "Authorization: Bearer $TOKEN""#;
        assert_eq!(curl(token, list).await.expect(200).json(), json!([row]));
        for slash in ["", "/"] {
            let read = format!(r#"curl "$HOST/expenses/{id}{slash}" -H "Authorization: Bearer $TOKEN""#);
            assert_eq!(curl(token, &read).await.expect(200).json(), row);
        }

        let replace = format!(
            r#"curl -X PUT "$HOST/expenses/{id}/" -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" -d '{{"title":"Groceries","amount":50.00,"category":"Food"}}'"#
        );
        let replaced = curl(token, &replace).await.expect(200);
        assert!(replaced.body.contains(r#""amount":50.00"#), "{}", replaced.body);
        assert_eq!(replaced.json()["description"], Value::Null);
        let wrong = create.replace("45.58", "\"much\"");
        assert!(matches!(curl(token, &wrong).await.status, 400 | 422));
        curl(token, &create.replace("45.58", "-0.001")).await.expect(422);

        // Somebody else's row is not there.
        let other = &server.person(Other).token;
        let read = format!(r#"curl "$HOST/expenses/{id}/" -H "Authorization: Bearer $TOKEN""#);
        curl(other, &read).await.expect(404);
        curl(other, &replace).await.expect(404);
        let delete = format!(r#"curl -X DELETE "$HOST/expenses/{id}/" -H "Authorization: Bearer $TOKEN""#);
        curl(other, &delete).await.expect(404);
        assert_eq!(curl(token, &delete).await.expect(204).body, "");
        curl(token, &delete).await.expect(404);
        curl(token, &read).await.expect(404);
        assert_eq!(curl(token, list).await.expect(200).body, "[]");
    })
    .await;
}
