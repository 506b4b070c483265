//! Accounts: registering, signing in and asking who one is, over REST and as GraphQL mutations.

use crate::support::{Caller::*, PASSWORD, Server, on_both};
use serde_json::{Value, json};

/// A body for registering, with `changes` to a good one.
fn registration(changes: Value) -> Value {
    let mut body = json!({ "email": "new@example.com", "password": PASSWORD });
    for (name, value) in changes.as_object().expect("an object") {
        body[name] = value.clone();
    }
    body
}

async fn count_users(server: &Server) -> Value {
    server.data(Admin, "{ users { totalCount } }").await["users"]["totalCount"].clone()
}

#[tokio::test]
async fn registering_signs_in_and_shows_the_user() {
    on_both(async |server| {
        let body = registration(json!({ "name": "Nell" }));
        let answer = server.rest(Anonymous, "POST", "/auth/register", body).await.expect(201);
        assert_eq!(answer.header("cache-control"), "no-store");
        let session = answer.json();
        assert_eq!(session["token_type"], "bearer");
        assert_eq!(session["expires_in"], 1800);
        let user = &session["user"];
        let members: Vec<_> = user.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(members, ["id", "email", "name", "role", "created_at", "updated_at"]);
        assert_eq!(
            (&user["email"], &user["name"], &user["role"]),
            (&json!("new@example.com"), &json!("Nell"), &json!("user"))
        );
        assert!(!answer.text.contains("argon2") && !answer.text.contains(PASSWORD), "{}", answer.text);

        let token = session["access_token"].as_str().unwrap();
        let me = server.send(server.request(Anonymous, "GET", "/auth/me").bearer_auth(token)).await.expect(200);
        assert_eq!(&me.json(), user);
        assert_eq!(me.header("cache-control"), "no-store");
    })
    .await;
}

/// Everything that is wrong is named, and nobody is registered.
#[tokio::test]
async fn a_bad_registration_is_422_and_names_each_field() {
    on_both(async |server| {
        let before = count_users(server).await;
        let long = format!("{}@example.com", "a".repeat(250));
        for (changes, fields) in [
            (json!({ "email": "no-address" }), vec!["email"]),
            (json!({ "email": "" }), vec!["email"]),
            (json!({ "email": null }), vec!["email"]),
            (json!({ "email": 7 }), vec!["email"]),
            (json!({ "email": ["a@example.com"] }), vec!["email"]),
            (json!({ "email": long }), vec!["email"]),
            (json!({ "email": "a\u{0}@example.com" }), vec!["email"]),
            (json!({ "password": "short" }), vec!["password"]),
            (json!({ "password": "password1234" }), vec!["password"]),
            (json!({ "password": "new@example.com" }), vec!["password"]),
            (json!({ "password": "x".repeat(129) }), vec!["password"]),
            (json!({ "password": null }), vec!["password"]),
            (json!({ "name": "" }), vec!["name"]),
            (json!({ "name": " \t" }), vec!["name"]),
            (json!({ "name": "n".repeat(201) }), vec!["name"]),
            (json!({ "name": "a\u{0}b" }), vec!["name"]),
            (json!({ "name": 1 }), vec!["name"]),
            (json!({ "role": "admin" }), vec!["role"]),
            (json!({ "id": "0190a5c8-0000-7000-8000-000000000000" }), vec!["id"]),
            (json!({ "pasword": "x", "nmae": "y" }), vec!["pasword", "nmae"]),
            (json!({ "email": "", "password": "short", "name": "" }), vec!["email", "password", "name"]),
        ] {
            let answer = server.rest(Anonymous, "POST", "/auth/register", registration(changes)).await.expect(422);
            for field in fields {
                let details = answer.json()["details"].as_str().unwrap_or_default().to_owned();
                assert!(details.contains(field), "{field} is not named: {}", answer.text);
            }
        }
        assert_eq!(count_users(server).await, before);
    })
    .await;
}

#[tokio::test]
async fn an_unknown_member_gets_the_nearest_name() {
    on_both(async |server| {
        let body = json!({ "email": "new@example.com", "pasword": PASSWORD });
        let answer = server.rest(Anonymous, "POST", "/auth/register", body).await.expect(422);
        answer.saying("did you mean \\\"password\\\"?").saying("password is required");
    })
    .await;
}

#[tokio::test]
async fn an_address_is_taken_whatever_its_case() {
    on_both(async |server| {
        for email in ["ann@example.com", "ANN@EXAMPLE.COM", "Ann@Example.com"] {
            let answer =
                server.rest(Anonymous, "POST", "/auth/register", registration(json!({ "email": email }))).await;
            answer.expect(409).refused("23505").saying("e-mail");
            let document = "mutation ($input: RegisterInput!) { register(input: $input) { accessToken } }";
            let variables = json!({ "input": registration(json!({ "email": email })) });
            let answer = server.graphql(Anonymous, document, variables).await.refused("CONFLICT");
            assert_eq!(answer.errors()[0]["extensions"]["field"], "email");
        }
    })
    .await;
}

