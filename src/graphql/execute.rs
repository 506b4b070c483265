//! The life of an operation: document → variables → plans → rows → bytes, each part found again when it was seen before.
//!
//! In: the text of a document, the text of its variables, who asks. Out: an [`Outcome`]. On a hit nothing is parsed,
//! validated or planned: the variables are coerced, and bound.

use super::{
    answer::{FieldAnswer, Outcome, Reader},
    document::{Document, Documents, Operation, Refusal},
    errors,
    operation::{Asked, Root, RootKind},
    parse::{self, Context},
    prepared::{self, OperationKey, OperationRef, Operations, Planned, Prepared, PreparedKind, PreparedRoot, Ready},
    tree::{self, Tree, Variables},
};
use crate::{
    auth::{Auth, client::Client, sessions},
    catalog::scalar::Style,
    config::{GraphQlConfig, Limits},
    engine::{
        self, Engine, LARGE,
        authorize::Who,
        bind::{Argument, Bound},
        compile::Plan,
        cursor,
        database::{Connection, Transaction},
        plan::Bounds,
        principal::Principal,
        render::Answer,
        request::Question,
    },
    error::{Error, Kind, Result},
    telemetry::{
        metrics,
        record::{self, Stage},
    },
};
use async_graphql::Name;
use async_graphql_parser::types::{OperationType, Selection};
use futures_util::future::join_all;
use std::sync::Arc;

/// Runs GraphQL operations. Clones share everything.
#[derive(Clone)]
pub struct GraphQl(Arc<Inner>);

struct Inner {
    engine: Engine,
    auth: Auth,
    documents: Documents,
    limits: Limits,
    /// Whether anonymous callers may learn the schema.
    introspection: bool,
    batch_limit: usize,
    operations: Operations,
}

impl GraphQl {
    /// GraphQL over `engine`.
    ///
    /// # Errors
    /// A catalogue that makes no schema: two types of one name. Trusted documents that cannot be.
    pub fn new(engine: Engine, auth: Auth, limits: Limits, config: &GraphQlConfig) -> Result<Self> {
        let mut documents = Documents::new(engine.catalog(), limits.max_cost)?;
        if let Some(path) = &config.trusted_documents {
            documents = documents.trusting(path)?;
        }
        let operations = prepared::operations();
        let GraphQlConfig { introspection, batch_limit, .. } = *config;
        Ok(Self(Arc::new(Inner { engine, auth, documents, limits, introspection, batch_limit, operations })))
    }

    /// Whether everybody may learn the schema.
    pub fn is_introspectable(&self) -> bool {
        self.0.introspection
    }

    /// How many documents are kept.
    pub fn cached_documents(&self) -> usize {
        self.0.documents.len()
    }

    /// The plans of how many operations are kept.
    pub fn cached_operations(&self) -> usize {
        self.0.operations.len()
    }

    /// How many operations a request may hold.
    pub fn batch_limit(&self) -> usize {
        self.0.batch_limit
    }

