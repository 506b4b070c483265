//! Documents: parsed and validated once, kept, and asked what their variables must be.
//!
//! In: the text of a document and of its variables. Out: a [`Document`] that the schema has found valid, coerced
//! variables, and what the schema answers about itself.

use super::{
    errors, parse, positions,
    schema::TypeSystem,
    size,
    tree::{self, Tree, Variables},
    values::{self, Given},
};
use crate::{
    catalog::Catalog,
    engine::cursor,
    error::{Error, Kind, Result},
    error_http,
};
use async_graphql::{
    CacheControl, Name, Pos, Request as SchemaRequest, Response as SchemaResponse, ServerError, ValidationResult,
    Variables as SchemaVariables,
    extensions::{Extension, ExtensionContext, ExtensionFactory, NextExecute, NextValidation},
};
use async_graphql_parser::{
    Positioned,
    types::{
        BaseType, DocumentOperations, ExecutableDocument, Field, OperationDefinition, OperationType, Selection,
        SelectionSet, Type, VariableDefinition,
    },
};
use quick_cache::{Equivalent, sync::Cache};
use serde_json::Value;
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// How many documents are kept.
const DOCUMENTS: usize = 1_000;
/// The longest document that is kept, in bytes, so that the cache is bounded in memory as well.
const MAX_CACHED_DOCUMENT: usize = 64 * 1024;

/// How many selections a document may have whatever an operation may cost: more than the standard introspection query.
const LEAST_SELECTIONS: u64 = 2_000;

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

/// The documents that were seen, and the schema that judges them.
pub(super) struct Documents {
    /// The schema.
    pub(super) types: TypeSystem,
    cache: Cache<DocumentKey, Arc<Document>>,
    next: AtomicU64,
    max_selections: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct DocumentKey {
    query: String,
    name: Option<String>,
}

/// A [`DocumentKey`] that is only looked up; it hashes alike.
#[derive(Hash)]
struct DocumentRef<'a> {
    query: &'a str,
    name: Option<&'a str>,
}

impl Equivalent<DocumentKey> for DocumentRef<'_> {
    fn equivalent(&self, key: &DocumentKey) -> bool {
        self.query == key.query && self.name == key.name.as_deref()
    }
}

/// A document that was found valid, and the one of its operations that runs.
pub(super) struct Document {
    /// Its number in the cache.
    pub(super) id: u64,
    /// All of it.
    pub(super) document: ExecutableDocument,
    /// The operation that runs.
    pub(super) operation: OperationDefinition,
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

/// Why an operation does not run.
pub(super) enum Refusal {
    /// What is wrong, rendered.
    Errors(Vec<Value>),
    /// It is a mutation and came by a method that must not change anything.
    NotSafe,
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        error_http::log(&error);
        Self::Errors(vec![errors::render(&error, None)])
    }
}

impl Documents {
    /// No documents yet, for a catalogue, of which operations may cost `max_cost`.
    ///
    /// # Errors
    /// A catalogue that makes no schema.
    pub(super) fn new(catalog: &Catalog, max_cost: u64) -> Result<Self, String> {
        let types = TypeSystem::new(catalog, ValidateOnly).map_err(|error| error.to_string())?;
        let max_selections = max_cost.saturating_mul(4).max(LEAST_SELECTIONS);
        Ok(Self { types, cache: Cache::new(DOCUMENTS), next: AtomicU64::new(0), max_selections })
    }

    /// The document, parsed and found valid now or before.
    pub(super) fn find(&self, operation: &Operation<'_>) -> Result<Arc<Document>, Refusal> {
        if let Some(document) = self.cache.get(&DocumentRef { query: operation.query, name: operation.name }) {
            return Ok(document);
        }
        let document = Arc::new(self.read(operation)?);
        if operation.query.len() <= MAX_CACHED_DOCUMENT {
            let key = DocumentKey { query: operation.query.to_owned(), name: operation.name.map(str::to_owned) };
            self.cache.insert(key, Arc::clone(&document));
        }
        Ok(document)
    }

