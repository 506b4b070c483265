//! From a validated document and its variables to an [`Operation`]: names become the catalogue's, values become slots,
//! and what the operation would cost is known before any of it runs.
//!
//! In: a document that the schema has found valid. Out: an [`Operation`], or the error of a limit or of a value.

mod deciding;
mod filter;
mod introspection;
mod json;
mod list;
mod mutation;
mod summary;

pub(super) use deciding::deciding_variables;
pub(super) use summary::{group_keys, measure_type};

use super::{
    operation::{Asked, Operation, Root, RootKind, Source},
    tree::{Leaf, Tree, Variables},
    types::InputTypes,
    values::{Given, coerce},
};
use crate::{
    catalog::{Cardinality, Catalog, Resource},
    config::Limits,
    engine::{
        bind::Argument,
        request::{Action, Envelope, Field as Select, Form, Key, Question, Request},
    },
    error::{Error, Kind, Result},
};
use async_graphql_parser::{
    Positioned,
    types::{Directive, ExecutableDocument, Field, OperationDefinition, OperationType, Selection, SelectionSet, Type},
};
use std::collections::HashMap;

/// What a parse needs to know.
pub(super) struct Context<'a> {
    /// What exists.
    pub catalog: &'a Catalog,
    /// What inputs can be.
    pub(super) types: &'a InputTypes,
    /// The bounds of an operation.
    pub limits: &'a Limits,
    /// The document.
    pub document: &'a ExecutableDocument,
    /// The variables of this request.
    pub variables: &'a Variables,
}

/// Translates an operation.
///
/// # Errors
/// `CostLimit` for one that is too deep or too costly, `BadRequest` for a value that is not what its place asks for.
pub(super) fn parse(context: &Context<'_>, operation: &OperationDefinition) -> Result<Operation> {
    let mutation = operation.ty == OperationType::Mutation;
    let mut parser = Parser { context, sources: Vec::new(), visited: 0 };
    let root = if mutation { "Mutation" } else { "Query" };
    let fields = parser.collect(&[&operation.selection_set.node], root, 1)?;
    let mut roots = Vec::with_capacity(fields.len());
    let mut cost = 0u64;
    for (key, fields) in fields {
        let (root, own) = parser.root(key, &fields, mutation)?;
        cost = cost.saturating_add(own);
        if cost > context.limits.max_cost {
            return Err(Error::new(
                Kind::CostLimit,
                format!("The operation costs more than {}", context.limits.max_cost),
            )
            .details(format!("the fields up to \"{}\" cost {cost}", root.key))
            .hint("Ask for fewer fields, or for smaller pages"));
        }
        roots.push(root);
    }
    Ok(Operation { mutation, cost, roots })
}

/// Fields of one name in the answer, which are merged.
type Merged<'d> = Vec<&'d Field>;

/// The fields of an object, by the order and by the name in which the answer has them.
#[derive(Default)]
struct Fields<'d> {
    merged: Vec<(String, Merged<'d>)>,
    known: HashMap<&'d str, usize>,
}

impl<'d> Fields<'d> {
    fn add(&mut self, key: &'d str, field: &'d Field) {
        let merged = &mut self.merged;
        let index = *self.known.entry(key).or_insert_with(|| {
            merged.push((key.to_owned(), Vec::with_capacity(1)));
            merged.len() - 1
        });
        merged[index].1.push(field);
    }
}

struct Parser<'a> {
    context: &'a Context<'a>,
    /// The sources of the slots of the question that is being translated.
    sources: Vec<Source>,
    visited: u64,
}

