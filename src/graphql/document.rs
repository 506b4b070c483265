//! Documents: parsed and validated once, kept, and asked what their variables must be.
//!
//! In: the text of a document and of its variables. Out: a [`Document`] that the schema has found valid, coerced
//! variables, and what the schema answers about itself.

mod kept;

use self::kept::Kept;
use super::{
    errors, parse,
    persisted::{Persisted, Reference},
    positions,
    schema::TypeSystem,
    size,
    tree::{self, Tree, Variables},
    trusted::Trusted,
    validation::{self, ValidateOnly},
    values::{self, Given},
};
use crate::{
    catalog::Catalog,
    engine::cursor,
    error::{Error, Kind, Result},
    telemetry::{metrics, record},
};
use async_graphql::{Name, Pos};
use async_graphql_parser::{
    Positioned,
    types::{
        BaseType, DocumentOperations, ExecutableDocument, Field, OperationDefinition, OperationType, Selection,
        SelectionSet, Type, VariableDefinition,
    },
};
use serde_json::Value;
use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

/// How many selections a document may have whatever an operation may cost: more than the standard introspection query.
const LEAST_SELECTIONS: u64 = 2_000;

/// What a client sends.
#[derive(Debug, Clone, Copy, Default)]
pub struct Operation<'a> {
    /// The document; empty where it is named instead.
    pub query: &'a str,
    /// The document's name, where it has one.
    pub reference: Option<Reference<'a>>,
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
    persisted: Persisted,
    kept: Kept,
    next: AtomicU64,
    max_selections: u64,
}

/// A document that was found valid, and the one of its operations that runs.
pub(super) struct Document {
    /// Its number in the cache.
    pub(super) id: u64,
    /// How long its text is, in bytes.
    pub(super) size: u64,
    /// All of it.
    pub(super) document: ExecutableDocument,
    /// The operation that runs.
    pub(super) operation: OperationDefinition,
    /// The same as it is told to who runs the program.
    pub(super) told: record::Operation,
    /// Whether it asks about the schema.
    pub(super) introspects: bool,
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
    /// What is wrong with the document, rendered.
    Errors(Vec<Value>),
    /// What is wrong with the request.
    Error(Error),
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let first = match self {
            Self::Error(error) => return f.write_str(&error.message),
            Self::Errors(errors) => errors.first().unwrap_or(&Value::Null),
        };
        f.write_str(first["message"].as_str().unwrap_or_default())?;
        match &first["locations"][0] {
            Value::Null => Ok(()),
            at => write!(f, " (line {}, column {})", at["line"], at["column"]),
        }
    }
}

impl Documents {
    /// No documents yet, for a catalogue, of which operations may cost `max_cost`.
    ///
    /// # Errors
    /// A catalogue that makes no schema.
    pub(super) fn new(catalog: &Catalog, max_cost: u64) -> Result<Self> {
        let types = TypeSystem::new(catalog, ValidateOnly).map_err(Error::internal)?;
        let max_selections = max_cost.saturating_mul(4).max(LEAST_SELECTIONS);
        let (kept, next) = (Kept::new(), AtomicU64::new(0));
        Ok(Self { types, persisted: Persisted::new(None), kept, next, max_selections })
    }

    /// The same, of which none runs but those at `path`.
    ///
    /// # Errors
    /// What is wrong with the documents there, in one line.
    pub(super) fn trusting(mut self, path: &Path) -> Result<Self> {
        let trusted = Trusted::load(path, |text| self.check(text).map_err(|refusal| refusal.to_string()))
            .map_err(|fault| Error::bad_request(format!("GRAPHQL_TRUSTED_DOCUMENTS {fault}")))?;
        tracing::info!(documents = trusted.len(), "only trusted documents are run");
        self.persisted = Persisted::new(Some(trusted));
        Ok(self)
    }

