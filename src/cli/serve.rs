//! `rootstock serve`: the server, from its start to its end.
//!
//! In: the configuration. Out: answers, until a signal to stop; then what is in flight is answered and the program ends
//! with 0.

mod prepare;
mod stop;

use std::{future::pending, io::Write as _, net::SocketAddr, pin::pin, time::Duration};

use clap::Args;
use rootstock::{
    app::{self, App},
    config::{Config, Options},
    error::{Error, Kind, Result},
    http,
    telemetry::traces,
};
use tokio::{
    net::TcpListener,
    sync::oneshot,
    task::JoinHandle,
    time::{sleep, timeout},
};

use super::{Failure, Outcome, catalog};
use prepare::prepare;
use stop::Stop;

/// How long the first requests wait for a database that is there and only has to be migrated, before they are told that
/// it is not ready.
const HEAD_START: Duration = Duration::from_secs(2);
/// How much of the grace is kept for closing what is open, where there is that much: the program ends within the grace.
const CLOSING: Duration = Duration::from_millis(500);

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
    let stop = Stop::listen()?;
    let listener = listen("BIND_ADDR", config.http.bind_addr).await?;
    let app = app::build(&config, catalog()?).await?;
    let admin = Admin::start(&config, &app).await?;
    let served = serve(&config, &app, listener, stop, !arguments.no_migrate).await;
    // It has told of the end as well.
    drop(admin);
    // Side by side, for both are in the part of the grace that is kept for them.
    let (closed, ()) = tokio::join!(timeout(CLOSING, app.database.close()), traces::stop(CLOSING));
    if closed.is_err() {
        tracing::warn!("stopped with connections to the database in use");
    }
    served?;
    tracing::info!("stopped");
    Ok(())
}

/// Begins to trace, if somebody takes traces.
fn trace(options: &Options) -> Outcome {
    let Some(config) = options.traces()? else { return Ok(()) };
    traces::start(&config).map_err(|error| Failure::No(format!("error: traces cannot be sent: {error}")))
}

/// Takes the address of `variable` before anything else is done: somebody else may have it.
async fn listen(variable: &str, address: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|error| {
        Error::new(Kind::Unavailable, format!("The address of {variable}, {address}, cannot be listened on"))
            .source(error)
    })
}

/// What is served to those who run the program, until this is dropped: from the start on, while the database is waited
/// for, and also while requests in flight are answered.
struct Admin(Option<JoinHandle<()>>);

impl Admin {
    async fn start(config: &Config, app: &App) -> Result<Self> {
        let Some(address) = config.http.admin_addr else { return Ok(Self(None)) };
        let listener = listen("ADMIN_ADDR", address).await?;
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

/// Serves until told to stop, then until every request in flight is answered or the time for that is over. The database
/// is prepared meanwhile: an instance is alive, and says what it waits for, while its database is away.
async fn serve(config: &Config, app: &App, listener: TcpListener, mut stop: Stop, migrates: bool) -> Result<()> {
    let (address, readiness) = (listener.local_addr().map_err(Error::internal)?, app.readiness.clone());
    readiness.begin("The database is being looked at");
    let mut preparing = tokio::spawn(prepare(app.database.shut(), readiness.clone(), migrates));
    let mut prepared = tokio::select! {
        done = &mut preparing => { done.map_err(Error::internal)??; true }
        () = readiness.settled() => false,
        () = sleep(HEAD_START) => false,
        () = stop.requested() => {
            preparing.abort();
            return Ok(());
        }
    };
    tracing::info!(%address, "listening");
    if prepared {
        greet(address);
    }
    let (drain, draining) = oneshot::channel::<()>();
    let mut server = pin!(http::serve(listener, app.router(), &config.http, async {
        // Said, or dropped by somebody who will not say it any more: both are the end.
        let _ = draining.await;
    }));
    loop {
        tokio::select! {
            () = &mut server => return Ok(()),
            () = stop.requested() => break,
            done = &mut preparing, if !prepared => {
                done.map_err(Error::internal)??;
                prepared = true;
                greet(address);
            }
        }
    }
    let grace = config.http.shutdown_grace;
    tracing::info!(grace_seconds = grace.as_secs(), "stopping: requests in flight are answered first");
    preparing.abort();
    readiness.drain();
    let _ = drain.send(());
    tokio::select! {
        () = &mut server => {}
        () = sleep(grace - CLOSING.min(grace / 4)) => {
            tracing::warn!("stopped with requests in flight: SHUTDOWN_GRACE_SECONDS are over");
        }
        () = stop.requested() => tracing::warn!("stopped with requests in flight: told to stop twice"),
    }
    Ok(())
}

/// Says where everything is, to people on standard output.
fn greet(mut address: SocketAddr) {
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
