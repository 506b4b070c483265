//! The life of an operation: document → variables → plans → rows → bytes, each part found again when it was seen before.
//!
//! In: the text of a document, the text of its variables, who asks. Out: an [`Outcome`]. On a hit nothing is parsed,
//! validated or planned: the variables are coerced, and bound.

use super::{
    errors,
    operation::{Asked, Root, RootKind, SessionField, SessionPart, Source},
    parse::{self, Context},
    schema::TypeSystem,
    values::{self, Given, Tree, Variables},
};
use crate::{
    auth::{Auth, RegisterInput},
    catalog::{
        Catalog,
        scalar::{Style, write_string},
    },
    config::Limits,
    engine::{
        Engine,
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
    error_http,
};
use async_graphql::{
    Name, Pos, Request as SchemaRequest, Response as SchemaResponse, Variables as SchemaVariables,
    extensions::{Extension, ExtensionContext, ExtensionFactory, NextExecute},
};
use async_graphql_parser::{
    Positioned,
    types::{
        DocumentOperations, ExecutableDocument, OperationDefinition, OperationType, Selection, SelectionSet, Type,
        VariableDefinition,
    },
};
use futures_util::future::join_all;
use quick_cache::sync::Cache;
use serde_json::Value;
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// How many documents are kept.
const DOCUMENTS: usize = 1_000;
/// How many planned operations are kept: documents, times roles, times shapes of variables.
const OPERATIONS: usize = 2_000;
/// The longest document that is kept, in bytes, so that the cache is bounded in memory as well.
const MAX_CACHED_DOCUMENT: usize = 64 * 1024;

/// Runs GraphQL operations. Clones share everything.
#[derive(Clone)]
pub struct GraphQl(Arc<Inner>);

struct Inner {
    engine: Engine,
    auth: Auth,
    types: TypeSystem,
    limits: Limits,
    documents: Cache<DocumentKey, Arc<Document>>,
    operations: Cache<OperationKey, Arc<Prepared>>,
    next_document: AtomicU64,
}

/// What a client sends.
#[derive(Debug, Clone, Copy)]
pub struct Operation<'a> {
    /// The document.
    pub query: &'a str,
    /// Which of its operations.
    pub name: Option<&'a str>,
    /// The text of a JSON object.
    pub variables: Option<&'a str>,
    /// Whether it came by a method that must not change anything.
    pub safe: bool,
}

/// What became of an operation.
#[derive(Debug)]
pub enum Outcome {
    /// It ran; the answer has `data`, and `errors` if some field failed.
    Executed(Vec<u8>),
    /// It did not run: the document or the variables are wrong. The answer has no `data`.
    Refused(Vec<u8>),
    /// It is a mutation and came by a method that must not change anything.
    NotSafe,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct DocumentKey {
    query: String,
    name: Option<String>,
}

/// A document that was found valid, and the one of its operations that runs.
struct Document {
    id: u64,
    document: ExecutableDocument,
    operation: OperationDefinition,
    variables: Vec<Declared>,
    /// Variables whose values decide the plan; whether they are cursors.
    deciding: Vec<(Name, bool)>,
}

/// A variable as the operation declares it.
struct Declared {
    name: Name,
    ty: Type,
    default: Option<async_graphql_value::Value>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct OperationKey {
    document: u64,
    who: Who,
    shape: Vec<u8>,
}

/// An operation with its plans.
struct Prepared {
    mutation: bool,
    roots: Vec<PreparedRoot>,
}

struct PreparedRoot {
    key: String,
    nullable: bool,
    kind: PreparedKind,
}

enum PreparedKind {
    TypeName(&'static str),
    Planned(Planned),
    Node(Source, Vec<(usize, Planned)>),
    Session(SessionField),
    Introspection(Box<Positioned<async_graphql_parser::types::Field>>),
}

struct Planned {
    plan: Arc<Plan>,
    sources: Vec<Source>,
}

/// Why an operation does not run.
enum Refusal {
    /// What is wrong, rendered.
    Errors(Vec<Value>),
    NotSafe,
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        error_http::log(&error);
        Self::Errors(vec![errors::render(&error, None)])
    }
}

impl GraphQl {
    /// GraphQL over `engine`.
    ///
    /// # Errors
    /// A catalogue that makes no schema: two types of one name.
    pub fn new(engine: Engine, auth: Auth, limits: Limits) -> Result<Self, String> {
        let types = TypeSystem::new(engine.catalog(), ValidateOnly).map_err(|error| error.to_string())?;
        let (documents, operations) = (Cache::new(DOCUMENTS), Cache::new(OPERATIONS));
        let next_document = AtomicU64::new(0);
        Ok(Self(Arc::new(Inner { engine, auth, types, limits, documents, operations, next_document })))
    }

