//! From a request to a query: every name resolved, every bound checked.
//!
//! In: a [`Question`] in the catalogue's names. Out: a [`Query`] of indexes, whose slots say what the client's values
//! must be. Who is asking is not known here.

mod write;

pub(crate) use write::merges;
pub use write::{MAX_NESTED, create_columns, nested, update_columns};

use super::{
    query::{Defects, KeySource, Predicate, Query, Read, Selection, SlotKind, Sort, Window},
    request::{Action, Envelope, Field, Filter, Key, List, Order, Page, PartKind, Question, Slot, Target},
};
use crate::{
    catalog::{
        Cardinality, Catalog, Operator, Resource,
        scalar::{Scalar, Style},
    },
    error::{Error, Result},
};

/// The bounds of a protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// How many rows a page has if the client does not say.
    pub default_page: u64,
    /// How many rows a page may have.
    pub max_page: u64,
}

/// Plans a question.
///
/// # Errors
/// A name that the catalogue does not have, with the nearest one; an operator that the column's type does not have; a
/// page beyond the bounds. What is wrong with the members of an input is told with the values, by the query's defects.
pub fn plan(catalog: &Catalog, question: &Question, style: Style, bounds: Bounds) -> Result<Query> {
    let resource = catalog.find(&question.request.resource)?;
    let mut planner = Planner { catalog, style, bounds, slots: Vec::new(), defects: Defects::default() };
    let action = planner.action(resource, &question.request.action)?;
    let mut read = match &question.request.action {
        Action::List(list) => planner.list(resource, list, &question.request.select)?,
        Action::Get(key) | Action::Delete(Target::Row { key, .. }) => {
            let key = planner.key(resource, *key);
            planner.row(resource, key, &question.request.select)?
        }
        action => {
            let key = if action.is_of_one() { KeySource::Written } else { KeySource::Each };
            planner.row(resource, key, &question.request.select)?
        }
    };
    read.counted = counts(&question.envelope);
    let (slots, defects) = (planner.slots, planner.defects);
    Ok(Query { resource, action, read, envelope: question.envelope.clone(), slots, defects })
}

fn counts(envelope: &Envelope) -> bool {
    matches!(envelope, Envelope::Connection(parts) if parts.iter().any(|part| part.kind == PartKind::TotalCount))
}

struct Planner<'c> {
    catalog: &'c Catalog,
    style: Style,
    bounds: Bounds,
    slots: Vec<SlotKind>,
    defects: Defects,
}