    fn read(&self, given: &Operation<'_>) -> Result<Document, Refusal> {
        let lexed = size::lex(given.query);
        let limits = [
            (lexed.brackets > size::MAX_BRACKETS, "brackets nested deeper than", size::MAX_BRACKETS),
            (lexed.tokens > size::MAX_TOKENS, "more tokens than", size::MAX_TOKENS),
            (lexed.directives > size::MAX_DIRECTIVES, "more directives than", size::MAX_DIRECTIVES),
        ];
        if let Some((_, what, limit)) = limits.iter().find(|(exceeded, ..)| *exceeded) {
            return Err(Error::new(Kind::CostLimit, format!("The document has {what} {limit}")).into());
        }
        let document = async_graphql_parser::parse_query(given.query).map_err(|error| {
            let locations: Vec<Pos> = error.positions().collect();
            let code = match error {
                async_graphql_parser::Error::RecursionLimitExceeded => errors::code(Kind::CostLimit),
                _ => errors::PARSE_FAILED,
            };
            Refusal::Errors(vec![errors::render_document(code, &syntax(&error.to_string()), &locations)])
        })?;
        // Every selection costs something, and what is skipped is forgiven: this is more than may run.
        if size::selections(&document) > self.max_selections {
            let message = format!("The document has more than {} fields and fragments", self.max_selections);
            return Err(Error::new(Kind::CostLimit, message).into());
        }
        let operation = select(&document, given.name)?;
        let declared: Vec<Declared> = operation.variable_definitions.iter().map(declare).collect();
        // Validation looks at variables as well. They are judged before, in the words in which they are judged when the
        // document is known, so that what is said of them does not depend on who sent the document first.
        if declared.iter().all(|declared| self.knows(&declared.ty)) {
            self.coerce(&declared, given.variables)?;
        }
        let mut request = SchemaRequest::new(String::new()).variables(placeholders(given.variables));
        request.operation_name = given.name.map(str::to_owned);
        request.set_parsed_query(document.clone());
        let response = validated(self.types.schema.execute(request));
        if !response.errors.is_empty() {
            return Err(Refusal::Errors(errors::render_validation(&response.errors, &self.types.inputs)));
        }
        let misplaced = positions::misplaced(self.types.schema.registry(), &document, &operation);
        if !misplaced.is_empty() {
            let render =
                |(message, at): &(String, Pos)| errors::render_document(errors::VALIDATION_FAILED, message, &[*at]);
            return Err(Refusal::Errors(misplaced.iter().map(render).collect()));
        }
        Ok(Document {
            id: self.next.fetch_add(1, Ordering::Relaxed),
            deciding: parse::deciding_variables(&document, &operation),
            document,
            operation,
            variables: declared,
        })
    }

    /// The variables, coerced to their declared types.
    ///
    /// # Errors
    /// The first that is not of its type.
    pub(super) fn variables(&self, document: &Document, given: Option<&str>) -> Result<Vec<(Name, Option<Tree>)>> {
        self.coerce(&document.variables, given)
    }

    /// Whether a type is one of the schema's input types; what it is else, validation says.
    fn knows(&self, ty: &Type) -> bool {
        match &ty.base {
            BaseType::Named(name) => self.types.inputs.get(name).is_some(),
            BaseType::List(item) => self.knows(item),
        }
    }

