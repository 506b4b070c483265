//! `rootstock serve`: the server, from its start to its end.
//!
//! In: the configuration. Out: answers, until SIGTERM or SIGINT; then what is in flight is answered and the program
//! ends with 0.

use std::{future::pending, io::Write as _, net::SocketAddr, pin::pin, time::Duration};

use clap::Args;
use migration::Migrator;
use rootstock::{
    app::{self, App},
    catalog::Catalog,
    config::{Config, Options},
    engine::database::Migrate,
    error::{Error, Kind, Result},
    http, seed,
    telemetry::traces,
};
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle, time::sleep};

use super::{Failure, Outcome, catalog};

/// How long the collector has for the last traces, behind the grace of requests.
const FLUSH: Duration = Duration::from_secs(1);

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Leave the schema as it is
    #[arg(long)]
    no_migrate: bool,
}

pub(super) async fn run(options: &Options, arguments: &Arguments) -> Outcome {
    let config = Config::new(options)?;
    trace(options)?;
    // Heard from the start on: who is told to stop while it waits for its database stops.
    let mut stop = Stop::listen()?;
    let started = tokio::select! {
        started = start(&config, catalog()?, arguments) => started?,
        () = stop.requested() => return Ok(()),
    };
    let admin = Admin::start(&config, &started.0).await?;
    let served = serve(&config, started, stop).await;
    // It has told of the end as well.
    drop(admin);
    traces::stop(FLUSH).await;
    Ok(served?)
}

/// Begins to trace, if somebody takes traces.
fn trace(options: &Options) -> Outcome {
    let Some(config) = options.traces()? else { return Ok(()) };
    traces::start(&config).map_err(|error| Failure::No(format!("error: traces cannot be sent: {error}")))
}

/// What is served to those who run the program, until this is dropped: also while requests in flight are answered.
struct Admin(Option<JoinHandle<()>>);

impl Admin {
    async fn start(config: &Config, app: &App) -> Result<Self> {
        let Some(address) = config.http.admin_addr else { return Ok(Self(None)) };
        let listener = TcpListener::bind(address).await.map_err(|error| {
            let message = format!("The address of ADMIN_ADDR, {address}, cannot be listened on");
            Error::new(Kind::Unavailable, message).source(error)
        })?;
        let address = listener.local_addr().map_err(Error::internal)?;
        tracing::info!(%address, "metrics and health are served");
        let (router, config) = (app.admin_router(), config.http.clone());
        Ok(Self(Some(tokio::spawn(async move { http::serve(listener, router, &config, pending()).await }))))
    }
}

impl Drop for Admin {
    fn drop(&mut self) {
        if let Some(serving) = &self.0 {
            serving.abort();
        }
    }
}

/// The application and the listener, once the database is as it should be.
async fn start(config: &Config, catalog: Catalog, arguments: &Arguments) -> Result<(App, TcpListener)> {
    let app = app::build(config, catalog).await?;
    if arguments.no_migrate {
        // Whoever migrates elsewhere may not have done so yet: /readyz says what is missing, and the server waits.
        if let Err(error) = plant(&app).await {
            tracing::warn!(%error, "the table of trees could not be looked at");
        }
    } else {
        app.database.migrate::<Migrator>(Migrate::Up).await?;
        plant(&app).await?;
    }
    let address = config.http.bind_addr;
    let listener = TcpListener::bind(address).await.map_err(|error| {
        Error::new(Kind::Unavailable, format!("The address of BIND_ADDR, {address}, cannot be listened on"))
            .source(error)
    })?;
    Ok((app, listener))
}

async fn plant(app: &App) -> Result<()> {
    if seed::first_trees(&app.database).await? {
        tracing::info!("the four trees are planted");
    }
    Ok(())
}

/// Serves until told to stop, then until every request in flight is answered or the time for that is over.
async fn serve(config: &Config, (app, listener): (App, TcpListener), mut stop: Stop) -> Result<()> {
    let address = listener.local_addr().map_err(Error::internal)?;
    announce(address);
    let readiness = app.readiness.clone();
    let (drain, draining) = oneshot::channel::<()>();
    let mut server = pin!(http::serve(listener, app.router(), &config.http, async {
        // Said, or dropped by somebody who will not say it any more: both are the end.
        let _ = draining.await;
    }));
    tokio::select! {
        () = &mut server => return Ok(()),
        () = stop.requested() => {}
    }
    let grace = config.http.shutdown_grace;
    tracing::info!(grace_seconds = grace.as_secs(), "stopping: requests in flight are answered first");
    readiness.drain();
    let _ = drain.send(());
    tokio::select! {
        () = &mut server => {}
        () = sleep(grace) => tracing::warn!("stopped with requests in flight: SHUTDOWN_GRACE_SECONDS are over"),
        () = stop.requested() => tracing::warn!("stopped with requests in flight: told to stop twice"),
    }
    Ok(())
}

/// Says where everything is: to people on standard output, and to the log.
fn announce(mut address: SocketAddr) {
    tracing::info!(%address, "listening");
    if address.ip().is_unspecified() {
        // All addresses is none that a browser could open.
        address.set_ip(if address.is_ipv4() { [127, 0, 0, 1].into() } else { [0, 0, 0, 0, 0, 0, 0, 1].into() });
    }
    let version = env!("CARGO_PKG_VERSION");
    // Whoever has closed standard output does not want to know.
    let _ = writeln!(
        std::io::stdout(),
        "Rootstock {version} is up:\n  GraphiQL  http://{address}/graphiql\n  REST      curl http://{address}/trees\n  \
         API docs  http://{address}/docs\nPress Ctrl-C to stop."
    );
}

/// The signals that tell the program to stop.
struct Stop {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
}

impl Stop {
    #[cfg(unix)]
    fn listen() -> Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            terminate: signal(SignalKind::terminate()).map_err(Error::internal)?,
            interrupt: signal(SignalKind::interrupt()).map_err(Error::internal)?,
        })
    }

    #[cfg(not(unix))]
    fn listen() -> Result<Self> {
        Ok(Self {})
    }

    /// Waits for the next of them.
    #[cfg(unix)]
    async fn requested(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }

    #[cfg(not(unix))]
    async fn requested(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending().await
        }
    }
}
