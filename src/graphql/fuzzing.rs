//! What fuzz targets ask of GraphQL: documents and variables down to their SQL. Compiled for them alone, by `cfg(fuzzing)`.
//!
//! In: bytes of a client. Out: nothing, or a panic that says what does not hold.

use super::{
    document::{Documents, Operation, Refusal},
    operation::{Asked, RootKind},
    parse::{self, Context},
    size,
    tree::{self, Variables},
};
use crate::{
    catalog::{Catalog, scalar::Style},
    config::Limits,
    engine::{bind::Argument, fuzzing::ask, plan::Bounds},
    error::{Error, Kind, Result},
};
use async_graphql_parser::{
    Positioned,
    types::{Directive, ExecutableDocument, Selection, SelectionSet},
};
use async_graphql_value::{Name, Value};
use futures_util::FutureExt as _;

/// Operations over a catalogue, of which none is run.
pub struct Operations {
    documents: Documents,
    catalog: Catalog,
    limits: Limits,
}

impl std::fmt::Debug for Operations {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Operations").field("limits", &self.limits).finish_non_exhaustive()
    }
}

impl Operations {
    /// Operations over `catalog` within `limits`.
    ///
    /// # Errors
    /// A catalogue that makes no schema.
    pub fn new(catalog: Catalog, limits: Limits) -> Result<Self> {
        Ok(Self { documents: Documents::new(&catalog, limits.max_cost)?, catalog, limits })
    }

    /// An operation: read, found valid, coerced, translated and compiled; the same by its document, once that is known.
    pub fn operation(&self, query: &str, variables: Option<&str>) {
        measured(query);
        let operation = Operation { query, variables, ..Operation::default() };
        let (first, second) = (self.questions(&operation), self.questions(&operation));
        match (first, second) {
            (Ok(first), Ok(second)) => assert_eq!(first, second, "read twice"),
            (Err(first), Err(second)) => assert_eq!(first, second, "read twice"),
            (first, second) => panic!("read as {first:?}, then as {second:?}"),
        }
    }

    fn questions(&self, operation: &Operation<'_>) -> Result<String, String> {
        let document = self.documents.find(operation).map_err(refused)?;
        let mut trees = self.documents.variables(&document, operation.variables).map_err(shown)?;
        document.shape(&trees).map_err(shown)?;
        let (mut next, mut leaves) = (0, Vec::new());
        for tree in trees.iter_mut().filter_map(|(_, tree)| tree.as_mut()) {
            tree::number(tree, &mut next);
            tree::take_leaves(tree.clone(), &mut leaves);
        }
        let variables: Variables =
            trees.iter().filter_map(|(name, tree)| Some((name.clone(), tree.clone()?))).collect();
        let context = Context {
            catalog: &self.catalog,
            types: &self.documents.types.inputs,
            limits: &self.limits,
            document: &document.document,
            variables: &variables,
        };
        let parsed = parse::parse(&context, &document.operation).map_err(shown)?;
        for root in &parsed.roots {
            match &root.kind {
                RootKind::Question(asked) => self.compile(asked, &leaves),
                RootKind::Node(_, all) => all.iter().for_each(|(_, asked)| self.compile(asked, &leaves)),
                RootKind::Introspection(field) => {
                    let told = self.documents.introspect(&document, operation.variables, field).now_or_never();
                    told.unwrap_or_else(|| panic!("the schema waits")).map_err(shown)?;
                }
                RootKind::Session(_) | RootKind::Logout(_) | RootKind::TypeName(_) => {}
            }
        }
        Ok(format!("{parsed:?}"))
    }

    fn compile(&self, asked: &Asked, leaves: &[Argument]) {
        let arguments: Vec<_> = asked.sources.iter().map(|source| source.argument(leaves)).collect();
        let bounds = Bounds { default_page: self.limits.default_page_size, max_page: self.limits.max_page_size };
        ask(&self.catalog, &asked.question, &arguments, Style::GraphQl, bounds);
    }
}

