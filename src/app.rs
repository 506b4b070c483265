//! The application: the layers, wired once, the same way for the program and for its tests.
//!
//! In: a [`Config`] and a [`Catalog`]. Out: an [`App`], whose router answers requests.

use crate::{
    auth::Auth,
    catalog::Catalog,
    config::{Config, HttpConfig},
    engine::{Engine, database::Database},
    error::Result,
    graphql::GraphQl,
    http::{self, Readiness},
    rest::Rest,
};
use axum::Router;

/// A wired application.
pub struct App {
    /// Where the rows are.
    pub database: Database,
    /// What runs requests.
    pub engine: Engine,
    /// Who asks.
    pub auth: Auth,
    /// GraphQL over the engine.
    pub graphql: GraphQl,
    /// REST over the engine.
    pub rest: Rest,
    /// Whether it takes work.
    pub readiness: Readiness,
    /// The bounds of a request.
    http: HttpConfig,
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App").field("engine", &self.engine).finish_non_exhaustive()
    }
}

/// Wires an application that serves `catalog` as `config` says. The database is opened, and not migrated.
///
/// # Errors
/// A database that cannot be opened, a catalogue that makes no GraphQL schema, or trusted documents that cannot be.
pub async fn build(config: &Config, catalog: Catalog) -> Result<App> {
    let database = Database::connect(&config.database).await?;
    let engine = Engine::new(catalog, database.clone());
    let auth = Auth::new(&config.auth, database.clone());
    let graphql = GraphQl::new(engine.clone(), auth.clone(), config.limits.clone(), &config.graphql)?;
    Ok(App {
        readiness: Readiness::new(database.clone(), config.http.request_timeout),
        rest: Rest::new(engine.clone(), &config.limits, config.http.request_timeout),
        graphql,
        auth,
        engine,
        database,
        http: config.http.clone(),
    })
}

impl App {
    /// What answers HTTP.
    pub fn router(&self) -> Router {
        http::router(self.parts())
    }

    /// What answers those who run the program, on an address of its own. With it there are metrics.
    pub fn admin_router(&self) -> Router {
        http::admin_router(self.parts())
    }

    fn parts(&self) -> http::Parts {
        http::Parts {
            auth: self.auth.clone(),
            engine: self.engine.clone(),
            graphql: self.graphql.clone(),
            rest: self.rest.clone(),
            readiness: self.readiness.clone(),
            config: self.http.clone(),
        }
    }
}