    /// The document that an operation means, parsed and found valid now or before.
    pub(super) fn find(&self, operation: &Operation<'_>) -> Result<Arc<Document>, Refusal> {
        let text = self.persisted.text(operation)?;
        let kept = self.kept.get(&text, operation.name);
        metrics::looked_up(metrics::Cache::Documents, kept.is_some());
        let document = match kept {
            Some(document) => document,
            None => {
                let document = Arc::new(self.read(&text, operation)?);
                self.kept.insert(&text, operation.name, &document);
                document
            }
        };
        self.persisted.keep(operation);
        Ok(document)
    }

    fn read(&self, text: &str, given: &Operation<'_>) -> Result<Document, Refusal> {
        let document = self.parse(text)?;
        let operation = select(&document, given.name)?;
        let declared: Vec<Declared> = operation.variable_definitions.iter().map(declare).collect();
        // Validation looks at variables as well. They are judged before, in the words in which they are judged when the
        // document is known, so that what is said of them does not depend on who sent the document first.
        if declared.iter().all(|declared| self.knows(&declared.ty)) {
            self.coerce(&declared, given.variables)?;
        }
        self.validate(&document, &operation, given.name, given.variables)?;
        Ok(Document {
            id: self.next.fetch_add(1, Ordering::Relaxed),
            size: text.len() as u64,
            introspects: validation::introspects(&document),
            deciding: parse::deciding_variables(&document, &operation),
            told: told(&document, &operation, given.name),
            document,
            operation,
            variables: declared,
        })
    }

    /// How many documents are kept.
    pub(super) fn len(&self) -> usize {
        self.kept.len()
    }

    /// Whether every operation of a document is valid, whatever its variables will be.
    fn check(&self, text: &str) -> Result<(), Refusal> {
        let document = self.parse(text)?;
        for (name, _) in document.operations.iter() {
            let name = name.map(Name::as_str);
            let operation = select(&document, name)?;
            self.validate(&document, &operation, name, None)?;
        }
        Ok(())
    }

    fn parse(&self, text: &str) -> Result<ExecutableDocument, Refusal> {
        let lexed = size::lex(text);
        let limits = [
            (lexed.brackets > size::MAX_BRACKETS, "brackets nested deeper than", size::MAX_BRACKETS),
            (lexed.tokens > size::MAX_TOKENS, "more tokens than", size::MAX_TOKENS),
            (lexed.directives > size::MAX_DIRECTIVES, "more directives than", size::MAX_DIRECTIVES),
        ];
        if let Some((_, what, limit)) = limits.iter().find(|(exceeded, ..)| *exceeded) {
            return Err(Error::new(Kind::CostLimit, format!("The document has {what} {limit}")).into());
        }
        let document = async_graphql_parser::parse_query(text).map_err(|error| {
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
        Ok(document)
    }

    fn validate(
        &self,
        document: &ExecutableDocument,
        operation: &OperationDefinition,
        name: Option<&str>,
        variables: Option<&str>,
    ) -> Result<(), Refusal> {
        let schema = &self.types.schema;
        let faults = validation::faults(schema, document, name, variables);
        if !faults.is_empty() {
            return Err(Refusal::Errors(errors::render_validation(&faults, schema.registry(), &self.types.inputs)));
        }
        let misplaced = positions::misplaced(schema.registry(), document, operation);
        if !misplaced.is_empty() {
            let render =
                |(message, at): &(String, Pos)| errors::render_document(errors::VALIDATION_FAILED, message, &[*at]);
            return Err(Refusal::Errors(errors::bounded(misplaced.iter(), render)));
        }
        Ok(())
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
        let document = ExecutableDocument {
            operations: DocumentOperations::Single(Positioned::new(operation, field.pos)),
            fragments: document.document.fragments.clone(),
        };
        let response = validation::introspect(&self.types.schema, document, variables).await;
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

/// An operation as it is told.
fn told(document: &ExecutableDocument, operation: &OperationDefinition, given: Option<&str>) -> record::Operation {
    let only = || document.operations.iter().next().and_then(|(name, _)| name.map(Name::as_str));
    let kind = if operation.ty == OperationType::Mutation { "mutation" } else { "query" };
    record::Operation { name: given.or_else(only).and_then(record::told_name), kind }
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
