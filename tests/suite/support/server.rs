//! The application on a port of its own, over a database of its own.

use super::{
    answer::Answer,
    people::{self, Caller, Person},
    pgbouncer,
    postgres::{self, TestDatabase},
};
use reqwest::{Client, Method, RequestBuilder};
use rootstock::{
    app::{self, App},
    catalog::Catalog,
    config::{Config, OutsideConfig},
    engine::database::{Dialect, Migrate},
    http, seed,
};
use sea_orm::ConnectionTrait as _;
use serde_json::{Value, json};
use std::{
    future::pending,
    num::NonZeroU32,
    path::Path,
    sync::{Arc, OnceLock},
    time::Duration,
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::OnceCell,
    time::timeout,
};

/// What every server of the tests signs its tokens with.
pub(crate) const KEY: &str = "a key of the tests alone, which signs nothing outside of them";

/// What a server shall be, where that is not the usual.
pub(crate) struct Setup {
    /// What it serves.
    pub(crate) catalog: Catalog,
    /// What its configuration shall have instead of the defaults.
    pub(crate) configure: fn(&mut Config),
    /// Statements that are run before it answers, one after the other.
    pub(crate) sql: Vec<String>,
    /// The outside identity provider whose tokens it takes beside its own.
    pub(crate) outside: Option<OutsideConfig>,
    /// Where a replica of its database is.
    pub(crate) replica: Option<String>,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            catalog: rootstock::entities::resources().build().expect("a catalogue"),
            configure: |_| {},
            sql: Vec::new(),
            outside: None,
            replica: None,
        }
    }
}

/// A running application; it ends with the test's runtime, and its database with this value.
pub(crate) struct Server {
    /// The application itself, for what no request can tell.
    pub(crate) app: App,
    /// Which database it runs on.
    pub(crate) dialect: Dialect,
    /// `http://127.0.0.1:…`
    pub(crate) url: String,
    /// Where its database is.
    database: String,
    outside: Option<OutsideConfig>,
    people: Arc<Vec<Person>>,
    client: Client,
    _storage: Storage,
}

/// Keeps a database for as long as it is used.
enum Storage {
    File {
        _folder: TempDir,
    },
    Copy {
        _database: TestDatabase,
    },
    /// Somebody else keeps it.
    Borrowed,
}

/// Runs a case on SQLite, then on PostgreSQL.
pub(crate) async fn on_both(case: impl AsyncFn(&Server)) {
    on_both_with(Setup::default, case).await;
}

/// Runs a case on both databases, with servers that are not the usual ones.
pub(crate) async fn on_both_with(setup: impl Fn() -> Setup, case: impl AsyncFn(&Server)) {
    for dialect in [Dialect::Sqlite, Dialect::Postgres] {
        // Shown only if the case fails.
        eprintln!("on {dialect:?}");
        case(&start_with(dialect, setup()).await).await;
    }
}

/// Runs a case on SQLite, on PostgreSQL, and on PostgreSQL behind a pooler in transaction mode.
pub(crate) async fn on_all(case: impl AsyncFn(&Server)) {
    on_both(&case).await;
    eprintln!("behind a pooler");
    case(&start_pooled(Setup::default()).await).await;
}

/// A server over a fresh copy of the migrated and peopled database.
pub(crate) async fn start_with(dialect: Dialect, setup: Setup) -> Server {
    match dialect {
        Dialect::Sqlite => {
            static TEMPLATE: OnceCell<(Vec<u8>, Arc<Vec<Person>>)> = OnceCell::const_new();
            let (bytes, people) = TEMPLATE.get_or_init(sqlite_template).await;
            let folder = tempfile::tempdir().expect("a folder");
            let file = folder.path().join("test.db");
            std::fs::write(&file, bytes).expect("a copy of the template");
            let storage = Storage::File { _folder: folder };
            Server::start(&sqlite_url(&file), setup, Arc::clone(people), storage).await
        }
        Dialect::Postgres => {
            let (database, people) = peopled().await;
            let url = database.url();
            Server::start(&url, setup, people, Storage::Copy { _database: database }).await
        }
    }
}

/// The same on PostgreSQL, behind a pooler in transaction mode.
pub(crate) async fn start_pooled(setup: Setup) -> Server {
    let (database, people) = peopled().await;
    let url = database.pooled_url();
    Server::start(&url, setup, people, Storage::Copy { _database: database }).await
}