    /// Who sent a request with this `Authorization` header.
    ///
    /// # Errors
    /// `Unauthenticated` for a token that is not good.
    pub async fn authenticate(&self, header: Option<&axum::http::HeaderValue>) -> Result<Principal> {
        self.0.auth.authenticate(header).await
    }

    /// Whether an operation does nothing but sign in, so that a stale token does not matter.
    pub fn signs_in(&self, operation: &Operation<'_>) -> bool {
        self.document(operation).is_ok_and(|document| {
            let fields = document.operation.selection_set.node.items.iter().map(|item| &item.node);
            let mut names = fields.map(|item| match item {
                Selection::Field(field) => Some(field.node.name.node.as_str()),
                _ => None,
            });
            document.operation.ty == OperationType::Mutation
                && names.all(|name| matches!(name, Some("login" | "register")))
        })
    }

    /// Runs an operation.
    pub async fn execute(&self, operation: &Operation<'_>, principal: &Principal) -> Outcome {
        match self.run(operation, principal).await {
            Ok(bytes) => Outcome::Executed(bytes),
            Err(Refusal::NotSafe) => Outcome::NotSafe,
            Err(Refusal::Errors(errors)) => {
                Outcome::Refused(serde_json::json!({ "errors": errors }).to_string().into_bytes())
            }
        }
    }

