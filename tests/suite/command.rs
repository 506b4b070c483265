//! The command line, as a person at a shell, a service manager and a container meet it: the real binary.
//!
//! What the commands do to a database is asked of a server that is started on it, by HTTP.

use std::{collections::BTreeSet, fs, os::unix::fs::PermissionsExt as _, process::Command, time::Duration};

use reqwest::{Client, StatusCode};
use serde_json::{Value, json};

use crate::{
    program::{Ended, Place},
    support::{postgres, provider},
};

/// 32 bytes, as JWT_SECRET_KEY must have them at least.
pub(crate) const KEY: &str = "a-key-of-the-tests-0123456789-xy";
pub(crate) const PASSWORD: &str = "seven green herons wade";
pub(crate) const OTHER_PASSWORD: &str = "nine grey badgers dig";

#[tokio::test]
async fn without_any_configuration_it_serves_the_four_trees_and_stops_when_told() {
    let place = Place::empty();
    let server = place.serve();
    let trees = reqwest::get(format!("{}/trees", server.base)).await.expect("an answer");
    assert_eq!(trees.status(), StatusCode::OK);
    assert_eq!(
        trees.text().await.expect("a body"),
        r#"[{"id":1,"name":"Banyan","species":"Ficus benghalensis"},{"id":2,"name":"Quaking Aspen","species":"Populus tremula"},{"id":3,"name":"American Elm","species":"Ulmus americana"},{"id":4,"name":"Red Maple","species":"Acer rubrum"}]"#
    );
    let ready = format!("{}/readyz", server.base);
    place.succeeds(&["health", "--url", &ready]);
    place.succeeds(&["health", "--bind-addr", server.base.trim_start_matches("http://")]);
    assert!(server.log().contains("the four trees are planted"), "{}", server.log());

    let places = ["/graphiql", "/trees", "/docs"].map(|path| format!("{}{path}", server.base));
    let ended = server.terminate();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(places.iter().all(|place| ended.out.contains(place)), "it says where everything is: {ended:?}");
    let away = place.run(&["health", "--url", &ready]);
    assert_eq!(away.code, Some(1), "{away:?}");
    assert!(away.err.starts_with("not ready: http://127.0.0.1:"), "{away:?}");

    let key = place.path().join("rootstock.db.jwt-key");
    assert_eq!(fs::metadata(key).expect("the key").permissions().mode() & 0o777, 0o600);
    // The second start finds its trees, and plants no more.
    let again = place.serve_with(&["serve"]);
    assert_eq!(count(&again.base, "trees").await, 4);
}

