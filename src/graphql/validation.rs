//! The schema as a judge: it validates documents and answers questions about itself, and executes nothing else.
//!
//! In: a parsed document. Out: what the schema finds wrong with it, or what it says of itself.

use async_graphql::{
    CacheControl, Request as SchemaRequest, Response as SchemaResponse, ServerError, ValidationResult,
    Variables as SchemaVariables,
    dynamic::Schema,
    extensions::{Extension, ExtensionContext, ExtensionFactory, NextExecute, NextValidation},
};
use async_graphql_parser::types::{ExecutableDocument, Selection, SelectionSet};
use serde_json::Value;
use std::sync::Arc;

/// What the schema finds wrong with a document, of which the operation `name` shall run with the variables `given`.
pub(super) fn faults(
    schema: &Schema,
    document: &ExecutableDocument,
    name: Option<&str>,
    given: Option<&str>,
) -> Vec<ServerError> {
    use futures_util::FutureExt as _;
    let mut request = SchemaRequest::new(String::new()).variables(placeholders(given));
    request.operation_name = name.map(str::to_owned);
    request.set_parsed_query(document.clone());
    // There is nothing to wait for: validation reads the document and the schema alone.
    let response = schema.execute(request).now_or_never();
    response
        .map_or_else(|| vec![ServerError::new("The document could not be validated", None)], |response| response.errors)
}

/// What the schema says of itself to a document that was found valid.
pub(super) async fn introspect(schema: &Schema, document: ExecutableDocument, given: Option<&str>) -> SchemaResponse {
    let request = SchemaRequest::new(String::new()).data(Introspection);
    let mut request = request.variables(placeholders(given));
    request.set_parsed_query(document);
    schema.execute(request).await
}

/// Whether a document asks about the schema.
pub(super) fn introspects(document: &ExecutableDocument) -> bool {
    let operations = document.operations.iter().map(|(_, operation)| &operation.node.selection_set.node);
    let mut sets = operations.chain(document.fragments.values().map(|fragment| &fragment.node.selection_set.node));
    sets.any(has_introspection)
}

fn has_introspection(set: &SelectionSet) -> bool {
    set.items.iter().any(|item| match &item.node {
        Selection::Field(field) => {
            matches!(field.node.name.node.as_str(), "__schema" | "__type")
                || has_introspection(&field.node.selection_set.node)
        }
        Selection::InlineFragment(fragment) => has_introspection(&fragment.node.selection_set.node),
        Selection::FragmentSpread(_) => false,
    })
}

/// The variables for validation and introspection: those that were given, as JSON.
fn placeholders(given: Option<&str>) -> SchemaVariables {
    let json = given.and_then(|given| serde_json::from_str(given).ok());
    SchemaVariables::from_json(json.unwrap_or(Value::Object(serde_json::Map::new())))
}

/// Marks a request that the schema is to answer.
struct Introspection;

/// Stops a schema before it executes anything but a question about itself: what is left is strict validation.
#[derive(Debug, Clone, Copy)]
pub(super) struct ValidateOnly;

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