    /// What the data fields of an operation ask of the engine, with the values of their slots: none of it is run.
    ///
    /// # Errors
    /// What [`GraphQl::execute`] would refuse, as one error.
    pub fn questions(&self, operation: &Operation<'_>) -> Result<Vec<(Question, Vec<Argument>)>> {
        let refused = |refusal: Refusal| match refusal {
            Refusal::Errors(errors) => Error::bad_request(Value::Array(errors).to_string()),
            Refusal::NotSafe => Error::bad_request("a mutation"),
        };
        let document = self.document(operation).map_err(refused)?;
        let mut trees = self.variables(&document, operation.variables)?;
        let (mut next, mut leaves) = (0, Vec::new());
        for tree in trees.iter_mut().filter_map(|(_, tree)| tree.as_mut()) {
            values::number(tree, &mut next);
            values::flatten(tree.clone(), &mut Vec::new(), &mut leaves);
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

    async fn run(&self, operation: &Operation<'_>, principal: &Principal) -> Result<Vec<u8>, Refusal> {
        let document = self.document(operation)?;
        if operation.safe && document.operation.ty == OperationType::Mutation {
            return Err(Refusal::NotSafe);
        }
        let mut trees = self.variables(&document, operation.variables)?;
        let mut next = 0;
        for (_, tree) in &mut trees {
            if let Some(tree) = tree {
                values::number(tree, &mut next);
            }
        }
        let shape = document.shape(&trees)?;
        let who = Who::from(principal);
        let key = OperationKey { document: document.id, who, shape };
        let prepared = match self.0.operations.get(&key) {
            Some(prepared) => prepared,
            None => match self.prepare(&document, &trees, &key.who) {
                Ok(Ok(prepared)) => {
                    let prepared = Arc::new(prepared);
                    self.0.operations.insert(key, Arc::clone(&prepared));
                    prepared
                }
                Ok(Err(failed)) => return Ok(assemble(failed)),
                Err(error) => return Err(error.into()),
            },
        };
        let mut leaves = Vec::with_capacity(next);
        let mut shape = Vec::new();
        for (_, tree) in trees {
            tree.into_iter().for_each(|tree| values::flatten(tree, &mut shape, &mut leaves));
        }
        let fields = if prepared.mutation {
            self.mutate(&prepared, &leaves, principal).await
        } else {
            self.query(&document, &prepared, &leaves, principal).await
        };
        Ok(assemble(fields))
    }

    /// The document, parsed and found valid now or before.
    fn document(&self, operation: &Operation<'_>) -> Result<Arc<Document>, Refusal> {
        let key = DocumentKey { query: operation.query.to_owned(), name: operation.name.map(str::to_owned) };
        if let Some(document) = self.0.documents.get(&key) {
            return Ok(document);
        }
        let document = Arc::new(self.read_document(operation)?);
        if operation.query.len() <= MAX_CACHED_DOCUMENT {
            self.0.documents.insert(key, Arc::clone(&document));
        }
        Ok(document)
    }

    fn read_document(&self, given: &Operation<'_>) -> Result<Document, Refusal> {
        let document = async_graphql_parser::parse_query(given.query).map_err(|error| {
            let locations: Vec<Pos> = error.positions().collect();
            let code = match error {
                async_graphql_parser::Error::RecursionLimitExceeded => errors::code(Kind::CostLimit),
                _ => errors::PARSE_FAILED,
            };
            Refusal::Errors(vec![errors::render_document(code, &error.to_string(), &locations)])
        })?;
        let operation = select(&document, given.name)?;
        let declared: Vec<Declared> = operation.variable_definitions.iter().map(declare).collect();
        // Validation looks at variables as well. It is given none that would be wrong, so that what is said of them
        // does not depend on whether the document was seen before.
        let mut request = SchemaRequest::new(String::new()).variables(placeholders(given.variables));
        request.operation_name = given.name.map(str::to_owned);
        request.set_parsed_query(document.clone());
        let response = block_on_ready(self.0.types.validator.execute(request));
        if !response.errors.is_empty() {
            return Err(Refusal::Errors(errors::render_validation(&response.errors)));
        }
        Ok(Document {
            id: self.0.next_document.fetch_add(1, Ordering::Relaxed),
            deciding: parse::deciding_variables(&document, &operation),
            document,
            operation,
            variables: declared,
        })
    }

    /// The variables, coerced to their declared types.
    fn variables(&self, document: &Document, given: Option<&str>) -> Result<Vec<(Name, Option<Tree>)>> {
        let members = given.map(values::json_members).transpose()?.unwrap_or_default();
        let none = Variables::new();
        let types = &self.0.types.inputs;
        document
            .variables
            .iter()
            .map(|declared| {
                let path = format!("${}", declared.name);
                let value = members.iter().find(|(name, _)| *name == declared.name.as_str());
                let given = match (value, &declared.default) {
                    (Some((_, value)), _) => Given::Json(value.get()),
                    (None, Some(default)) => Given::Literal(default, &none),
                    (None, None) if declared.ty.nullable => return Ok((declared.name.clone(), None)),
                    (None, None) => {
                        return Err(Error::bad_value(format!("{path} is required")).field(declared.name.as_str()));
                    }
                };
                Ok((declared.name.clone(), values::coerce(types, &declared.ty, given, &path)?))
            })
            .collect()
    }

    fn parse(&self, document: &Document, trees: &[(Name, Option<Tree>)]) -> Result<super::operation::Operation> {
        let variables: Variables =
            trees.iter().filter_map(|(name, tree)| Some((name.clone(), tree.clone()?))).collect();
        let context = Context {
            catalog: self.0.engine.catalog(),
            types: &self.0.types.inputs,
            limits: &self.0.limits,
            document: &document.document,
            variables: &variables,
        };
        parse::parse(&context, &document.operation)
    }

    /// The plans of an operation; the fields' errors where some cannot be planned.
    #[expect(clippy::type_complexity, reason = "a name for it would be read in this place alone")]
    fn prepare(
        &self,
        document: &Document,
        trees: &[(Name, Option<Tree>)],
        who: &Who,
    ) -> Result<Result<Prepared, Vec<(String, bool, Result<Vec<u8>>)>>> {
        let operation = self.parse(document, trees)?;
        let signing_in = |root: &Root| matches!(root.kind, RootKind::Session(_));
        if operation.roots.iter().any(signing_in)
            && operation.roots.iter().any(|root| matches!(root.kind, RootKind::Question(_)))
        {
            return Err(Error::bad_request(
                "register and login stand alone: other fields run as the caller who sends them",
            )
            .hint("Send them in a document of their own, and the rest with the token"));
        }
        let mutation = operation.mutation;
        let mut failed = false;
        let mut roots = Vec::with_capacity(operation.roots.len());
        for root in operation.roots {
            let kind = self.plan(root.kind, who);
            failed |= kind.is_err();
            roots.push((root.key, root.nullable, kind));
        }
        if failed {
            // A field that could be planned is not run for an answer that another field has spoilt already, unless
            // that one can be null on its own: then it is told as a failure of this document alone.
            let spoilt = roots.iter().any(|(_, nullable, kind)| !nullable && kind.is_err());
            if spoilt || mutation {
                return Ok(Err(roots
                    .into_iter()
                    .filter_map(|(key, nullable, kind)| Some((key, nullable, Err(kind.err()?))))
                    .collect()));
            }
        }
        let roots = roots
            .into_iter()
            .map(|(key, nullable, kind)| Ok(PreparedRoot { key, nullable, kind: kind? }))
            .collect::<Result<_>>()?;
        Ok(Ok(Prepared { mutation, roots }))
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
            RootKind::Introspection(field) => PreparedKind::Introspection(field),
        })
    }