/// Whoever migrates elsewhere starts servers that may be there first: they are alive, and ready once that is done.
#[tokio::test]
async fn a_server_that_may_not_migrate_waits_until_somebody_has() {
    let database = postgres::database().await;
    let on_postgres = Place::empty().with("DATABASE_URL", &database.url()).with("JWT_SECRET_KEY", KEY);
    for place in [Place::empty(), on_postgres] {
        let server = place.serve_with(&["serve", "--no-migrate"]);
        let status =
            async |path: &str| reqwest::get(format!("{}{path}", server.base)).await.expect("an answer").status();
        assert_eq!(status("/livez").await, StatusCode::OK);
        assert_eq!(status("/readyz").await, StatusCode::SERVICE_UNAVAILABLE);
        let ready = format!("{}/readyz", server.base);
        let why = reqwest::get(&ready).await.expect("an answer").text().await.expect("a text");
        assert!(why.contains("m20261121_000001_create_trees is pending"), "{why}");
        assert_eq!(status("/trees").await, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(place.run(&["health", "--url", &ready]).code, Some(1));
        place.succeeds(&["migrate", "up"]);
        soon(async || status("/readyz").await == StatusCode::OK).await;
        assert_eq!(count(&server.base, "trees").await, 4);
        place.succeeds(&["health", "--url", &ready]);
    }
}

#[tokio::test]
async fn the_schema_goes_up_and_down_on_both_databases() {
    let database = postgres::database().await;
    for place in [Place::empty(), Place::empty().with("DATABASE_URL", &database.url())] {
        let state =
            |output: String| -> Vec<bool> { output.lines().map(|line| line.starts_with("applied  m")).collect() };
        let none = state(place.succeeds(&["migrate", "status"]));
        assert!(none.len() >= 4 && !none.contains(&true), "{none:?}");
        assert!(!state(place.succeeds(&["migrate", "up"])).contains(&false));
        let down = state(place.succeeds(&["migrate", "down"]));
        assert_eq!(down.iter().filter(|applied| !**applied).count(), 1, "one migration is taken back, the last");
        assert_eq!(down.last(), Some(&false));

        let refused = place.run(&["user", "list"]);
        assert_eq!(refused.code, Some(1), "{refused:?}");
        assert_eq!(
            refused.err, "error: the database's schema is not up to date: run `rootstock migrate up`\n",
            "a command that needs the schema says what to do"
        );
        place.succeeds(&["migrate", "up"]);
        place.succeeds_with(&["user", "create", "--email", "a@example.com", "--password-stdin"], PASSWORD);
        assert!(!state(place.succeeds(&["migrate", "fresh"])).contains(&false));
        assert_eq!(place.succeeds(&["user", "list"]), "", "fresh forgets what the tables held");
    }
}

#[tokio::test]
async fn seeds_grow_to_the_number_that_is_asked_for() {
    let place = Place::empty();
    place.succeeds(&["migrate", "up"]);
    place.succeeds(&["seed"]);
    place.succeeds(&["seed", "--trees", "5", "--expenses", "1203"]);
    // Again, and once with fewer: what is there stays, and no row comes twice.
    place.succeeds(&["seed", "--trees", "5", "--expenses", "1203"]);
    place.succeeds(&["seed", "--trees", "2"]);

    let demo = place.succeeds(&["seed", "--demo"]);
    let (email, password) = demo.trim_end().split_once("  ").expect("an address and a password");
    assert_eq!(email, "demo@example.com");
    let again = place.run(&["seed", "--demo"]);
    assert_eq!((again.code, again.out.as_str()), (Some(0), ""), "the password is printed once: {again:?}");
    assert!(again.err.contains("demo@example.com is there already"), "{again:?}");

    let server = place.serve();
    assert_eq!(count(&server.base, "trees").await, 9);
    let token = place.succeeds(&["token", "--user", "seed-1@example.com"]);
    assert_eq!(rows(&server.base, "expenses?limit=1000", token.trim()).await.len(), 1000, "a stretch a user");
    let token = place.succeeds(&["token", "--user", "seed-2@example.com"]);
    assert_eq!(rows(&server.base, "expenses", token.trim()).await.len(), 203);

    let session = login(&server.base, email, password).await.expect("the demo user signs in");
    let own = rows(&server.base, "expenses?order=spent_on.asc", &session).await;
    let days: Vec<_> = own.iter().filter_map(|expense| expense["spent_on"].as_str()).collect();
    assert!(days.len() > 100 && days.first() < days.last(), "a year of expenses, not {}", days.len());
    let budgets = rows(&server.base, "budgets", &session).await;
    let months: BTreeSet<_> = budgets.iter().filter_map(|budget| budget["month"].as_str()).collect();
    assert!(months.len() == 12 && budgets.len() > 12 * 5, "a year of budgets, not {months:?}");
}

#[test]
fn the_contracts_are_printed_and_compared() {
    let place = Place::empty();
    for (command, file) in [("schema", "schema.graphql"), ("openapi", "openapi.json")] {
        let printed = place.succeeds(&[command]);
        fs::write(place.path().join(file), &printed).expect("written");
        assert_eq!(place.succeeds(&[command, "--check", file]), "", "what holds needs no words");

        fs::write(place.path().join(file), printed.replacen("Acer", "Arce", 1).replacen("tree", "shrub", 1))
            .expect("written");
        let stale = place.run(&[command, "--check", file]);
        assert_eq!(stale.code, Some(1), "{stale:?}");
        assert!(stale.out.contains("shrub") && stale.out.contains("\n+"), "a diff: {}", stale.out);
        assert_eq!(stale.err, format!("error: {file} is stale: refresh it by `rootstock {command} > {file}`\n"));

        let missing = place.run(&[command, "--check", "nowhere"]);
        assert_eq!(missing.code, Some(1), "{missing:?}");
        assert!(missing.err.starts_with("error: nowhere cannot be read: "), "{missing:?}");
    }
    let schema: Value = serde_json::from_str(&place.succeeds(&["openapi"])).expect("JSON");
    assert_eq!(schema["openapi"], "3.1.0");
}

#[tokio::test]
async fn accounts_are_made_and_changed_from_the_shell_on_both_databases() {
    let database = postgres::database().await;
    let on_postgres = Place::empty().with("DATABASE_URL", &database.url()).with("JWT_SECRET_KEY", KEY);
    for place in [Place::empty(), on_postgres] {
        place.succeeds(&["migrate", "up"]);
        let create = ["user", "create", "--email", "Ada@Example.com", "--name", "Ada", "--password-stdin"];
        let id = place.succeeds_with(&create, &format!("{PASSWORD}\n"));
        let taken = place.run_with(&create, PASSWORD);
        assert_eq!(taken.code, Some(1), "{taken:?}");
        assert!(taken.err.starts_with("error: An account with this e-mail exists already"), "{taken:?}");
        let weak = place.run_with(&["user", "create", "--email", "b@example.com", "--password-stdin"], "password1234");
        assert_eq!(weak.code, Some(1), "{weak:?}");
        assert!(weak.err.contains("password") && !weak.err.contains("password1234"), "{weak:?}");
        let listed = place.succeeds(&["user", "list"]);
        assert_eq!(listed, format!("{}  enabled  user    Ada@Example.com\n", id.trim()));

        let server = place.serve();
        let token = login(&server.base, "ada@example.com", PASSWORD).await.expect("she signs in");
        assert_eq!(me(&server.base, &token).await["role"], "user");
        place.succeeds(&["user", "promote", "ada@example.com", "editor"]);
        let minted = place.succeeds(&["token", "--user", "ada@example.com", "--ttl", "60"]);
        assert_eq!(minted.lines().count(), 1, "the token alone");
        assert_eq!(me(&server.base, minted.trim()).await["role"], "editor");

        let session = sign_in(&server.base, "ada@example.com", PASSWORD).await.expect("she signs in");
        place.succeeds_with(&["user", "reset-password", id.trim(), "--password-stdin"], OTHER_PASSWORD);
        assert_eq!(login(&server.base, "ada@example.com", PASSWORD).await, Err(StatusCode::UNAUTHORIZED));
        // What was opened before has ended; the server notices it within its memory.
        assert_eq!(refresh(&server.base, &session).await, Err(StatusCode::UNAUTHORIZED));
        for access in [session["access_token"].as_str().expect("a token"), minted.trim(), &token] {
            ends(&server.base, access).await;
        }

        let session = sign_in(&server.base, "ada@example.com", OTHER_PASSWORD).await.expect("the new password is good");
        let session = refresh(&server.base, &session).await.expect("a session goes on");
        let access = session["access_token"].as_str().expect("a token");
        let minted = place.succeeds(&["token", "--user", "ada@example.com", "--ttl", "60"]);
        me(&server.base, minted.trim()).await;
        place.succeeds(&["user", "disable", "ada@example.com"]);
        assert_eq!(login(&server.base, "ada@example.com", OTHER_PASSWORD).await, Err(StatusCode::UNAUTHORIZED));
        let refused = place.run(&["token", "--user", "ada@example.com"]);
        assert_eq!((refused.code, refused.out.as_str()), (Some(1), ""), "{refused:?}");
        place.succeeds(&["user", "enable", "ada@example.com"]);
        login(&server.base, "ada@example.com", OTHER_PASSWORD).await.expect("she is let in again");
        assert_eq!(refresh(&server.base, &session).await, Err(StatusCode::UNAUTHORIZED), "and signs in anew");
        for access in [access, minted.trim()] {
            ends(&server.base, access).await;
        }

        for nobody in [vec!["token", "--user", "eve@example.com"], vec!["user", "promote", "eve@example.com", "admin"]]
        {
            let ended = place.run(&nobody);
            assert_eq!(ended.code, Some(1), "{ended:?}");
            assert!(ended.err.starts_with("error: there is no account eve@example.com"), "{ended:?}");
        }
    }
}

/// The key of the provider is all that such a server needs, on a database that others share as well.
#[tokio::test]
async fn with_an_outside_identity_provider_alone_nobody_signs_in_here() {
    let database = postgres::database().await;
    let public = provider::pem("p256.pub");
    for place in [Place::empty(), Place::empty().with("DATABASE_URL", &database.url())] {
        let place = place.with("JWT_PUBLIC_KEY", &public.replace('\n', "\\n"));
        let server = place.serve();
        assert!(!place.path().join("rootstock.db.jwt-key").exists(), "no key is made that nothing is signed with");
        let token = provider::token("p256", &provider::claims("auth0|zoe", json!({ "role": "editor" })));
        let zoe = me(&server.base, &token).await;
        assert_eq!(zoe["role"], "editor");
        let id = zoe["id"].as_str().expect("a key");
        assert_eq!(place.succeeds(&["user", "list"]), format!("{id}  enabled  editor  -\n"));
        assert_eq!(login(&server.base, "zoe@example.com", PASSWORD).await, Err(StatusCode::NOT_FOUND));
        let refused = place.run(&["token", "--user", id]);
        assert_eq!((refused.code, refused.out.as_str()), (Some(1), ""), "{refused:?}");
        assert!(refused.err.starts_with("error: no tokens are made here"), "{refused:?}");

        place.succeeds(&["user", "disable", id]);
        assert_eq!(place.succeeds(&["user", "list"]), format!("{id}  disabled editor  -\n"));
        answers(&server.base, &token, StatusCode::UNAUTHORIZED).await;
        place.succeeds(&["user", "enable", id]);
        answers(&server.base, &token, StatusCode::OK).await;

        soon(async || server.log().contains("outside_subject")).await;
        let log = server.log();
        assert_eq!(log.matches("outside_subject").count(), 1, "{log}");
        assert!(log.contains(id) && !log.contains(&token) && !log.contains("auth0"), "{log}");
    }
}

/// Waits until the token is answered so, which must be soon.
async fn answers(base: &str, token: &str, status: StatusCode) {
    let asked = async || Client::new().get(format!("{base}/trees")).bearer_auth(token).send().await.expect("an answer");
    soon(async || asked().await.status() == status).await;
}

/// Waits until something is so.
pub(crate) async fn soon(is_so: impl AsyncFn() -> bool) {
    let waiting = async {
        while !is_so().await {
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(30), waiting).await.expect("it is so in the end");
}

/// Somebody else's server being away is no reason not to start.
#[tokio::test]
async fn it_starts_while_the_identity_provider_is_away_and_warns_of_one_that_anybody_could_be() {
    let open = Place::empty().with("JWT_JWKS_URL", "http://id.invalid/keys").serve();
    assert!(open.log().contains("JWT_JWKS_URL is not https"), "{}", open.log());
    assert_eq!(count(&open.base, "trees").await, 4);
    for url in ["https://id.invalid/keys", "http://localhost:1/keys", "http://127.0.0.1:1/keys", "http://[::1]:1/keys"]
    {
        let place = Place::empty().with("JWT_JWKS_URL", url).with("JWT_SECRET_KEY", KEY);
        let server = place.serve();
        assert!(!server.log().contains("is not https"), "{url}: {}", server.log());
        let token = provider::token("p256", &provider::claims("zoe", json!({})));
        answers(&server.base, &token, StatusCode::SERVICE_UNAVAILABLE).await;
        // What is answered is logged before, and read from the pipe by a thread of its own.
        soon(async || server.log().contains("the identity provider's keys cannot be fetched")).await;
    }
}

#[test]
fn a_wrong_start_is_one_line_that_names_the_variable() {
    let (weak, private) = (provider::pem("bad-rsa-1024.pub"), provider::pem("rsa"));
    for (name, value, says) in [
        ("DATABASE_URL", "mysql://root:hunter2@db/x", "error: DATABASE_URL must be a URL as "),
        ("DATABASE_MAX_CONNECTIONS", "0", "error: DATABASE_MAX_CONNECTIONS must be a whole number from 1 to 1000"),
        ("BIND_ADDR", "8000", "error: BIND_ADDR must be an IP address and a port"),
        ("BIND_ADDR", "0.0.0.0:0", "error: JWT_SECRET_KEY must be set, to 32 bytes or more"),
        ("JWT_SECRET_KEY", "hunter2", "error: JWT_SECRET_KEY must have 32 bytes or more, it has 7"),
        ("JWT_ALGORITHM", "none", "error: JWT_ALGORITHM must be "),
        ("JWT_ALGORITHM", "RS256", "error: JWT_ALGORITHM must not be RS256 without JWT_PUBLIC_KEY or JWT_JWKS_URL"),
        ("JWT_PUBLIC_KEY", "hunter2", "error: JWT_PUBLIC_KEY must be a public key in PEM"),
        ("JWT_PUBLIC_KEY", &weak, "error: JWT_PUBLIC_KEY must be an RSA key of 2048 to 4096 bits"),
        ("JWT_PUBLIC_KEY", &private, "error: JWT_PUBLIC_KEY is a private key"),
        ("JWT_JWKS_URL", "id.example.com/hunter2", "error: JWT_JWKS_URL must be a URL as https://"),
        ("RUST_LOG", "info,a=b=c", "error: RUST_LOG must be log directives"),
        ("REQUEST_TIMEOUT_SECONDS", "soon", "error: REQUEST_TIMEOUT_SECONDS must be a whole number"),
    ] {
        let by_variable = Place::empty().with(name, value).run(&["serve"]);
        let flag = format!("--{}", name.to_lowercase().replace('_', "-"));
        let by_flag = Place::empty().run(&["serve", &flag, value]);
        for ended in [by_variable, by_flag] {
            assert_eq!(ended.code, Some(2), "{name}={value}: {ended:?}");
            assert!(ended.err.starts_with(says) && ended.err.lines().count() == 1, "{name}={value}: {ended:?}");
            assert!(!ended.err.contains("hunter2") && ended.out.is_empty(), "{ended:?}");
        }
    }
    let unknown = Place::empty().run(&["swerve"]);
    assert_eq!(unknown.code, Some(2), "{unknown:?}");
    assert!(unknown.err.contains("serve"), "the nearest command is named: {unknown:?}");
}

#[test]
fn a_dotenv_file_is_read_and_the_environment_wins() {
    let place = Place::empty().with("JWT_ISSUER", "from the environment");
    fs::write(place.path().join(".env"), "JWT_ISSUER=\nDATABASE_URL=sqlite://other.db?mode=rwc\n").expect("written");
    place.succeeds(&["migrate", "up"]);
    assert!(place.path().join("other.db").exists() && !place.path().join("rootstock.db").exists());

    fs::write(place.path().join(".env"), "JWT_SECRET_KEY='hunter2\n").expect("written");
    let ended = place.run(&["migrate", "status"]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.err.starts_with("error: .env has a line that is not") && !ended.err.contains("hunter2"), "{ended:?}");
}

#[tokio::test]
async fn no_secret_is_ever_printed() {
    let database = postgres::database().await;
    // The server of the tests asks for no password, and so takes any.
    let url = database.url().replacen("postgres@", "postgres:correct-horse@", 1);
    let key = "battery-staple-0123456789-0123456789";
    let place = Place::empty().with("DATABASE_URL", &url).with("JWT_SECRET_KEY", key).with("RUST_LOG", "trace");
    let secrets = ["correct-horse", "battery-staple", PASSWORD, "eyJ"];
    let holds = |ended: &Ended, what: &str| {
        for secret in secrets {
            assert!(!ended.err.contains(secret) && !ended.out.contains(secret), "{what} prints {secret}: {ended:?}");
        }
    };
    for command in [vec!["--help"], vec!["serve", "--help"], vec!["migrate", "up"], vec!["user", "list"]] {
        holds(&place.run(&command), &command.join(" "));
    }
    let created = place.run_with(&["user", "create", "--email", "a@example.com", "--password-stdin"], PASSWORD);
    assert_eq!(created.code, Some(0), "{created:?}");
    holds(&created, "user create");
    let server = place.serve();
    let token = login(&server.base, "a@example.com", PASSWORD).await.expect("a session");
    assert!(token.starts_with("eyJ"), "a token is a JWT, and the test looks for one in the log");
    login(&server.base, "a@example.com", "another long password").await.expect_err("no session");
    me(&server.base, &token).await;
    holds(&server.terminate(), "the log");

    // The database is away: what is said of it leaves the password out.
    let away = Place::empty().with("DATABASE_URL", "postgres://u:correct-horse@127.0.0.1:1/d").run(&["migrate", "up"]);
    assert_eq!(away.code, Some(1), "{away:?}");
    assert!(away.err.lines().any(|line| line == "error: The database cannot be reached"), "{away:?}");
    holds(&away, "migrate up");
}

/// Every variable, with its default.
const VARIABLES: [(&str, Option<&str>); 32] = [
    ("DATABASE_URL", Some("sqlite://rootstock.db?mode=rwc")),
    ("DATABASE_PASSWORD", None),
    ("DATABASE_READ_URL", None),
    ("DATABASE_MAX_CONNECTIONS", Some("10")),
    ("DATABASE_PREPARED_STATEMENTS", Some("on")),
    ("BIND_ADDR", Some("127.0.0.1:8000")),
    ("ADMIN_ADDR", None),
    ("JWT_SECRET_KEY", None),
    ("JWT_ALGORITHM", Some("HS256")),
    ("JWT_PUBLIC_KEY", None),
    ("JWT_JWKS_URL", None),
    ("JWT_ROLE_CLAIM", Some("role")),
    ("JWT_ISSUER", Some("rootstock")),
    ("JWT_AUDIENCE", Some("rootstock")),
    ("ACCESS_TOKEN_EXPIRE_MINUTES", Some("30")),
    ("REFRESH_TOKEN_EXPIRE_DAYS", Some("30")),
    ("RATE_LIMIT_AUTH_PER_MINUTE", Some("20")),
    ("TRUSTED_PROXIES", None),
    ("CORS_ALLOWED_ORIGINS", None),
    ("GRAPHQL_MAX_DEPTH", Some("12")),
    ("GRAPHQL_MAX_COST", Some("5000")),
    ("GRAPHQL_MAX_PAGE_SIZE", Some("100")),
    ("GRAPHQL_BATCH_LIMIT", Some("1")),
    ("GRAPHQL_INTROSPECTION", Some("on")),
    ("GRAPHQL_TRUSTED_DOCUMENTS", None),
    ("REST_MAX_ROWS", Some("1000")),
    ("REQUEST_TIMEOUT_SECONDS", Some("15")),
    ("SHUTDOWN_GRACE_SECONDS", Some("20")),
    ("MAX_BODY_BYTES", Some("\"1 MiB\"")),
    ("LOG_FORMAT", None),
    ("RUST_LOG", Some("info")),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", None),
];

/// Help is what a person reads first: every command is there, and each variable with its default.
#[test]
fn help_tells_the_commands_and_the_variables() {
    let help = Place::empty().succeeds(&["--help"]);
    for word in ["serve", "migrate", "seed", "schema", "openapi", "user", "token", "health"] {
        assert!(help.contains(word), "--help does not name {word}:\n{help}");
    }
    let readme = include_str!("../../README.md");
    let told: Vec<_> = help.split("[env: ").skip(1).filter_map(|rest| rest.split(['=', ']']).next()).collect();
    for (variable, default) in VARIABLES {
        let place =
            help.find(&format!("[env: {variable}")).unwrap_or_else(|| panic!("--help does not name {variable}"));
        let line = help[place..].lines().next().unwrap_or_default();
        let shown = line.split_once("[default: ").map(|(_, rest)| rest.trim_end_matches(']'));
        assert_eq!(shown, default, "{line}");
        assert!(readme.contains(&format!("`{variable}`")), "README does not name {variable}");
    }
    assert_eq!(told.len(), VARIABLES.len(), "a variable is missing from this list: {told:?}");
    let version = Command::new(env!("CARGO_BIN_EXE_rootstock")).arg("--version").output().expect("the program");
    assert_eq!(String::from_utf8_lossy(&version.stdout), format!("rootstock {}\n", env!("CARGO_PKG_VERSION")));
}

async fn login(base: &str, email: &str, password: &str) -> Result<String, StatusCode> {
    let session = sign_in(base, email, password).await?;
    Ok(session["access_token"].as_str().expect("a token").to_owned())
}

pub(crate) async fn sign_in(base: &str, email: &str, password: &str) -> Result<Value, StatusCode> {
    session(base, "login", json!({ "email": email, "password": password })).await
}

pub(crate) async fn refresh(base: &str, session: &Value) -> Result<Value, StatusCode> {
    self::session(base, "refresh", json!({ "refresh_token": session["refresh_token"] })).await
}

pub(crate) async fn session(base: &str, way: &str, body: Value) -> Result<Value, StatusCode> {
    let answer = Client::new().post(format!("{base}/auth/{way}")).json(&body).send().await.expect("an answer");
    match answer.status() {
        StatusCode::OK => Ok(answer.json().await.expect("JSON")),
        other => Err(other),
    }
}

/// Waits until an access token is not taken any more.
async fn ends(base: &str, access: &str) {
    let status = async || {
        let asked = Client::new().get(format!("{base}/auth/me")).bearer_auth(access).send().await;
        asked.expect("an answer").status()
    };
    let refused = async {
        while status().await != StatusCode::UNAUTHORIZED {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), refused).await.expect("the token is refused in the end");
}

async fn me(base: &str, token: &str) -> Value {
    let answer = Client::new().get(format!("{base}/auth/me")).bearer_auth(token).send().await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::OK);
    answer.json().await.expect("JSON")
}

async fn rows(base: &str, path: &str, token: &str) -> Vec<Value> {
    let answer = Client::new().get(format!("{base}/{path}")).bearer_auth(token).send().await.expect("an answer");
    answer.json().await.expect("an array")
}

async fn count(base: &str, resource: &str) -> usize {
    let rows: Vec<Value> =
        reqwest::get(format!("{base}/{resource}")).await.expect("an answer").json().await.expect("an array");
    rows.len()
}