    fn coerce(&self, declared: &[Declared], given: Option<&str>) -> Result<Vec<(Name, Option<Tree>)>> {
        let members = given.map(values::json_members).transpose()?.unwrap_or_default();
        let none = Variables::new();
        let types = &self.types.inputs;
        declared
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

    /// Lets the schema answer a field about itself.
    ///
    /// # Errors
    /// What the schema says of the field.
    pub(super) async fn introspect(
        &self,
        document: &Document,
        variables: Option<&str>,
        field: &Positioned<Field>,
    ) -> Result<Vec<u8>> {
        let mut operation = document.operation.clone();
        operation.ty = OperationType::Query;
        operation.selection_set.node =
            SelectionSet { items: vec![Positioned::new(Selection::Field(field.clone()), field.pos)] };
        let request = SchemaRequest::new(String::new()).data(Introspection);
        let mut request = request.variables(placeholders(variables));
        request.set_parsed_query(ExecutableDocument {
            operations: DocumentOperations::Single(Positioned::new(operation, field.pos)),
            fragments: document.document.fragments.clone(),
        });
        let response = self.types.schema.execute(request).await;
        if let Some(error) = response.errors.first() {
            return Err(Error::bad_request(error.message.clone()));
        }
        let data = response.data.into_json().map_err(Error::internal)?;
        let key = field.node.response_key().node.as_str();
        Ok(data.get(key).unwrap_or(&Value::Null).to_string().into_bytes())
    }
}

impl Document {
    /// What of the variables decides the plan, beside the document and the caller's role.
    pub(super) fn shape(&self, trees: &[(Name, Option<Tree>)]) -> Result<Vec<u8>> {
        let mut shape = Vec::with_capacity(trees.len() * 2);
        for (name, tree) in trees {
            let Some(tree) = tree else {
                shape.push(b'-');
                continue;
            };
            tree::write_shape(tree, &mut shape);
            // Validation allows such a variable only where a plain value may stand.
            let Tree::Leaf(leaf) = tree else { continue };
            for (_, is_cursor) in self.deciding.iter().filter(|(deciding, _)| deciding == name) {
                match (is_cursor, leaf.value.text()) {
                    (true, Some(text)) => {
                        let nulls = cursor::nulls(text).map_err(|error| error.field(name.as_str()))?;
                        shape.extend_from_slice(&nulls.to_be_bytes());
                    }
                    _ => tree::describe(&leaf.value, &mut shape),
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
        // Not the parser's `default_value()`, which takes a variable that is not given for one that is null.
        default: definition.default_value.as_ref().map(|value| value.node.clone().into_value()),
    }
}

/// What the parser says, without the drawing of the line, which may be the whole document.
fn syntax(message: &str) -> String {
    match message.rsplit_once("\n  = ") {
        Some((_, expected)) => format!("Syntax error: {expected}"),
        None => format!("Syntax error: {message}"),
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

/// Runs a future that has nothing to wait for: validation reads the document and the schema alone.
fn validated(future: impl Future<Output = SchemaResponse>) -> SchemaResponse {
    use futures_util::FutureExt as _;
    future.now_or_never().unwrap_or_else(|| {
        SchemaResponse::from_errors(vec![ServerError::new("The document could not be validated", None)])
    })
}

/// Marks a request that the schema is to answer.
struct Introspection;

/// Stops a schema before it executes anything but a question about itself: what is left is strict validation.
#[derive(Debug, Clone, Copy)]
struct ValidateOnly;

impl ExtensionFactory for ValidateOnly {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Self)
    }
}

#[async_graphql::async_trait::async_trait]
impl Extension for ValidateOnly {
    async fn validation(
        &self,
        context: &ExtensionContext<'_>,
        next: NextValidation<'_>,
    ) -> Result<ValidationResult, Vec<ServerError>> {
        match context.data_opt::<Introspection>() {
            // It is a field of a document that was found valid as a whole: by itself it may lack what others use.
            Some(_) => Ok(ValidationResult { cache_control: CacheControl::default(), complexity: 0, depth: 0 }),
            None => next.run(context).await,
        }
    }

    async fn execute(
        &self,
        context: &ExtensionContext<'_>,
        operation: Option<&str>,
        next: NextExecute<'_>,
    ) -> SchemaResponse {
        match context.data_opt::<Introspection>() {
            Some(_) => next.run(context, operation).await,
            None => SchemaResponse::new(async_graphql::Value::Null),
        }
    }
}