    fn planned(&self, asked: Asked, who: &Who) -> Result<Planned> {
        let bounds = Bounds { default_page: self.0.limits.default_page_size, max_page: self.0.limits.max_page_size };
        let plan = self.0.engine.prepare(&asked.question, Style::GraphQl, bounds, who)?;
        Ok(Planned { plan, sources: asked.sources })
    }

    /// Runs the fields of a query, side by side on one connection.
    async fn query(
        &self,
        document: &Document,
        prepared: &Prepared,
        leaves: &[Argument],
        principal: &Principal,
    ) -> Vec<(String, bool, Result<Vec<u8>>)> {
        let engine = &self.0.engine;
        let bound: Vec<_> = prepared.roots.iter().map(|root| self.bind(root, leaves, principal)).collect();
        let needed = bound.iter().any(|bound| matches!(bound, Ok(Some(_))));
        let connection = if needed { Some(engine.database().read().await) } else { None };
        let fields = prepared.roots.iter().zip(bound).map(async |(root, bound)| {
            let bytes = match (bound, &root.kind) {
                (Err(error), _) => Err(error),
                (Ok(Some((plan, bound))), _) => match &connection {
                    Some(Ok(connection)) => read(engine, connection, plan, &bound).await,
                    Some(Err(error)) => Err(Error::new(error.kind, error.message.clone())),
                    None => Err(Error::internal("a plan without a connection")),
                },
                (Ok(None), PreparedKind::TypeName(name)) => Ok(format!("\"{name}\"").into_bytes()),
                (Ok(None), PreparedKind::Introspection(field)) => self.introspect(document, field).await,
                (Ok(None), _) => Ok(b"null".to_vec()),
            };
            (root.key.clone(), root.nullable, bytes)
        });
        join_all(fields).await
    }

    /// The plan of a root field and its values; none where no plan is run.
    fn bind<'p>(
        &self,
        root: &'p PreparedRoot,
        leaves: &[Argument],
        principal: &Principal,
    ) -> Result<Option<(&'p Plan, Bound)>> {
        let planned = match &root.kind {
            PreparedKind::Planned(planned) => planned,
            PreparedKind::Node(source, planned) => {
                let id = source.argument(leaves);
                let resource = cursor::parse_node_id(self.catalog(), id.text().unwrap_or_default());
                let planned = resource.and_then(|(index, _)| planned.iter().find(|(of, _)| *of == index));
                let Some((_, planned)) = planned else { return Ok(None) };
                planned
            }
            _ => return Ok(None),
        };
        let arguments: Vec<_> = planned.sources.iter().map(|source| source.argument(leaves)).collect();
        Ok(Some((&planned.plan, self.0.engine.bind(&planned.plan, &arguments, principal)?)))
    }

    fn catalog(&self) -> &Catalog {
        self.0.engine.catalog()
    }

    /// Runs the fields of a mutation one after the other, in one transaction: the first failure undoes them all.
    async fn mutate(
        &self,
        prepared: &Prepared,
        leaves: &[Argument],
        principal: &Principal,
    ) -> Vec<(String, bool, Result<Vec<u8>>)> {
        let mut fields = Vec::with_capacity(prepared.roots.len());
        let mut transaction: Option<Transaction> = None;
        for root in &prepared.roots {
            let bytes = match &root.kind {
                PreparedKind::TypeName(name) => Ok(format!("\"{name}\"").into_bytes()),
                PreparedKind::Session(session) => self.sign_in(session, leaves).await,
                _ => self.change(&mut transaction, root, leaves, principal).await,
            };
            let failed = bytes.is_err();
            fields.push((root.key.clone(), root.nullable, bytes));
            if failed {
                if let Some(transaction) = transaction {
                    transaction.rollback().await;
                }
                return fields;
            }
        }
        if let Some(transaction) = transaction
            && let Err(error) = transaction.commit().await
            && let Some((_, _, bytes)) = fields.last_mut()
        {
            *bytes = Err(error);
        }
        fields
    }

