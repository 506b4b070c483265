//! Pages that are too long to be held: their rows go on their way as they come, through a buffer of bounded size.
//!
//! In: a [`Plan`] whose page is known to be long, and the snapshot out of which that is known. Out: the bytes of its
//! answer, chunk by chunk, and whether they are all. A client that is slow slows the statement down, and one that goes
//! away ends it.

use super::{
    bind::Bound,
    compile::Plan,
    database::{Flow, Row, Sink, Transaction},
    render::{ListPart, ListProgram, Program, Shared, write_ops},
};
use crate::{
    error::{Error, Result},
    telemetry::record,
};
use bytes::Bytes;
use futures_util::{Stream, future::join, stream};
use std::{io, sync::Arc};
use tokio::{
    sync::mpsc,
    time::{Instant, timeout_at},
};

/// How many bytes go on their way together.
const CHUNK: usize = 64 * 1024;

/// A page whose rows are still to come.
#[derive(Debug)]
pub struct Long {
    snapshot: Transaction,
    plan: Arc<Plan>,
    bound: Bound,
}

/// A part of an answer.
enum Part {
    Bytes(Bytes),
    /// Behind the last: an answer that stops without it is not whole.
    End,
}

impl Long {
    pub(super) fn new(snapshot: Transaction, plan: Arc<Plan>, bound: Bound) -> Self {
        Self { snapshot, plan, bound }
    }

    /// Leaves the rows untold.
    pub async fn leave(self) {
        self.snapshot.rollback().await;
    }

    /// Tells the rows, until they are all, or the time is over.
    pub fn tell(self, until: Instant) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
        let (out, parts) = mpsc::channel(1);
        tokio::spawn(record::follow(async move {
            tokio::select! {
                told = timeout_at(until, self.send(&out)) => match told {
                    // Nobody is there any more, or somebody has it all.
                    Ok(Ok(())) => drop(out.send(Part::End).await),
                    Ok(Err(error)) => tracing::warn!(
                        error.code = %error.code,
                        error.cause = error.cause(),
                        "an answer was broken off"
                    ),
                    Err(_) => tracing::warn!("an answer was broken off: it took longer than a request may"),
                },
                () = out.closed() => tracing::debug!("a client went away before the end of its answer"),
            }
        }));
        stream::unfold(Some(parts), async |parts| {
            let mut parts = parts?;
            match parts.recv().await {
                Some(Part::Bytes(bytes)) => Some((Ok(bytes), Some(parts))),
                Some(Part::End) => None,
                None => Some((Err(io::Error::other("the answer was broken off")), None)),
            }
        })
    }

    async fn send(self, out: &mpsc::Sender<Part>) -> Result<()> {
        let Self { snapshot, plan, bound } = self;
        let Some(statement) = &plan.read else { return Err(Error::internal("a long page of nothing")) };
        let values = bound.values(&statement.binds, None);
        let sink = Writer::new(Shared(Arc::clone(&plan.program)))?;
        // What waits for room waits here, and not on a thread that the database has: it ends with this future.
        let (inner, mut chunks) = mpsc::channel(1);
        let forward = async move {
            while let Some(bytes) = chunks.recv().await {
                if out.send(Part::Bytes(bytes)).await.is_err() {
                    return;
                }
            }
        };
        let (told, ()) = join(snapshot.flow(&statement.sql, &values, sink, inner), forward).await;
        match told {
            Ok(()) => snapshot.commit().await,
            Err(error) => {
                snapshot.rollback().await;
                Err(error)
            }
        }
    }
}

/// Writes the rows of a list into one chunk after the other.
struct Writer {
    program: Shared,
    /// Which part of the program the rows are.
    rows: usize,
    out: Vec<u8>,
    seen: u64,
}

impl Writer {
    fn new(program: Shared) -> Result<Self> {
        let wrong = || Error::internal("a long page that is no list of rows");
        let list = list(&program).filter(|list| !list.backward).ok_or_else(wrong)?;
        let is_rows = |part: &ListPart| matches!(part, ListPart::Rows(_) | ListPart::Lines(_));
        let rows = list.parts.iter().position(is_rows).ok_or_else(wrong)?;
        let mut out = Vec::with_capacity(CHUNK + CHUNK / 8);
        literals(&list.parts[..rows], &mut out);
        Ok(Self { program, rows, out, seen: 0 })
    }
}

fn list(program: &Shared) -> Option<&ListProgram> {
    match program.as_ref() {
        Program::List(list) => Some(list),
        Program::Row(_) | Program::Tagged { .. } => None,
    }
}

/// What stands around the rows.
fn literals(parts: &[ListPart], out: &mut Vec<u8>) {
    for part in parts {
        if let ListPart::Literal(bytes) = part {
            out.extend_from_slice(bytes);
        }
    }
}

impl Sink for Writer {
    type Output = Bytes;

    fn row<R: Row>(&mut self, row: &R) -> Result<()> {
        let Some(list) = list(&self.program) else { return Ok(()) };
        self.seen += 1;
        // The one behind the page.
        if self.seen > list.limit {
            return Ok(());
        }
        match &list.parts[self.rows] {
            ListPart::Lines(ops) => {
                self.out.push(b'\n');
                write_ops(ops, row, &mut self.out)
            }
            ListPart::Rows(ops) => {
                if self.seen > 1 {
                    self.out.push(b',');
                }
                write_ops(ops, row, &mut self.out)
            }
            _ => Ok(()),
        }
    }

    fn finish(mut self, _: u64) -> Result<Bytes> {
        if let Some(list) = list(&self.program) {
            literals(&list.parts[self.rows + 1..], &mut self.out);
        }
        Ok(Bytes::from(self.out))
    }
}

impl Flow for Writer {
    fn ready(&mut self) -> Option<Bytes> {
        if self.out.len() < CHUNK {
            return None;
        }
        let next = Vec::with_capacity(self.out.capacity());
        Some(Bytes::from(std::mem::replace(&mut self.out, next)))
    }
}