    /// Who sent `operations` with these headers, from where `client` says.
    ///
    /// # Errors
    /// `Unauthenticated` for a token that is not good, unless none of the operations is about who asks.
    pub async fn identify(
        &self,
        headers: &axum::http::HeaderMap,
        operations: &[Operation<'_>],
        client: &Client,
    ) -> Result<Principal> {
        match self.0.auth.principal(headers, Some(client)).await {
            // Looked at only now: most headers are good.
            Err(error)
                if error.kind == Kind::Unauthenticated
                    && operations.iter().all(|operation| self.ignores_header(operation)) =>
            {
                Ok(Principal::anonymous())
            }
            principal => principal.inspect_err(|error| sessions::refused(error, Some(client))),
        }
    }

    /// Whether an operation does nothing but sign in or go on with a session, so that a stale token does not matter.
    fn ignores_header(&self, operation: &Operation<'_>) -> bool {
        self.0.documents.find(operation).is_ok_and(|document| {
            let fields = document.operation.selection_set.node.items.iter().map(|item| &item.node);
            let mut names = fields.map(|item| match item {
                Selection::Field(field) => Some(field.node.name.node.as_str()),
                _ => None,
            });
            document.operation.ty == OperationType::Mutation
                && names.all(|name| matches!(name, Some("login" | "refresh" | "__typename")))
        })
    }

    /// Runs an operation that `principal` asks for, from where `client` says.
    pub async fn execute(&self, operation: &Operation<'_>, principal: &Principal, client: &Client) -> Outcome {
        let ready = self.ready(operation, principal);
        self.finish(operation, ready, principal, client).await
    }

    /// Runs operations one after the other, each by itself; none if together they would cost more than one may.
    ///
    /// # Errors
    /// `CostLimit`.
    pub async fn execute_all(
        &self,
        operations: &[Operation<'_>],
        principal: &Principal,
        client: &Client,
    ) -> Result<Vec<Outcome>> {
        let ready: Vec<_> = operations.iter().map(|operation| self.ready(operation, principal)).collect();
        let costs = ready.iter().flatten().map(|ready| ready.prepared.cost);
        let (cost, most) = (costs.fold(0, u64::saturating_add), self.0.limits.max_cost);
        if cost > most {
            let message = format!("The operations together cost more than {most}");
            return Err(Error::new(Kind::CostLimit, message).hint("Send fewer of them at a time"));
        }
        let mut outcomes = Vec::with_capacity(operations.len());
        for (operation, ready) in operations.iter().zip(ready) {
            outcomes.push(self.finish(operation, ready, principal, client).await);
        }
        Ok(outcomes)
    }

    /// What the data fields of an operation ask of the engine, with the values of their slots: none of it is run.
    ///
    /// # Errors
    /// What [`GraphQl::execute`] would refuse, as one error.
    pub fn questions(&self, operation: &Operation<'_>) -> Result<Vec<(Question, Vec<Argument>)>> {
        let refused = |refusal: Refusal| Error::bad_request(refusal.to_string());
        let document = self.0.documents.find(operation).map_err(refused)?;
        let mut trees = self.0.documents.variables(&document, operation.variables)?;
        let (mut next, mut leaves) = (0, Vec::new());
        for tree in trees.iter_mut().filter_map(|(_, tree)| tree.as_mut()) {
            tree::number(tree, &mut next);
            tree::take_leaves(tree.clone(), &mut leaves);
        }
        let operation = self.parse(&document, &trees)?;
        let asked = operation.roots.into_iter().filter_map(|root| match root.kind {
            RootKind::Question(asked) => Some(asked),
            _ => None,
        });
        Ok(asked
            .map(|asked| (asked.question, asked.sources.iter().map(|source| source.argument(&leaves)).collect()))
            .collect())
    }

    /// What an operation needs to run, or why it does not: all that is found before anything happens.
    fn ready(&self, operation: &Operation<'_>, principal: &Principal) -> Result<Ready, Refusal> {
        let parse = record::stage(Stage::Parse);
        let document = self.0.documents.find(operation)?;
        record::operation(&document.told);
        if operation.safe && document.operation.ty == OperationType::Mutation {
            return Err(Error::method_not_allowed("A mutation must be sent by POST", "POST").into());
        }
        // A document is kept for everybody: that it is valid says nothing of who may ask it.
        if document.introspects && self.conceals_from(principal) {
            let message = "The schema is not shown to anonymous callers";
            return Err(Refusal::Errors(vec![errors::render_document(errors::VALIDATION_FAILED, message, &[])]));
        }
        let mut trees = self.0.documents.variables(&document, operation.variables)?;
        let shape = document.shape(&trees)?;
        let who = Who::from(principal);
        let known = OperationRef { document: document.id, who: &who, shape: &shape };
        drop(parse);
        let kept = self.0.operations.get(&known);
        metrics::looked_up(metrics::Cache::Operations, kept.is_some());
        let prepared = match kept {
            Some(prepared) => prepared,
            None => {
                let mut next = 0;
                trees.iter_mut().filter_map(|(_, tree)| tree.as_mut()).for_each(|tree| tree::number(tree, &mut next));
                let prepared = Arc::new(self.prepare(&document, &trees, &who)?);
                if prepared.values() <= LARGE {
                    let key = OperationKey { document: document.id, who, shape };
                    self.0.operations.insert(key, Arc::clone(&prepared));
                }
                prepared
            }
        };
        let mut leaves = Vec::with_capacity(trees.len());
        trees.into_iter().filter_map(|(_, tree)| tree).for_each(|tree| tree::take_leaves(tree, &mut leaves));
        Ok(Ready { document, prepared, leaves })
    }

    fn conceals_from(&self, principal: &Principal) -> bool {
        !self.0.introspection && principal.is_anonymous()
    }

    async fn finish(
        &self,
        operation: &Operation<'_>,
        ready: Result<Ready, Refusal>,
        principal: &Principal,
        client: &Client,
    ) -> Outcome {
        let reader = Reader { client, concealed: self.conceals_from(principal).then_some(*operation) };
        let Ready { document, prepared, leaves } = match ready {
            Ok(ready) => ready,
            Err(refusal) => {
                metrics::operation(None, "refused", None);
                return reader.refused(refusal);
            }
        };
        let began = metrics::now();
        let fields = if let Some(failed) = prepared.spoilt() {
            failed
        } else if prepared.mutation {
            self.mutate(&prepared, &leaves, principal, client).await
        } else {
            self.query(&document, operation.variables, &prepared, &leaves, principal).await
        };
        let outcome = if fields.iter().any(|(_, _, bytes)| bytes.is_err()) { "error" } else { "ok" };
        metrics::operation(Some(&document.told), outcome, began.map(|began| began.elapsed()));
        reader.executed(fields)
    }

    fn parse(&self, document: &Document, trees: &[(Name, Option<Tree>)]) -> Result<super::operation::Operation> {
        let variables: Variables =
            trees.iter().filter_map(|(name, tree)| Some((name.clone(), tree.clone()?))).collect();
        let context = Context {
            catalog: self.0.engine.catalog(),
            types: &self.0.documents.types.inputs,
            limits: &self.0.limits,
            document: &document.document,
            variables: &variables,
        };
        parse::parse(&context, &document.operation)
    }

    /// The plans of an operation.
    fn prepare(&self, document: &Document, trees: &[(Name, Option<Tree>)], who: &Who) -> Result<Prepared> {
        let operation = {
            let _parse = record::stage(Stage::Parse);
            self.parse(document, trees)?
        };
        let has = |of: fn(&RootKind) -> bool| operation.roots.iter().any(|root| of(&root.kind));
        let sessions = |kind: &RootKind| matches!(kind, RootKind::Session(_) | RootKind::Logout(_));
        if has(sessions) && has(|kind| matches!(kind, RootKind::Question(_))) {
            let message = "What signs in or out stands alone: other fields run as the caller who sends them";
            return Err(
                Error::bad_request(message).hint("Send them in a document of their own, and the rest with the token")
            );
        }
        let root =
            |root: Root| PreparedRoot { key: root.key, nullable: root.nullable, kind: self.plan(root.kind, who) };
        let (mutation, cost) = (operation.mutation, operation.cost);
        let roots: Vec<_> = operation.roots.into_iter().map(root).collect();
        let size = document.size + roots.iter().map(PreparedRoot::size).sum::<u64>();
        Ok(Prepared { mutation, cost, size, roots })
    }

    fn plan(&self, kind: RootKind, who: &Who) -> Result<PreparedKind> {
        Ok(match kind {
            RootKind::TypeName(name) => PreparedKind::TypeName(name),
            RootKind::Question(asked) => PreparedKind::Planned(self.planned(asked, who)?),
            RootKind::Node(source, asked) => {
                let planned = asked.into_iter().map(|(index, asked)| Ok((index, self.planned(asked, who)?)));
                PreparedKind::Node(source, planned.collect::<Result<_>>()?)
            }
            RootKind::Session(session) => PreparedKind::Session(session),
            RootKind::Logout(token) => PreparedKind::Logout(token),
            RootKind::Introspection(field) => PreparedKind::Introspection(field),
        })
    }

    pub(super) fn planned(&self, asked: Asked, who: &Who) -> Result<Planned> {
        let bounds = Bounds { default_page: self.0.limits.default_page_size, max_page: self.0.limits.max_page_size };
        let plan = self.0.engine.prepare(&asked.question, Style::GraphQl, bounds, who)?;
        Ok(Planned { plan, sources: asked.sources })
    }

    /// Runs the fields of a query, side by side on one connection.
    async fn query(
        &self,
        document: &Document,
        variables: Option<&str>,
        prepared: &Prepared,
        leaves: &[Argument],
        principal: &Principal,
    ) -> Vec<FieldAnswer> {
        let bound: Vec<_> = prepared.roots.iter().map(|root| self.bind(root, leaves, principal)).collect();
        let needed = bound.iter().any(|bound| matches!(bound, Ok(Some(_))));
        let (rows, away) = match if needed { self.read(&bound).await } else { Ok(Vec::new()) } {
            Ok(rows) => (rows, None),
            Err(error) => (Vec::new(), Some(error)),
        };
        // A field that is not read has nothing in its place either.
        let rows = rows.into_iter().chain(std::iter::repeat_with(|| None));
        let fields = prepared.roots.iter().zip(bound).zip(rows).map(async |((root, bound), rows)| {
            let bytes = match (bound, rows, &root.kind) {
                (Err(error), ..) => Err(error),
                (Ok(Some(_)), Some(rows), _) => rows.map(|answer| answer.bytes),
                (Ok(Some(_)), None, _) => Err(match &away {
                    Some(error) => error.repeated(),
                    None => Error::internal("a plan that was not run"),
                }),
                (Ok(None), _, Ok(PreparedKind::TypeName(name))) => Ok(format!("\"{name}\"").into_bytes()),
                (Ok(None), _, Ok(PreparedKind::Introspection(field))) => {
                    self.0.documents.introspect(document, variables, field).await
                }
                (Ok(None), ..) => Ok(b"null".to_vec()),
            };
            (root.key.clone(), root.nullable, bytes)
        });
        join_all(fields).await
    }

    /// Reads the fields that have a plan, each in its place. That the database is away is told of them all: they are read
    /// again together.
    async fn read(&self, bound: &[BoundRoot<'_>]) -> Result<Vec<Option<Result<Answer>>>> {
        let engine = &self.0.engine;
        let read = async |connection: &Connection| {
            let mut rows = join_all(bound.iter().map(async |bound| match bound {
                Ok(Some((plan, bound))) => Some(engine.read(connection, plan, bound).await),
                _ => None,
            }))
            .await;
            let away = |rows: &Option<Result<Answer>>| {
                rows.as_ref().is_some_and(|rows| rows.as_ref().is_err_and(|error| error.kind == Kind::Unavailable))
            };
            match rows.iter().position(away).and_then(|index| rows.swap_remove(index)) {
                Some(Err(error)) => Err(error),
                _ => Ok(rows),
            }
        };
        let rows = engine.database().reading_replica(read).await?;
        rows.iter().flatten().flatten().for_each(engine::told);
        Ok(rows)
    }

    /// The plan of a root field and its values; none where no plan is run.
    fn bind<'p>(&self, root: &'p PreparedRoot, leaves: &[Argument], principal: &Principal) -> BoundRoot<'p> {
        let planned = match root.kind.as_ref().map_err(Error::repeated)? {
            PreparedKind::Planned(planned) => planned,
            PreparedKind::Node(source, planned) => {
                let id = source.argument(leaves);
                let resource = cursor::parse_node_id(self.0.engine.catalog(), id.text().unwrap_or_default());
                let planned = resource.and_then(|(index, _)| planned.iter().find(|(of, _)| *of == index));
                let Some((_, planned)) = planned else { return Ok(None) };
                planned
            }
            _ => return Ok(None),
        };
        let arguments: Vec<_> = planned.sources.iter().map(|source| source.argument(leaves)).collect();
        Ok(Some((&planned.plan, self.0.engine.bind(&planned.plan, &arguments, principal)?)))
    }

    pub(super) fn engine(&self) -> &Engine {
        &self.0.engine
    }

    pub(super) fn auth(&self) -> &Auth {
        &self.0.auth
    }

    /// Runs the fields of a mutation one after the other, in one transaction: the first failure undoes them all. What
    /// is wrong with their inputs is told before anything runs.
    async fn mutate(
        &self,
        prepared: &Prepared,
        leaves: &[Argument],
        principal: &Principal,
        client: &Client,
    ) -> Vec<FieldAnswer> {
        let bound = prepared.roots.iter().map(|root| (root, self.bind(root, leaves, principal)));
        let bound: Vec<_> = bound.collect();
        if bound.iter().any(|(_, bound)| bound.is_err()) {
            let wrong = bound.into_iter().filter_map(|(root, bound)| Some((root, bound.err()?)));
            return wrong.map(|(root, error)| (root.key.clone(), root.nullable, Err(error))).collect();
        }
        let writes = bound.iter().filter(|(_, bound)| matches!(bound, Ok(Some(_)))).count();
        let mut written = match writes {
            0 | 1 => Vec::new(),
            _ => match self.write(&bound).await {
                Ok(written) => written,
                Err(Undone { field, error }) => {
                    // What is behind it was not run, and what is before it has not happened.
                    let (root, _) = bound[field.min(bound.len() - 1)];
                    return vec![(root.key.clone(), root.nullable, Err(error))];
                }
            },
        }
        .into_iter();
        let mut fields = Vec::with_capacity(prepared.roots.len());
        for (root, bound) in bound {
            let bytes = match (bound, &root.kind) {
                (Ok(Some((plan, bound))), _) if writes == 1 => {
                    self.0.engine.run_bound(plan, &bound).await.map(|answer| answer.bytes)
                }
                (Ok(Some(_)), _) => match written.next() {
                    Some(answer) => Ok(answer.bytes),
                    None => Err(Error::internal("a mutation that was not run")),
                },
                (_, Ok(PreparedKind::TypeName(name))) => Ok(format!("\"{name}\"").into_bytes()),
                (_, Ok(PreparedKind::Session(session))) => self.sign_in(session, leaves, principal, client).await,
                (_, Ok(PreparedKind::Logout(token))) => self.sign_out(token, leaves, client).await,
                _ => Err(Error::internal("a mutation without a plan")),
            };
            let failed = bytes.is_err();
            fields.push((root.key.clone(), root.nullable, bytes));
            if failed {
                return fields;
            }
        }
        fields
    }

    /// Runs the fields that have a plan one after the other, in one transaction: their answers, in their order.
    async fn write(&self, bound: &[(&PreparedRoot, BoundRoot<'_>)]) -> Result<Vec<Answer>, Undone> {
        let engine = &self.0.engine;
        let write = async |transaction: &Transaction| {
            let mut written = Vec::with_capacity(bound.len());
            for (field, (_, bound)) in bound.iter().enumerate() {
                if let Ok(Some((plan, bound))) = bound {
                    let answer = engine.write(transaction, plan, bound).await;
                    written.push(answer.map_err(|error| Undone { field, error })?);
                }
            }
            Ok(written)
        };
        let written = engine.database().writing::<_, Undone>(write).await?;
        written.iter().for_each(engine::written);
        Ok(written)
    }
}

/// The plan of a root field and its values; none where no plan is run.
type BoundRoot<'p> = Result<Option<(&'p Plan, Bound)>>;

/// Why nothing of a document has happened.
struct Undone {
    /// The field that failed; beyond the last if all were run.
    field: usize,
    error: Error,
}

impl From<Error> for Undone {
    fn from(error: Error) -> Self {
        Self { field: usize::MAX, error }
    }
}

impl AsRef<Error> for Undone {
    fn as_ref(&self) -> &Error {
        &self.error
    }
}