    async fn change(
        &self,
        transaction: &mut Option<Transaction>,
        root: &PreparedRoot,
        leaves: &[Argument],
        principal: &Principal,
    ) -> Result<Vec<u8>> {
        let Some((plan, bound)) = self.bind(root, leaves, principal)? else {
            return Err(Error::internal("a mutation without a plan"));
        };
        let transaction = match transaction {
            Some(transaction) => transaction,
            None => transaction.insert(self.0.engine.database().begin().await?),
        };
        self.0.engine.write(transaction, plan, &bound).await.map(|answer| answer.bytes)
    }

    async fn sign_in(&self, field: &SessionField, leaves: &[Argument]) -> Result<Vec<u8>> {
        let text = |source: &Source| source.argument(leaves).text().unwrap_or_default().to_owned();
        let (email, password) = (text(&field.email), text(&field.password).into());
        let session = if field.register {
            let name = field.name.as_ref().and_then(|name| name.argument(leaves).text().map(str::to_owned));
            self.0.auth.register(RegisterInput { email, password, name }).await?
        } else {
            self.0.auth.login(&email, password).await?
        };
        let principal = session.principal();
        let mut out = b"{".to_vec();
        for (index, (key, part)) in field.fields.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            write_string(key, &mut out);
            out.push(b':');
            match part {
                SessionPart::AccessToken => write_string(&session.access_token, &mut out),
                SessionPart::TokenType => out.extend_from_slice(b"\"bearer\""),
                SessionPart::ExpiresIn => out.extend_from_slice(session.expires_in.to_string().as_bytes()),
                SessionPart::TypeName => out.extend_from_slice(b"\"Session\""),
                SessionPart::User(asked) => {
                    let planned = self.planned((**asked).clone(), &Who::from(&principal))?;
                    let arguments: Vec<_> = planned.sources.iter().map(|source| source.argument(leaves)).collect();
                    let answer = self.0.engine.run(&planned.plan, &arguments, &principal).await?;
                    out.extend_from_slice(&answer.bytes);
                }
            }
        }
        out.push(b'}');
        Ok(out)
    }

    /// Lets the schema answer a field about itself.
    async fn introspect(
        &self,
        document: &Document,
        field: &Positioned<async_graphql_parser::types::Field>,
    ) -> Result<Vec<u8>> {
        let mut operation = document.operation.clone();
        operation.ty = OperationType::Query;
        operation.selection_set.node =
            SelectionSet { items: vec![Positioned::new(Selection::Field(field.clone()), field.pos)] };
        let request = SchemaRequest::new(String::new());
        let mut request = request.variables(placeholders(None));
        request.set_parsed_query(ExecutableDocument {
            operations: DocumentOperations::Single(Positioned::new(operation, field.pos)),
            fragments: document.document.fragments.clone(),
        });
        let response = self.0.types.schema.execute(request).await;
        if let Some(error) = response.errors.first() {
            return Err(Error::bad_request(error.message.clone()));
        }
        let data = response.data.into_json().map_err(Error::internal)?;
        let key = field.node.response_key().node.as_str();
        Ok(data.get(key).unwrap_or(&Value::Null).to_string().into_bytes())
    }
}

async fn read(engine: &Engine, connection: &Connection, plan: &Plan, bound: &Bound) -> Result<Vec<u8>> {
    let answer: Answer = engine.read(connection, plan, bound).await?;
    Ok(answer.bytes)
}

impl Document {
    /// What of the variables decides the plan, beside the document and the caller's role.
    fn shape(&self, trees: &[(Name, Option<Tree>)]) -> Result<Vec<u8>> {
        let mut shape = Vec::with_capacity(trees.len() * 2);
        for (name, tree) in trees {
            let Some(tree) = tree else {
                shape.push(b'-');
                continue;
            };
            let mut leaves = Vec::new();
            values::flatten(tree.clone(), &mut shape, &mut leaves);
            for (_, is_cursor) in self.deciding.iter().filter(|(deciding, _)| deciding == name) {
                for leaf in &leaves {
                    match (is_cursor, leaf.text()) {
                        (true, Some(text)) => {
                            let nulls = cursor::nulls(text).map_err(|error| error.field(name.as_str()))?;
                            shape.extend_from_slice(&nulls.to_be_bytes());
                        }
                        _ => values::describe(leaf, &mut shape),
                    }
                }
            }
        }
        Ok(shape)
    }
}