fn refused(refusal: Refusal) -> String {
    match refusal {
        Refusal::Error(error) => shown(error),
        Refusal::Errors(mut errors) => {
            // Where a circle of fragments begins, depends on where the validation begins, which goes by their hashes.
            let circle = |error: &serde_json::Value| error["message"].to_string().contains("Cannot spread fragment");
            errors.retain(|error| !circle(error));
            let told = serde_json::Value::Array(errors).to_string();
            assert!(!told.contains("INTERNAL_SERVER_ERROR"), "a defect: {told}");
            told
        }
    }
}

fn shown(error: Error) -> String {
    assert_ne!(error.kind, Kind::Internal, "a defect: {error:?}");
    error.to_string()
}

/// What is found in the text of a document before it is parsed is no less than what the parser then finds.
fn measured(query: &str) {
    let lexed = size::lex(query);
    if lexed.brackets > size::MAX_BRACKETS || lexed.tokens > size::MAX_TOKENS {
        return;
    }
    let Ok(document) = async_graphql_parser::parse_query(query) else { return };
    let found = Found::of(&document);
    assert!(found.depth <= lexed.brackets, "nested {} deep, and lexed as {lexed:?}", found.depth);
    assert!(found.directives <= lexed.directives, "{} directives, and lexed as {lexed:?}", found.directives);
    assert!(found.names <= lexed.tokens, "{} names, and lexed as {lexed:?}", found.names);
    let _ = size::selections(&document);
}

/// What a document has.
#[derive(Default)]
struct Found {
    depth: usize,
    directives: usize,
    names: usize,
}

impl Found {
    fn of(document: &ExecutableDocument) -> Self {
        let mut found = Self::default();
        for (_, operation) in document.operations.iter() {
            found.directives(&operation.node.directives, 0);
            for variable in &operation.node.variable_definitions {
                found.names += 1;
                found.directives(&variable.node.directives, 1);
                if let Some(default) = &variable.node.default_value {
                    found.value(&default.node.clone().into_value(), 1);
                }
            }
            found.set(&operation.node.selection_set.node, 0);
        }
        for fragment in document.fragments.values() {
            found.directives(&fragment.node.directives, 0);
            found.set(&fragment.node.selection_set.node, 0);
        }
        found
    }

    fn set(&mut self, set: &SelectionSet, depth: usize) {
        if set.items.is_empty() {
            return;
        }
        let depth = depth + 1;
        self.depth = self.depth.max(depth);
        for item in &set.items {
            self.names += 1;
            self.directives(item.node.directives(), depth);
            match &item.node {
                Selection::Field(field) => {
                    self.arguments(&field.node.arguments, depth);
                    self.set(&field.node.selection_set.node, depth);
                }
                Selection::InlineFragment(fragment) => self.set(&fragment.node.selection_set.node, depth),
                Selection::FragmentSpread(_) => {}
            }
        }
    }

    fn directives(&mut self, directives: &[Positioned<Directive>], depth: usize) {
        self.directives += directives.len();
        for directive in directives {
            self.arguments(&directive.node.arguments, depth);
        }
    }

    fn arguments(&mut self, arguments: &[(Positioned<Name>, Positioned<Value>)], depth: usize) {
        for (_, value) in arguments {
            self.names += 1;
            self.value(&value.node, depth + 1);
        }
    }

    fn value(&mut self, value: &Value, depth: usize) {
        self.depth = self.depth.max(depth);
        match value {
            Value::List(items) => {
                self.depth = self.depth.max(depth + 1);
                items.iter().for_each(|item| self.value(item, depth + 1));
            }
            Value::Object(members) => {
                self.depth = self.depth.max(depth + 1);
                self.names += members.len();
                members.values().for_each(|member| self.value(member, depth + 1));
            }
            _ => {}
        }
    }
}
