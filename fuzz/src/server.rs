//! Whole requests to the whole application, over SQLite in memory.
//!
//! In: bytes, of which the first says who asks; a line with a method and a target, lines of headers, an empty line, a body.
//! Out: nothing, or a panic for an answer that is the server's fault, or that is no JSON although it says so.

use crate::{species::Grafted, targets::catalog};
use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Request, StatusCode, header},
};
use rootstock::{
    app::{self, App},
    auth::{RegisterInput, client::Client, users},
    config::Config,
    engine::database::Migrate,
    seed,
};
use std::{cell::LazyCell, net::IpAddr};
use tokio::runtime::{Builder, Runtime};
use tower::ServiceExt as _;

/// The longest answer that is looked at.
const LONGEST: usize = 16 << 20;

struct Server {
    runtime: Runtime,
    router: Router,
    /// Of nobody, a user, an editor and an admin.
    tokens: [Option<String>; 4],
}

thread_local! {
    static SERVER: LazyCell<Server> = LazyCell::new(Server::start);
}

/// One request.
pub(crate) fn request(bytes: &[u8]) {
    SERVER.with(|server| server.answer(bytes));
}

impl Server {
    fn start() -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let (router, tokens) = runtime.block_on(async {
            let config = Config::for_tests("sqlite::memory:").expect("a configuration");
            let app = app::build(&config, catalog()).await.expect("an application");
            app.database.migrate::<Grafted>(Migrate::Up).await.expect("the migrations");
            seed::first_trees(&app.database).await.expect("the first trees");
            let mut tokens = [const { None }; 4];
            for (token, role) in tokens.iter_mut().skip(1).zip(["user", "editor", "admin"]) {
                *token = Some(register(&app, role).await);
            }
            (app.router(), tokens)
        });
        Self { runtime, router, tokens }
    }

    fn answer(&self, bytes: &[u8]) {
        let Some(request) = self.read(bytes) else { return };
        let shown = format!("{} {}", request.method(), request.uri());
        let (parts, body) = self.runtime.block_on(async {
            let response = self.router.clone().oneshot(request).await.unwrap_or_else(|never| match never {});
            let (parts, body) = response.into_parts();
            (parts, to_bytes(body, LONGEST).await)
        });
        let status = parts.status;
        let body = body.unwrap_or_else(|error| panic!("{shown}: the answer breaks off: {error}"));
        let text = String::from_utf8_lossy(&body);
        assert!(!status.is_server_error(), "{shown}: {status} {text}");
        let is = |name, word: &str| {
            parts.headers.get(name).is_some_and(|value| value.as_bytes().starts_with(word.as_bytes()))
        };
        let cut = status == StatusCode::NOT_MODIFIED || shown.starts_with("HEAD ") || body.is_empty();
        if is(header::CONTENT_TYPE, "application/json") && !cut {
            let json = serde_json::from_slice::<serde_json::Value>(&body);
            assert!(json.is_ok() || text.contains("[[[[") || text.contains("{\"a\":{"), "{shown}: no JSON: {text}");
        }
        let id = parts.headers.get("x-request-id").map(|id| id.as_bytes());
        assert!(id.is_none_or(|id| id.len() <= 128 && id.is_ascii() && !id.contains(&b' ')), "{shown}: the id {id:?}");
    }

    fn read(&self, bytes: &[u8]) -> Option<Request<Body>> {
        let (who, rest) = bytes.split_first()?;
        let (head, body) = match rest.windows(2).position(|two| two == b"\n\n") {
            Some(at) => (&rest[..at], &rest[at + 2..]),
            None => (rest, &[][..]),
        };
        let mut lines = head.split(|byte| *byte == b'\n');
        let line = std::str::from_utf8(lines.next()?).ok()?;
        let (method, target) = line.split_once(' ')?;
        // A hash of a password takes longer than a thousand other requests.
        if target.contains("/register") || target.contains("/login") {
            return None;
        }
        let mut request = Request::builder().method(method).uri(target);
        for line in lines {
            let at = line.iter().position(|byte| *byte == b':')?;
            request = request.header(&line[..at], line[at + 1..].trim_ascii());
        }
        if let Some(token) = &self.tokens[usize::from(who & 3)] {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        request.body(Body::from(body.to_vec())).ok()
    }
}

/// Registers somebody with a role; the token is good for longer than anybody fuzzes.
async fn register(app: &App, role: &str) -> String {
    let nobody =
        Client { address: IpAddr::from([0, 0, 0, 0]), request_id: axum::http::HeaderValue::from_static("fuzz") };
    let input = RegisterInput {
        email: format!("{role}@example.com"),
        password: "salmon-quilt-47-harbour".to_owned().into(),
        name: None,
    };
    let session = app.auth.register(&nobody, input).await.expect("an account");
    users::set_role(&app.database, session.user, role).await.expect("a role");
    session.access_token
}