impl<'a> Parser<'a> {
    /// The fields of selection sets on an object type, merged by their names in the answer (GraphQL specification,
    /// section 6.3.2), in the order of the document.
    fn collect(&mut self, sets: &[&'a SelectionSet], type_name: &str, depth: u64) -> Result<Vec<(String, Merged<'a>)>> {
        if depth > self.context.limits.max_depth as u64 {
            let max = self.context.limits.max_depth;
            return Err(Error::new(Kind::CostLimit, format!("The operation is nested deeper than {max} fields")));
        }
        let mut fields = Fields::default();
        for set in sets {
            self.gather(set, type_name, &mut fields)?;
        }
        Ok(fields.merged)
    }

    fn gather(&mut self, set: &'a SelectionSet, type_name: &str, fields: &mut Fields<'a>) -> Result<()> {
        for item in &set.items {
            self.visited += 1;
            // Fragments that spread fragments multiply without adding to depth or cost.
            if self.visited > self.context.limits.max_cost.saturating_mul(4) {
                return Err(Error::new(Kind::CostLimit, "The operation's fragments spread into too many fields"));
            }
            if self.skipped(item.node.directives())? {
                continue;
            }
            match &item.node {
                Selection::Field(field) => {
                    let key = field.node.response_key().node.as_str();
                    fields.add(key, &field.node);
                }
                Selection::InlineFragment(fragment) => {
                    let on = fragment.node.type_condition.as_ref().map(|condition| condition.node.on.node.as_str());
                    if on.is_none_or(|on| applies(on, type_name)) {
                        self.gather(&fragment.node.selection_set.node, type_name, fields)?;
                    }
                }
                Selection::FragmentSpread(spread) => {
                    let name = &spread.node.fragment_name.node;
                    let Some(fragment) = self.context.document.fragments.get(name) else {
                        return Err(Error::bad_request(format!("There is no fragment \"{name}\"")));
                    };
                    if applies(&fragment.node.type_condition.node.on.node, type_name) {
                        self.gather(&fragment.node.selection_set.node, type_name, fields)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Whether `@skip` or `@include` leaves the selection out.
    fn skipped(&self, directives: &[Positioned<Directive>]) -> Result<bool> {
        for directive in directives {
            let skip = match directive.node.name.node.as_str() {
                "skip" => true,
                "include" => false,
                _ => continue,
            };
            let value = directive.node.get_argument("if");
            let condition = value.map(|value| self.typed("Boolean!", &value.node, "if")).transpose()?.flatten();
            if let Some(Tree::Leaf(Leaf { value: Argument::Bool(condition), .. })) = condition
                && condition == skip
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn typed(&self, ty: &str, value: &async_graphql_value::Value, path: &str) -> Result<Option<Tree>> {
        let ty = Type::new(ty).ok_or_else(|| Error::internal(format!("{ty} is no type")))?;
        coerce(self.context.types, &ty, Given::Literal(value, self.context.variables), path)
    }

    fn argument(&self, field: &Field, name: &str, ty: &str) -> Result<Option<Tree>> {
        match field.get_argument(name) {
            Some(value) => self.typed(ty, &value.node, name),
            None => Ok(None),
        }
    }

    fn slot(&mut self, leaf: &Leaf) -> usize {
        self.sources.push(Source::from(leaf));
        self.sources.len() - 1
    }

    /// A question, with the sources that were gathered for it.
    fn asked(&mut self, resource: &Resource, action: Action, select: Vec<Select>, envelope: Envelope) -> Asked {
        let request = Request { resource: resource.name.clone(), action, select };
        Asked {
            question: Question { request, envelope, form: Form::default() },
            sources: std::mem::take(&mut self.sources),
        }
    }

    fn root(&mut self, key: String, fields: &[&'a Field], mutation: bool) -> Result<(Root, u64)> {
        let field = fields[0];
        let name = field.name.node.as_str();
        let catalog = self.context.catalog;
        if name == "__typename" {
            let kind = RootKind::TypeName(if mutation { "Mutation" } else { "Query" });
            return Ok((Root { key, nullable: false, kind }, 1));
        }
        if name.starts_with("__") {
            for field in fields {
                introspection::limit(self.context.document, &field.selection_set.node)?;
            }
            let position = async_graphql::Pos::default();
            let kind = RootKind::Introspection(Box::new(Positioned::new(field.clone(), position)));
            return Ok((Root { key, nullable: true, kind }, 1));
        }
        if mutation {
            let (kind, cost) = self.mutation(name, fields)?;
            return Ok((Root { key, nullable: false, kind }, cost.saturating_add(10)));
        }
        if name == "node" {
            let (kind, cost) = self.node(fields)?;
            return Ok((Root { key, nullable: true, kind }, cost));
        }
        for (index, resource) in catalog.resources().iter().enumerate() {
            if name == resource.names.many {
                let (list, select, envelope, cost) = self.connection(index, fields, 2)?;
                let asked = self.asked(resource, Action::List(list), select, envelope);
                return Ok((Root { key, nullable: false, kind: RootKind::Question(asked) }, cost));
            }
            let row = if name == resource.names.one {
                self.key(field)?
            } else if resource.principals && name == "me" {
                Key::Caller
            } else {
                continue;
            };
            let (select, cost) = self.row(index, fields, 2)?;
            let asked = self.asked(resource, Action::Get(row), select, Envelope::Object);
            return Ok((Root { key, nullable: true, kind: RootKind::Question(asked) }, cost));
        }
        Err(Error::bad_request(format!("Query has no field \"{name}\"")))
    }

    fn key(&mut self, field: &Field) -> Result<Key> {
        match self.argument(field, "id", "ID!")? {
            Some(Tree::Leaf(leaf)) => Ok(Key::Slot(self.slot(&leaf))),
            _ => Err(Error::bad_value("id is required").field("id")),
        }
    }

    fn node(&mut self, fields: &[&'a Field]) -> Result<(RootKind, u64)> {
        let Some(Tree::Leaf(leaf)) = self.argument(fields[0], "nodeId", "ID!")? else {
            return Err(Error::bad_value("nodeId is required").field("nodeId"));
        };
        let mut asked = Vec::new();
        let mut most = 0;
        for (index, resource) in self.context.catalog.resources().iter().enumerate() {
            let key = Key::Node(self.slot(&leaf));
            let (select, cost) = self.row(index, fields, 2)?;
            most = most.max(cost);
            asked.push((index, self.asked(resource, Action::Get(key), select, Envelope::Object)));
        }
        Ok((RootKind::Node(Source::from(&leaf), asked), most))
    }

    /// The fields of a row, and their cost with the row's own.
    fn row(&mut self, index: usize, fields: &[&'a Field], depth: u64) -> Result<(Vec<Select>, u64)> {
        let resource = self.context.catalog.at(index);
        let mut select = Vec::new();
        let mut cost = 1u64;
        for (key, fields) in self.collect(&sets(fields), &resource.names.type_name, depth)? {
            let name = fields[0].name.node.as_str();
            let own;
            let field = match name {
                "__typename" => {
                    own = 1;
                    Select::TypeName { alias: key }
                }
                "nodeId" => {
                    own = 1;
                    Select::NodeId { alias: key }
                }
                _ => {
                    let alias = (key != name).then_some(key);
                    if let Some(column) = resource.columns.iter().find(|column| column.field == name) {
                        own = 1;
                        Select::Column { alias, name: column.name.clone() }
                    } else if let Some(relation) = resource.relations.iter().find(|relation| relation.field == name) {
                        let relation_name = relation.name.clone();
                        match relation.cardinality {
                            Cardinality::One => {
                                let (select, cost) = self.row(relation.target, &fields, depth + 1)?;
                                own = cost;
                                Select::One { alias, relation: relation_name, filter: None, spread: false, select }
                            }
                            Cardinality::Many => {
                                let (list, select, envelope, cost) =
                                    self.connection(relation.target, &fields, depth + 1)?;
                                own = cost;
                                Select::Many {
                                    alias,
                                    relation: relation_name,
                                    list: Box::new(list),
                                    select,
                                    envelope,
                                    spread: false,
                                }
                            }
                        }
                    } else {
                        let message = format!("{} has no field \"{name}\"", resource.names.type_name);
                        return Err(Error::bad_request(message));
                    }
                }
            };
            cost = cost.saturating_add(own);
            select.push(field);
        }
        Ok((select, cost))
    }
}

fn sets<'a>(fields: &[&'a Field]) -> Vec<&'a SelectionSet> {
    fields.iter().map(|field| &field.selection_set.node).collect()
}

/// Whether a fragment on `condition` applies to the object type `type_name`: every row is a `Node`.
fn applies(condition: &str, type_name: &str) -> bool {
    condition == type_name || condition == "Node"
}