#[tokio::test]
async fn signing_in_by_json_and_by_form() {
    on_both(async |server| {
        let ann = server.person(User);
        let id = &ann.id;
        for email in ["ann@example.com", "ANN@example.com"] {
            let body = json!({ "email": email, "password": PASSWORD });
            let session = server.rest(Anonymous, "POST", "/auth/login", body).await.expect(200);
            assert_eq!(session.header("cache-control"), "no-store");
            assert_eq!(session.json()["user"]["id"], *id);
        }
        let form = format!("username=ann%40example.com&password={PASSWORD}");
        for form in [form.clone(), format!("grant_type=password&scope=&{form}&client_id=x")] {
            for media in ["application/x-www-form-urlencoded", "application/x-www-form-urlencoded; charset=UTF-8"] {
                let session = server.text(Anonymous, "POST", "/auth/login", media, &form).await.expect(200).json();
                assert_eq!((&session["user"]["id"], &session["token_type"]), (&json!(id), &json!("bearer")));
            }
        }
        // A token that has ended, and the Basic header of an OAuth 2 client, are beside the point.
        for header in ["Bearer nonsense", "Basic YTpi"] {
            let body = json!({ "email": "ann@example.com", "password": PASSWORD });
            let headers = [("authorization", header)];
            server.rest_with(Anonymous, "POST", "/auth/login", body, &headers).await.expect(200);
            let login = format!(r#"mutation {{ login(input: {{ email: "ann@example.com", password: "{PASSWORD}" }}) {{ user {{ id }} }} }}"#);
            let answer = server.rest_with(Anonymous, "POST", "/graphql", json!({ "query": login }), &headers).await;
            assert_eq!(answer.data()["login"]["user"]["id"], *id);
        }
    })
    .await;
}

/// Nobody learns from the answer whether there is such an account.
#[tokio::test]
async fn a_wrong_password_and_an_unknown_user_get_the_same_words() {
    on_both(async |server| {
        let bob = uuid::Uuid::parse_str(&server.person(Other).id).unwrap();
        rootstock::auth::users::set_disabled(&server.app.database, bob, true).await.unwrap();
        let mut bodies = Vec::new();
        let mut errors = Vec::new();
        for (email, password) in [
            ("ann@example.com", "not-the-password-of-ann"),
            ("nobody@example.com", PASSWORD),
            ("no address", PASSWORD),
            ("", ""),
            ("bob@example.com", PASSWORD),
            ("ann@example.com' or '1'='1", PASSWORD),
        ] {
            let body = json!({ "email": email, "password": password });
            let answer = server.rest(Anonymous, "POST", "/auth/login", body).await.expect(401);
            assert!(answer.header("www-authenticate").starts_with("Bearer"));
            bodies.push(answer.text);
            let document = "mutation ($input: LoginInput!) { login(input: $input) { accessToken } }";
            let variables = json!({ "input": { "email": email, "password": password } });
            errors.push(server.graphql(Anonymous, document, variables).await.refused("UNAUTHENTICATED").text);
        }
        bodies.dedup();
        errors.dedup();
        assert_eq!((bodies.len(), errors.len()), (1, 1), "{bodies:?} {errors:?}");
    })
    .await;
}

#[tokio::test]
async fn a_login_that_cannot_be_read_is_refused_in_its_own_way() {
    on_both(async |server| {
        let (json, form) = ("application/json", "application/x-www-form-urlencoded");
        for (media, body, status) in [
            (json, "", 400),
            (json, "{", 400),
            (json, "[]", 400),
            (json, "null", 400),
            (json, "\"a\"", 400),
            (json, "{}", 422),
            (json, r#"{"email":"a@example.com"}"#, 422),
            (json, r#"{"email":"a@example.com","password":1}"#, 422),
            (json, r#"{"username":"a@example.com","password":"b"}"#, 422),
            (form, "", 422),
            (form, "username=a", 422),
            (form, "username=a&username=b&password=c", 400),
            (form, "grant_type=client_credentials&username=a&password=b", 400),
            ("text/plain", r#"{"email":"a","password":"b"}"#, 415),
            ("application/json; charset=latin1", "{}", 415),
            ("multipart/form-data; boundary=x", "--x--", 415),
        ] {
            let answer = server.text(Anonymous, "POST", "/auth/login", media, body).await.expect(status);
            assert_eq!(answer.header("cache-control"), "no-store", "{media} {body}");
            answer.failure();
        }
        server.send(server.request(Anonymous, "POST", "/auth/login")).await.expect(415);
        for (method, path) in [("GET", "/auth/login"), ("DELETE", "/auth/me"), ("PUT", "/auth/register")] {
            let answer = server.rest(Anonymous, method, path, Value::Null).await.expect(405).refused("PGRST117");
            assert_ne!(answer.header("allow"), "", "{method} {path}");
        }
    })
    .await;
}

#[tokio::test]
async fn me_is_the_caller_and_only_its_name_can_be_changed() {
    on_both(async |server| {
        let who = "{ me { id email name role } }";
        assert_eq!(server.data(Anonymous, who).await, json!({ "me": null }));
        let answer = server.get(Anonymous, "/auth/me").await.expect(401);
        assert_eq!(answer.header("www-authenticate"), "Bearer");
        for caller in [User, Other, Editor, Admin] {
            let person = server.person(caller);
            let shown = json!({ "id": person.id, "email": person.email, "name": person.name, "role": person.role });
            assert_eq!(server.data(caller, who).await["me"], shown);
            let me = server.get(caller, "/auth/me").await.expect(200).json();
            for (name, value) in shown.as_object().unwrap() {
                assert_eq!(me[name], *value, "{name} of {caller:?}");
            }
        }
        for (body, status) in [
            (json!({ "name": "" }), 422),
            (json!({ "name": "n".repeat(201) }), 422),
            (json!({ "email": "else@example.com" }), 422),
            (json!({ "role": "admin" }), 422),
            (json!([]), 400),
            (json!({}), 200),
        ] {
            server.rest(User, "PATCH", "/auth/me", body).await.expect(status);
        }
        assert_eq!(server.get(User, "/auth/me").await.json()["name"], "Ann");
        for name in [json!("Änn 安"), Value::Null, json!("Ann")] {
            let answer = server.rest(User, "PATCH", "/auth/me", json!({ "name": name })).await.expect(200);
            assert_eq!(answer.json()["name"], name);
            assert_eq!(server.get(User, "/auth/me").await.json()["name"], name);
        }
        server.rest(Anonymous, "PATCH", "/auth/me", json!({ "name": "x" })).await.expect(401);
    })
    .await;
}

#[tokio::test]
async fn register_and_login_as_mutations() {
    on_both(async |server| {
        let register = "mutation ($input: RegisterInput!) { register(input: $input) {
            accessToken tokenType expiresIn refreshToken __typename user { email role expenses { totalCount } } } }";
        let variables = json!({ "input": { "email": "new@example.com", "password": PASSWORD, "name": "Nell" } });
        let session = server.graphql(Anonymous, register, variables).await.data()["register"].clone();
        assert_eq!(session["tokenType"], "bearer");
        assert_eq!(session["expiresIn"], 1800);
        assert_eq!(session["__typename"], "Session");
        assert_ne!(session["refreshToken"].as_str().unwrap(), "");
        assert_eq!(session["user"], json!({ "email": "new@example.com", "role": "user", "expenses": { "totalCount": 0 } }));
        let token = session["accessToken"].as_str().unwrap();
        let me = server.request(Anonymous, "POST", "/graphql").bearer_auth(token);
        let me = server.send(me.json(&json!({ "query": "{ me { name } }" }))).await.data();
        assert_eq!(me["me"]["name"], "Nell");

        let login = "mutation ($email: String!, $password: String!) {
            login(input: { email: $email, password: $password }) { user { name } } }";
        let variables = json!({ "email": "NEW@example.com", "password": PASSWORD });
        assert_eq!(server.graphql(Anonymous, login, variables).await.data()["login"]["user"]["name"], "Nell");

        // A weak password is the caller's to mend, and says which field.
        for (input, field) in [
            (json!({ "email": "weak@example.com", "password": "password1234" }), "password"),
            (json!({ "email": "weak", "password": PASSWORD }), "email"),
        ] {
            let answer = server.graphql(Anonymous, register, json!({ "input": input })).await.refused("BAD_USER_INPUT");
            assert_eq!(answer.errors()[0]["extensions"]["field"], field);
        }
        // What runs as another caller does not stand beside them.
        let mixed = format!(r#"mutation {{ login(input: {{ email: "ann@example.com", password: "{PASSWORD}" }}) {{ tokenType }} deleteTree(id: 1) {{ id }} }}"#);
        server.graphql(Admin, &mixed, Value::Null).await.refused("BAD_USER_INPUT");
        server.get(Anonymous, "/trees/1").await.expect(200);
    })
    .await;
}