impl Planner<'_> {
    fn slot(&mut self, slot: Slot, kind: SlotKind) -> Slot {
        if self.slots.len() <= slot {
            self.slots.resize(slot + 1, SlotKind::Unused);
        }
        self.slots[slot] = kind;
        slot
    }

    fn key(&mut self, resource: usize, key: Key) -> KeySource {
        let (slot, node) = match key {
            Key::Slot(slot) => (slot, false),
            Key::Node(slot) => (slot, true),
            Key::Caller => return KeySource::Caller,
        };
        let scalar = self.catalog.at(resource).key_column().scalar.clone();
        KeySource::Slot(self.slot(slot, SlotKind::Key { resource, scalar, node }))
    }

    fn row(&mut self, resource: usize, key: KeySource, select: &[Field]) -> Result<Read> {
        Ok(Read {
            resource,
            key: Some(key),
            filter: None,
            visible: Predicate::Constant(false),
            order: Vec::new(),
            page: Window { limit: 1, ..Window::default() },
            select: self.select(resource, select)?,
            counted: false,
        })
    }

    fn list(&mut self, resource: usize, list: &List, select: &[Field]) -> Result<Read> {
        let filter = list.filter.as_ref().map(|filter| self.filter(resource, filter)).transpose()?;
        let order = self.order(resource, &list.order)?;
        let page = self.page(resource, &list.page, &order)?;
        let select = self.select(resource, select)?;
        Ok(Read {
            resource,
            key: None,
            filter,
            visible: Predicate::Constant(false),
            order,
            page,
            select,
            counted: false,
        })
    }

    fn filter(&mut self, resource: usize, filter: &Filter) -> Result<Predicate> {
        let of = |planner: &mut Self, filters: &[Filter]| {
            filters.iter().map(|filter| planner.filter(resource, filter)).collect::<Result<Vec<_>>>()
        };
        Ok(match filter {
            Filter::And(filters) => Predicate::And(of(self, filters)?),
            Filter::Or(filters) => Predicate::Or(of(self, filters)?),
            Filter::Not(filter) => Predicate::Not(Box::new(self.filter(resource, filter)?)),
            Filter::IsNull { column, null } => {
                Predicate::IsNull { column: find_column(self.catalog.at(resource), column)?, null: *null }
            }
            Filter::Compare { column, operator, slot } => {
                let of = self.catalog.at(resource);
                let index = find_column(of, column)?;
                let scalar = of.columns[index].scalar.clone();
                if !scalar.operators().contains(operator) {
                    let can: Vec<_> = scalar.operators().iter().map(|operator| operator.graphql()).collect();
                    return Err(Error::bad_request(format!(
                        "\"{}\" has no meaning for the column \"{column}\" of type {}",
                        operator.graphql(),
                        scalar.graphql()
                    ))
                    .code("42883")
                    .hint(format!("It can be filtered by {}", can.join(", "))));
                }
                let column = column.clone();
                let kind = match operator {
                    Operator::In | Operator::NotIn => SlotKind::Operands { column, scalar },
                    Operator::Like | Operator::Ilike => SlotKind::Pattern { column },
                    _ => SlotKind::Operand { column, scalar },
                };
                Predicate::Compare { column: index, operator: *operator, slot: self.slot(*slot, kind) }
            }
        })
    }

    /// The order with the key behind it, which makes it total. The key runs the way of the column before it, so that
    /// one comparison of rows, and one index, can serve both.
    fn order(&self, resource: usize, order: &[Order]) -> Result<Vec<Sort>> {
        let of = self.catalog.at(resource);
        let mut sorts: Vec<Sort> = Vec::with_capacity(order.len() + 2);
        let mut push = |column: usize, descending: bool, nulls_first: Option<bool>| {
            // What an earlier column has decided, a later mention of it cannot.
            if !sorts.iter().any(|sort| sort.column == column) {
                sorts.push(Sort { column, descending, nulls_first: nulls_first.unwrap_or(descending) });
            }
        };
        if order.is_empty() {
            of.default_order.iter().for_each(|(column, descending)| push(*column, *descending, None));
        }
        for one in order {
            let column = find_column(of, &one.column)?;
            if matches!(of.columns[column].scalar, Scalar::Json) {
                return Err(Error::bad_request(format!("The column \"{}\" has no order", one.column)).code("42883"));
            }
            push(column, one.descending, one.nulls_first);
        }
        let descending = sorts.last().is_some_and(|sort| sort.descending);
        if !sorts.iter().any(|sort| sort.column == of.key) {
            sorts.push(Sort { column: of.key, descending, nulls_first: descending });
        }
        if sorts.len() > 16 {
            return Err(Error::bad_request("A list can be ordered by 15 columns at most"));
        }
        Ok(sorts)
    }

    fn page(&mut self, resource: usize, page: &Page, order: &[Sort]) -> Result<Window> {
        let limit = page.limit.unwrap_or(self.bounds.default_page);
        if limit > self.bounds.max_page {
            return Err(Error::bad_request(format!(
                "A page has at most {} rows, and {limit} are asked for",
                self.bounds.max_page
            ))
            .hint("Ask for fewer, and for the next page by its cursor"));
        }
        let offset = page.offset.map(|slot| self.slot(slot, SlotKind::Offset));
        let mut position = |position: &Option<super::request::Position>| {
            position.map(|position| {
                let kind = SlotKind::Cursor { resource, order: order.to_vec() };
                (self.slot(position.slot, kind), position.nulls)
            })
        };
        let (after, before) = (position(&page.after), position(&page.before));
        Ok(Window { limit, backward: page.backward, offset, after, before })
    }

    fn select(&mut self, resource: usize, fields: &[Field]) -> Result<Vec<Selection>> {
        fields.iter().map(|field| self.field(resource, field)).collect()
    }

    fn field(&mut self, resource: usize, field: &Field) -> Result<Selection> {
        let of = self.catalog.at(resource);
        let style = self.style;
        let named = |alias: &Option<String>, name: &str, field: &str| {
            let own = if style == Style::GraphQl { field } else { name };
            alias.as_deref().unwrap_or(own).to_owned()
        };
        Ok(match field {
            Field::Column { alias, name } => {
                let column = find_column(of, name)?;
                Selection::Column { alias: named(alias, name, &of.columns[column].field), column }
            }
            Field::NodeId { alias } => Selection::NodeId { alias: alias.clone() },
            Field::TypeName { alias } => Selection::TypeName { alias: alias.clone() },
            Field::One { alias, relation, select } => {
                let (index, target) = find_relation(of, relation, Cardinality::One)?;
                let alias = named(alias, relation, &of.relations[index].field);
                let read = self.row(target, KeySource::Written, select)?;
                Selection::One { alias, relation: index, read: Box::new(Read { key: None, ..read }) }
            }
            Field::Many { alias, relation, list, select, envelope } => {
                let (index, target) = find_relation(of, relation, Cardinality::Many)?;
                let alias = named(alias, relation, &of.relations[index].field);
                let mut read = self.list(target, list, select)?;
                read.counted = counts(envelope);
                Selection::Many { alias, relation: index, read: Box::new(read), envelope: envelope.clone() }
            }
        })
    }
}

fn find_column(resource: &Resource, name: &str) -> Result<usize> {
    resource.column(name).ok_or_else(|| {
        Error::bad_request(format!("The resource \"{}\" has no column \"{name}\"", resource.name))
            .code("42703")
            .nearest(name, resource.column_names())
    })
}

fn find_relation(resource: &Resource, name: &str, cardinality: Cardinality) -> Result<(usize, usize)> {
    resource
        .relations
        .iter()
        .position(|relation| relation.name == name && relation.cardinality == cardinality)
        .map(|index| (index, resource.relations[index].target))
        .ok_or_else(|| {
            let relations = resource.relations.iter().map(|relation| relation.name.as_str());
            Error::bad_request(format!("The resource \"{}\" has no such relation \"{name}\"", resource.name))
                .code("PGRST200")
                .nearest(name, relations)
        })
}