/// A copy of the migrated and peopled database of PostgreSQL.
async fn peopled() -> (TestDatabase, Arc<Vec<Person>>) {
    static PEOPLE: OnceLock<Arc<Vec<Person>>> = OnceLock::new();
    let database = postgres::migrated(async |url| {
        let people = prepare(url).await;
        PEOPLE.set(people).expect("the template is made once");
    })
    .await;
    (database, Arc::clone(PEOPLE.get().expect("the template was made")))
}

/// The defaults over the database at `url`, as they must be there.
pub(crate) fn configuration(url: &str) -> Config {
    let mut config = Config::for_tests(url).expect("the configuration");
    config.database.prepared_statements = !pgbouncer::is_pooled(url);
    config
}

fn sqlite_url(file: &Path) -> String {
    format!("sqlite://{}?mode=rwc", file.display())
}

/// The bytes of a migrated and peopled database, and who is in it.
async fn sqlite_template() -> (Vec<u8>, Arc<Vec<Person>>) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("template.db");
    let people = prepare(&sqlite_url(&file)).await;
    let whole = folder.path().join("whole.db");
    // One file, whatever is still in the log beside it.
    let connection = rusqlite::Connection::open(&file).expect("the template");
    connection.execute("vacuum into ?1", [whole.to_str().expect("a path of UTF-8")]).expect("one file");
    (std::fs::read(&whole).expect("the file"), people)
}

/// Migrates an empty database, plants the trees and registers everybody.
async fn prepare(url: &str) -> Arc<Vec<Person>> {
    let server = Server::start(url, Setup::default(), Arc::default(), Storage::Borrowed).await;
    let database = &server.app.database;
    database.migrate::<migration::Migrator>(Migrate::Up).await.expect("the migrations");
    assert!(seed::first_trees(database).await.expect("the first trees"));
    Arc::new(people::register(&server).await)
}

impl Server {
    /// A server over an empty database that somebody else keeps: migrated and peopled first.
    pub(crate) async fn over(url: &str, setup: Setup) -> Self {
        let people = prepare(url).await;
        Self::start(url, setup, people, Storage::Borrowed).await
    }

