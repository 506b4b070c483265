//! How a request runs: request → plan → authorize → compile → execute, each a function over plain values.
//!
//! In: a [`Question`] with its arguments and a [`Principal`]. Out: the bytes of the answer. The engine knows the
//! catalogue, and neither a protocol nor an entity.

pub mod authorize;
pub mod bind;
pub mod compile;
mod csv;
pub mod cursor;
pub mod database;
pub mod digest;
pub mod ending;
mod execute;
pub mod flow;
#[cfg(fuzzing)]
pub mod fuzzing;
mod nested;
mod operand;
pub mod plan;
pub mod principal;
pub mod query;
mod regex;
pub mod render;
pub mod request;
mod search;
mod words;

use crate::{
    catalog::{Catalog, scalar::Style},
    error::{Error, Result},
    telemetry::{
        metrics,
        record::{self, Stage},
    },
};
use authorize::{Authorized, Who};
use bind::{Argument, Bound};
use compile::Plan;
use database::{Connection, Database, End, Transaction};
use ending::{Ended, Ending};
use execute::once::{Claimed, claim};
use flow::Long;
use plan::Bounds;
use principal::Principal;
use query::Query;
use quick_cache::{Equivalent, Weighter, sync::Cache};
use render::Answer;
use request::{Envelope, Field, Form, Key, Question, Request};
use std::sync::Arc;

/// How many plans are kept: the distinct shapes of requests, times roles.
const PLANS: usize = 2_000;
/// How much of them is kept, as [`Plan::size`] counts it: a few of the largest are as much as all of the usual ones.
const MAX_SIZE: u64 = 8 * 1024 * 1024;

/// How many values the questions may have whose plans are kept.
pub const LARGE: usize = 256;

/// Runs requests. Clones share everything.
#[derive(Debug, Clone)]
pub struct Engine(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    catalog: Catalog,
    database: Database,
    plans: Cache<PlanKey, Arc<Plan>, Weight>,
}

/// What decides a plan. No value of a client and no claim is in it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct PlanKey {
    question: Question,
    style: Style,
    who: Who,
    default_page: u64,
}

/// Weighs what is kept.
#[derive(Debug, Clone)]
struct Weight;

impl Weighter<PlanKey, Arc<Plan>> for Weight {
    fn weight(&self, _: &PlanKey, plan: &Arc<Plan>) -> u64 {
        plan.size()
    }
}

/// A [`PlanKey`] that is only looked up; it hashes alike.
#[derive(Hash)]
struct PlanRef<'a> {
    question: &'a Question,
    style: Style,
    who: &'a Who,
    default_page: u64,
}

impl Equivalent<PlanKey> for PlanRef<'_> {
    fn equivalent(&self, key: &PlanKey) -> bool {
        *self.question == key.question
            && self.style == key.style
            && *self.who == key.who
            && self.default_page == key.default_page
    }
}

impl Engine {
    /// An engine for what `catalog` says exists in `database`.
    pub fn new(catalog: Catalog, database: Database) -> Self {
        Self(Arc::new(Inner { catalog, database, plans: Cache::with_weighter(PLANS, MAX_SIZE, Weight) }))
    }

    /// What exists.
    pub fn catalog(&self) -> &Catalog {
        &self.0.catalog
    }

    /// Where it is.
    pub fn database(&self) -> &Database {
        &self.0.database
    }

    /// A question planned and authorised, before any SQL.
    ///
    /// # Errors
    /// Those of [`plan::plan`] and [`authorize::authorize`].
    pub fn authorize(&self, question: &Question, style: Style, bounds: Bounds, who: &Who) -> Result<Authorized<Query>> {
        let catalog = &self.0.catalog;
        let planned = {
            let _plan = record::stage(Stage::Plan);
            plan::plan(catalog, question, style, bounds)?
        };
        let _authorize = record::stage(Stage::Authorize);
        authorize::authorize(catalog, planned, who)
    }

    /// The plan of a question for a caller, out of the cache if it was asked before.
    ///
    /// # Errors
    /// Those of [`plan::plan`] and [`authorize::authorize`].
    pub fn prepare(&self, question: &Question, style: Style, bounds: Bounds, who: &Who) -> Result<Arc<Plan>> {
        let default_page = bounds.default_page;
        let kept = self.0.plans.get(&PlanRef { question, style, who, default_page });
        metrics::looked_up(metrics::Cache::Plans, kept.is_some());
        if let Some(plan) = kept {
            return Ok(plan);
        }
        let query = self.authorize(question, style, bounds, who)?;
        let _compile = record::stage(Stage::Compile);
        let plan = Arc::new(compile::compile(&self.0.catalog, &query, self.0.database.dialect(), style));
        // A question of very many values is seldom asked twice, and its plan is as large.
        if plan.slots.len() > LARGE {
            return Ok(plan);
        }
        let key = PlanKey { question: question.clone(), style, who: who.clone(), default_page };
        self.0.plans.insert(key, Arc::clone(&plan));
        Ok(plan)
    }

    /// How many plans are in the cache.
    pub fn cached_plans(&self) -> usize {
        self.0.plans.len()
    }

    /// The typed values of a plan's execution.
    ///
    /// # Errors
    /// Those of [`bind::bind`].
    pub fn bind(&self, plan: &Plan, arguments: &[Argument], principal: &Principal) -> Result<Bound> {
        bind::bind(&self.0.catalog, &plan.slots, &plan.defects, arguments, principal)
    }

    /// Runs a plan that only reads, on a connection that may run others beside it.
    ///
    /// # Errors
    /// What the database says.
    pub async fn read(&self, connection: &Connection, plan: &Plan, bound: &Bound) -> Result<Answer> {
        execute::read(connection, plan, bound, None).await
    }