fn declare(definition: &Positioned<VariableDefinition>) -> Declared {
    let definition = &definition.node;
    Declared {
        name: definition.name.node.clone(),
        ty: definition.var_type.node.clone(),
        default: definition.default_value().map(|value| value.clone().into_value()),
    }
}

/// The operation that runs.
fn select(document: &ExecutableDocument, name: Option<&str>) -> Result<OperationDefinition, Refusal> {
    let refuse =
        |message: String| Refusal::Errors(vec![errors::render_document(errors::VALIDATION_FAILED, &message, &[])]);
    let operation = match (&document.operations, name) {
        (DocumentOperations::Single(operation), None) => operation,
        (DocumentOperations::Multiple(operations), Some(name)) => {
            let names = operations.keys().map(Name::as_str);
            operations.get(name).ok_or_else(|| {
                let near = crate::error::nearest(name, names)
                    .map_or_else(String::new, |near| format!(" Did you mean \"{near}\"?"));
                refuse(format!("The document has no operation named \"{name}\".{near}"))
            })?
        }
        (DocumentOperations::Multiple(operations), None) if operations.len() == 1 => {
            operations.values().next().ok_or_else(|| refuse("The document has no operation.".to_owned()))?
        }
        (DocumentOperations::Multiple(_), None) => {
            return Err(refuse("The document has several operations: say which by operationName.".to_owned()));
        }
        (DocumentOperations::Single(_), Some(name)) => {
            return Err(refuse(format!("The document has no operation named \"{name}\".")));
        }
    };
    if operation.node.ty == OperationType::Subscription {
        return Err(refuse("The schema has no subscriptions.".to_owned()));
    }
    Ok(operation.node.clone())
}

/// The variables for validation and introspection: those that were given, as JSON.
fn placeholders(given: Option<&str>) -> SchemaVariables {
    let json = given.and_then(|given| serde_json::from_str(given).ok());
    SchemaVariables::from_json(json.unwrap_or(Value::Object(serde_json::Map::new())))
}

/// Frames the fields of an answer. A failed field that can be null is null; another makes all of the data null.
fn assemble(fields: Vec<(String, bool, Result<Vec<u8>>)>) -> Vec<u8> {
    let mut failures = Vec::new();
    let spoilt = fields.iter().any(|(_, nullable, bytes)| !nullable && bytes.is_err());
    let size: usize = fields.iter().map(|(key, _, bytes)| key.len() + 4 + bytes.as_ref().map_or(4, Vec::len)).sum();
    let mut data = Vec::with_capacity(size + 16);
    data.extend_from_slice(b"{\"data\":");
    let start = data.len();
    data.push(b'{');
    for (index, (key, _, bytes)) in fields.into_iter().enumerate() {
        if index > 0 {
            data.push(b',');
        }
        write_string(&key, &mut data);
        data.push(b':');
        match bytes {
            Ok(bytes) => data.extend_from_slice(&bytes),
            Err(error) => {
                error_http::log(&error);
                failures.push(errors::render(&error, Some(&key)));
                data.extend_from_slice(b"null");
            }
        }
    }
    data.push(b'}');
    if spoilt {
        data.truncate(start);
        data.extend_from_slice(b"null");
    }
    if !failures.is_empty() {
        data.extend_from_slice(b",\"errors\":");
        data.extend_from_slice(Value::Array(failures).to_string().as_bytes());
    }
    data.push(b'}');
    data
}

/// Runs a future that has nothing to wait for: validation reads the document and the schema alone.
fn block_on_ready(future: impl Future<Output = SchemaResponse>) -> SchemaResponse {
    use futures_util::FutureExt as _;
    future.now_or_never().unwrap_or_else(|| {
        SchemaResponse::from_errors(vec![async_graphql::ServerError::new("The document could not be validated", None)])
    })
}

/// Stops a schema before it executes: what is left is parsing and strict validation.
#[derive(Debug, Clone, Copy)]
struct ValidateOnly;

impl ExtensionFactory for ValidateOnly {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Self)
    }
}

#[async_graphql::async_trait::async_trait]
impl Extension for ValidateOnly {
    async fn execute(&self, _: &ExtensionContext<'_>, _: Option<&str>, _: NextExecute<'_>) -> SchemaResponse {
        SchemaResponse::new(async_graphql::Value::Null)
    }
}