    async fn start(url: &str, setup: Setup, people: Arc<Vec<Person>>, storage: Storage) -> Self {
        let database = url.to_owned();
        let mut config = configuration(url);
        config.auth.key = Some(KEY.into());
        config.auth.outside.clone_from(&setup.outside);
        config.database.read_url = setup.replica.map(Into::into);
        // All of a case's people come from one address.
        config.auth.rate_limit_per_minute = NonZeroU32::MAX;
        (setup.configure)(&mut config);
        let app = app::build(&config, setup.catalog).await.expect("the application");
        if !setup.sql.is_empty() {
            let transaction = app.database.begin().await.expect("a transaction");
            for statement in &setup.sql {
                transaction.execute_unprepared(statement).await.unwrap_or_else(|error| panic!("{statement}: {error}"));
            }
            transaction.commit().await.expect("the statements");
        }
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("its address"));
        let router = app.router();
        tokio::spawn(async move { http::serve(listener, router, &config.http, pending()).await });
        let client = Client::builder().redirect(reqwest::redirect::Policy::none()).build().expect("a client");
        let outside = setup.outside;
        Self { dialect: app.database.dialect(), app, url, database, outside, people, client, _storage: storage }
    }

    /// Another instance over the same database, which ends with the test as well; this one must outlive it.
    pub(crate) async fn another(&self) -> Self {
        self.another_with(Setup { outside: self.outside.clone(), ..Setup::default() }).await
    }

    /// The same where it is not the usual one.
    pub(crate) async fn another_with(&self, setup: Setup) -> Self {
        Self::start(&self.database, setup, Arc::clone(&self.people), Storage::Borrowed).await
    }

    /// Runs statements on the database itself, for what no request can do.
    pub(crate) async fn sql(&self, statement: &str) {
        let transaction = self.app.database.begin().await.expect("a transaction");
        transaction.execute_unprepared(statement).await.unwrap_or_else(|error| panic!("{statement}: {error}"));
        transaction.commit().await.expect("the end of the transaction");
    }

    /// The file of the database, where it is one.
    pub(crate) fn sqlite_file(&self) -> &str {
        let path = self.database.strip_prefix("sqlite://").expect("a database on SQLite");
        path.split_once('?').map_or(path, |(path, _)| path)
    }

    /// Somebody who is registered.
    pub(crate) fn person(&self, caller: Caller) -> &Person {
        self.people.iter().find(|person| person.caller == caller).expect("somebody who is registered")
    }

    /// A request in the name of `caller`, to be completed and sent.
    pub(crate) fn request(&self, caller: Caller, method: &str, path: &str) -> RequestBuilder {
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        let request = self.client.request(method, format!("{}{path}", self.url));
        match caller {
            Caller::Anonymous => request,
            caller => request.bearer_auth(&self.person(caller).token),
        }
    }

    /// `GET path` with a token.
    pub(crate) async fn get_by(&self, token: &str, path: &str) -> Answer {
        self.send(self.request(Caller::Anonymous, "GET", path).bearer_auth(token)).await
    }

    /// A GraphQL document with a token.
    pub(crate) async fn graphql_by(&self, token: &str, query: &str) -> Answer {
        let request = self.request(Caller::Anonymous, "POST", "/graphql").bearer_auth(token);
        self.send(request.json(&json!({ "query": query }))).await
    }

    /// Sends a request, and takes its whole answer.
    pub(crate) async fn send(&self, request: RequestBuilder) -> Answer {
        let request = request.build().expect("a request");
        let body = request.body().and_then(|body| body.as_bytes()).map(String::from_utf8_lossy).unwrap_or_default();
        let (path, query) = (request.url().path(), request.url().query().unwrap_or_default());
        let shown = format!("{:?}: {} {path}?{query} {body:.2000}", self.dialect, request.method());
        let response = self.client.execute(request).await.unwrap_or_else(|error| panic!("{shown}: {error:?}"));
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Answer { request: shown, status, headers, text: response.text().await.expect("a body of text") }
    }

    /// `GET path`.
    pub(crate) async fn get(&self, caller: Caller, path: &str) -> Answer {
        self.send(self.request(caller, "GET", path)).await
    }

    /// Any method, with a JSON body; without one if it is null.
    pub(crate) async fn rest(&self, caller: Caller, method: &str, path: &str, body: Value) -> Answer {
        self.rest_with(caller, method, path, body, &[]).await
    }

    /// The same with headers.
    pub(crate) async fn rest_with(
        &self,
        caller: Caller,
        method: &str,
        path: &str,
        body: Value,
        headers: &[(&str, &str)],
    ) -> Answer {
        let mut request = self.request(caller, method, path);
        if !body.is_null() {
            request = request.json(&body);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request).await
    }

    /// A body as it is, of a media type.
    pub(crate) async fn text(&self, caller: Caller, method: &str, path: &str, media: &str, body: &str) -> Answer {
        let request = self.request(caller, method, path).header("content-type", media).body(body.to_owned());
        self.send(request).await
    }

    /// A GraphQL document with its variables; null for none.
    pub(crate) async fn graphql(&self, caller: Caller, query: &str, variables: Value) -> Answer {
        self.rest(caller, "POST", "/graphql", json!({ "query": query, "variables": variables })).await
    }

    /// The `data` of a GraphQL document that needs no variables and must not fail.
    #[track_caller]
    pub(crate) fn data(&self, caller: Caller, query: &str) -> impl Future<Output = Value> {
        let at = std::panic::Location::caller();
        async move {
            let answer = self.graphql(caller, query, Value::Null).await;
            assert!(answer.status == 200 && answer.errors().is_empty(), "{at}\n{}\n{}", answer.request, answer.text);
            answer.data()
        }
    }

    /// A new expense of `caller`, as the API shows it.
    pub(crate) async fn expense(&self, caller: Caller, body: Value) -> Value {
        self.rest(caller, "POST", "/expenses", body).await.expect(201).json()
    }

    /// Bytes sent as they are, for what no well-behaved client would send. The status that came back; none if the
    /// connection was closed without an answer.
    pub(crate) async fn raw(&self, bytes: &[u8]) -> Option<u16> {
        let address = self.url.trim_start_matches("http://");
        let mut stream = TcpStream::connect(address).await.expect("a connection");
        stream.write_all(bytes).await.expect("the request is sent");
        let mut answer = vec![0; 64];
        let read = timeout(Duration::from_secs(20), stream.read(&mut answer)).await;
        let read = read.unwrap_or_else(|_| panic!("no answer in time to {:.300}", String::from_utf8_lossy(bytes)));
        let text = String::from_utf8_lossy(&answer[..read.unwrap_or(0)]).into_owned();
        text.split(' ').nth(1).and_then(|status| status.parse().ok())
    }
}