    /// Runs a plan inside a transaction, which the caller commits, or drops where it failed.
    ///
    /// # Errors
    /// `NotFound` and `Forbidden` for rows that are not there or not to be changed, and what the database says.
    pub async fn write(&self, transaction: &Transaction, plan: &Plan, bound: &Bound) -> Result<Answer> {
        match &plan.write {
            Some(write) => execute::write(transaction, write, plan, bound, None).await,
            None => execute::read(transaction, plan, bound, None).await,
        }
    }

    /// Runs one plan, in a transaction of its own if it writes.
    ///
    /// # Errors
    /// Those of [`Engine::bind`], [`Engine::read`] and [`Engine::write`].
    pub async fn run(&self, plan: &Plan, arguments: &[Argument], principal: &Principal) -> Result<Answer> {
        let bound = self.bind(plan, arguments, principal)?;
        self.run_bound(plan, &bound).await
    }

    /// Runs one plan that reads, where it sees what was written last.
    ///
    /// # Errors
    /// Those of [`Engine::bind`] and [`Engine::read`].
    pub async fn run_latest(&self, plan: &Plan, arguments: &[Argument], principal: &Principal) -> Result<Answer> {
        let bound = self.bind(plan, arguments, principal)?;
        self.0.database.reading(async |connection| self.read(connection, plan, &bound).await).await.inspect(told)
    }

    /// Runs one plan with its values, in a transaction of its own if it writes.
    ///
    /// # Errors
    /// Those of [`Engine::read`] and [`Engine::write`].
    pub async fn run_bound(&self, plan: &Plan, bound: &Bound) -> Result<Answer> {
        if plan.write.is_none() {
            let read = async |connection: &Connection| self.read(connection, plan, bound).await;
            return self.0.database.reading_replica(read).await.inspect(told);
        }
        if let Some((create, direct)) = plan.direct() {
            let add = async |connection: &Connection| execute::direct(connection, create, direct, bound).await;
            return self.0.database.writing_once(add).await.inspect(written);
        }
        let write = async |transaction: &Transaction| self.write(transaction, plan, bound).await;
        self.0.database.writing(write).await.inspect(written)
    }

    /// Runs one plan that writes with its values, in a transaction of its own, which ends as the protocol asks.
    ///
    /// # Errors
    /// Those of [`Engine::write`], `PreconditionFailed` for a row in another state than is asked for, `Invalid` for a key
    /// of another request, and what the protocol says of the answer. Nothing has changed then.
    pub async fn conclude(&self, plan: &Plan, bound: &Bound, ending: Ending<'_>) -> Result<Ended> {
        if ending.is_plain() {
            return self.run_bound(plan, bound).await.map(Ended::Now);
        }
        let Some(write) = &plan.write else { return Err(Error::internal("the end of a write that is none")) };
        let work = async |transaction: &Transaction| {
            let claim = match &ending.once {
                None => None,
                Some(once) => match claim(transaction, once, bound).await? {
                    Claimed::First(claim) => Some((claim, once)),
                    Claimed::Again(told) => return Ok(Ended::Before(told)),
                },
            };
            let answer = execute::write(transaction, write, plan, bound, ending.state).await?;
            if let Some(accept) = ending.accept {
                accept(&answer)?;
            }
            if let Some((claim, once)) = claim {
                claim.keep(transaction, (once.keep)(&answer)?).await?;
            }
            Ok(Ended::Now(answer))
        };
        let end = if ending.undone { End::Rollback } else { End::Commit };
        let ended: Ended = self.0.database.ending::<_, Error>(end, work).await?;
        if let Ended::Now(answer) = &ended {
            written(answer);
        }
        Ok(ended)
    }

    /// Reads a page of a list; its rows are still to come if they are too many to be held.
    ///
    /// # Errors
    /// Those of [`Engine::bind`] and [`Engine::read`].
    pub async fn page(
        &self,
        plan: &Arc<Plan>,
        arguments: &[Argument],
        principal: &Principal,
    ) -> Result<(Answer, Option<Long>)> {
        let bound = self.bind(plan, arguments, principal)?;
        let page = match &plan.ahead {
            Some(ahead) => execute::long_page(&self.0.database, plan, ahead, bound).await?,
            None => {
                let page = async |connection: &Connection| execute::page(connection, plan, &bound).await;
                (self.0.database.reading_replica(page).await?, None)
            }
        };
        told(&page.0);
        Ok(page)
    }

    /// The row of `resource` with the key `key` as it was written last, with all its columns, as REST writes it; none if
    /// the caller sees none.
    ///
    /// # Errors
    /// Those of [`Engine::prepare`] and [`Engine::run_latest`].
    pub async fn object(&self, principal: &Principal, resource: &str, key: &str) -> Result<Option<Vec<u8>>> {
        let columns = self.0.catalog.at(self.0.catalog.find(resource)?).column_names();
        let select = columns.map(|name| Field::Column { alias: None, name: name.to_owned() }).collect();
        let question = Question {
            request: Request { resource: resource.to_owned(), action: request::Action::Get(Key::Slot(0)), select },
            envelope: Envelope::Object,
            form: Form::default(),
        };
        let bounds = Bounds { default_page: 1, max_page: 1 };
        let plan = self.prepare(&question, Style::Rest, bounds, &Who::from(principal))?;
        let answer = self.run_latest(&plan, &[Argument::Text(key.to_owned())], principal).await?;
        Ok((answer.rows > 0).then_some(answer.bytes))
    }
}

/// Notes the rows that an answer has, once it stands: work may have been begun again before.
pub(crate) fn told(answer: &Answer) {
    record::rows(answer.rows);
}

/// Notes the rows that a write has touched, whether its answer has them or not.
pub(crate) fn written(answer: &Answer) {
    record::rows(answer.rows.max(answer.touched));
}
