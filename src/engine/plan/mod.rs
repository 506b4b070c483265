//! From a request to a query: every name resolved, every bound checked.
//!
//! In: a [`Question`] in the catalogue's names. Out: a [`Query`] of indexes, whose slots say what the client's values
//! must be. Who is asking is not known here.

mod filter;
mod limits;
mod summary;
mod write;

pub use write::{MAX_NESTED, create_columns, nested, update_columns};
pub(crate) use write::{check_rows, merges};

use super::{
    query::{Defects, KeySource, Query, Read, Selection, SlotKind, Sort, Window},
    request::{Action, Envelope, Field, Key, List, Page, PartKind, Position, Question, Slot, Target},
};
use crate::{
    catalog::{Cardinality, Catalog, Resource, scalar::Style},
    error::{Error, Result},
};
use summary::GroupScope;

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
    let mut planner = Planner {
        catalog,
        style,
        bounds,
        tells: !question.request.select.is_empty(),
        slots: Vec::new(),
        defects: Defects::default(),
        group: None,
        conditions: 0,
        told: 0,
        around: limits::Around::of(if question.request.action.is_of_one() { 1 } else { bounds.max_page }),
    };
    let action = planner.action(resource, &question.request.action)?;
    let read = match &question.request.action {
        Action::List(list) => {
            planner.around = limits::Around::of(1);
            planner.list(resource, list, &question.request.select, &question.envelope)?
        }
        Action::Get(key) | Action::Delete(Target::Row { key, .. }) => {
            let key = planner.key(resource, *key);
            planner.row(resource, key, &question.request.select)?
        }
        action => {
            let key = if action.is_of_one() { KeySource::Written } else { KeySource::Each };
            let read = planner.row(resource, key, &question.request.select)?;
            match action.told_in() {
                [] => read,
                order => Read { order: planner.order(resource, order)?, ..read },
            }
        }
    };
    let (slots, defects) = (planner.slots, planner.defects);
    let (envelope, form, max_page) = (question.envelope.clone(), question.form, bounds.max_page);
    Ok(Query { resource, action, read, envelope, form, max_page, slots, defects })
}

struct Planner<'c> {
    catalog: &'c Catalog,
    style: Style,
    bounds: Bounds,
    /// Whether anything is told of the rows.
    tells: bool,
    slots: Vec<SlotKind>,
    defects: Defects,
    /// The groups whose conditions, order and members are being planned.
    group: Option<GroupScope>,
    /// How many conditions the filters have so far.
    conditions: usize,
    /// How many values are told so far.
    told: usize,
    /// The rows around what is being selected.
    around: limits::Around,
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
            order: Vec::new(),
            page: Window { limit: 1, ..Window::default() },
            select: self.select(resource, select)?,
            told: true,
            counted: false,
            summaries: Vec::new(),
        })
    }

    fn list(&mut self, resource: usize, list: &List, select: &[Field], envelope: &Envelope) -> Result<Read> {
        let filter = list.filter.as_ref().map(|filter| self.filter(resource, filter)).transpose()?;
        let order = self.order(resource, &list.order)?;
        let page = self.page(resource, &list.page, &order)?;
        let around = self.around;
        self.around = around.list(page.limit, self.style)?;
        let select = self.select(resource, select)?;
        self.around = around;
        let (mut told, mut counted, mut summaries) = (true, false, Vec::new());
        match envelope {
            Envelope::Object | Envelope::Array => {}
            Envelope::Groups(groups) => {
                told = false;
                summaries.push(self.groups(resource, groups)?);
            }
            Envelope::Connection(parts) => {
                told = false;
                for part in parts {
                    match &part.kind {
                        PartKind::Nodes(_) | PartKind::Edges(_) | PartKind::PageInfo(_) => told = true,
                        PartKind::TotalCount => counted = true,
                        PartKind::Aggregate(parts) => summaries.push(self.aggregate(resource, parts)?),
                        PartKind::Groups(groups) => summaries.push(self.groups(resource, groups)?),
                        // Of a list that is read, nothing is affected.
                        PartKind::Affected | PartKind::TypeName(_) => {}
                    }
                }
            }
        }
        Ok(Read { resource, key: None, filter, order, page, select, told, counted, summaries })
    }

    fn page(&mut self, resource: usize, page: &Page, order: &[Sort]) -> Result<Window> {
        let count = if page.backward { "last" } else { "first" };
        let limit = self.limit(resource, page.limit, self.bounds.default_page).map_err(|error| error.field(count))?;
        let offset = page.offset.map(|slot| self.slot(slot, SlotKind::Offset));
        let mut position = |position: Option<Position>, field: &'static str| {
            position.map(|position| {
                let kind = SlotKind::Cursor { resource, order: order.to_vec(), field };
                (self.slot(position.slot, kind), position.nulls)
            })
        };
        let (after, before) = (position(page.after, "after"), position(page.before, "before"));
        Ok(Window { limit, backward: page.backward, offset, after, before })
    }

    /// How many rows or groups, within the bounds of the protocol and of the policy.
    fn limit(&self, resource: usize, asked: Option<u64>, default: u64) -> Result<u64> {
        let max =
            self.catalog.at(resource).policy.page.map_or(self.bounds.max_page, |page| page.min(self.bounds.max_page));
        match asked {
            None => Ok(default.min(max)),
            // PostgREST gives what it may, and does not say so.
            Some(limit) if limit <= max || self.style == Style::Rest => Ok(limit.min(max)),
            Some(limit) => Err(Error::bad_request(format!("A page has at most {max} rows, and {limit} are asked for"))
                .hint("Ask for fewer, and for the next page by its cursor")),
        }
    }

    fn select(&mut self, resource: usize, fields: &[Field]) -> Result<Vec<Selection>> {
        fields.iter().map(|field| self.field(resource, field)).collect()
    }

    /// Counts a value to those that are told.
    fn count_told(&mut self) -> Result<()> {
        limits::count_told(&mut self.told, self.style)
    }

    fn field(&mut self, resource: usize, field: &Field) -> Result<Selection> {
        self.count_told()?;
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
            Field::Term { alias, term } => {
                limits::check_order(term, &mut self.conditions)?;
                Selection::Value { alias: alias.clone(), expression: self.term(resource, term)? }
            }
            Field::One { alias, relation, filter, spread, select } => {
                let (index, target) = find_relation(of, relation, Cardinality::One)?;
                let alias = named(alias, relation, &of.relations[index].field);
                let filter = filter.as_ref().map(|filter| self.filter(target, filter)).transpose()?;
                let around = self.around;
                self.around = around.one();
                let read = Read { key: None, filter, ..self.row(target, KeySource::Written, select)? };
                self.around = around;
                Selection::One { alias, relation: index, read: Box::new(read), spread: *spread }
            }
            Field::Many { alias, relation, list, select, envelope, spread } => {
                let (index, target) = find_relation(of, relation, Cardinality::Many)?;
                let alias = named(alias, relation, &of.relations[index].field);
                let read = Box::new(self.list(target, list, select, envelope)?);
                Selection::Many { alias, relation: index, read, envelope: envelope.clone(), spread: *spread }
            }
        })
    }
}

fn find_column(resource: &Resource, name: &str) -> Result<usize> {
    resource.find(name)
}

/// A column as an enum of GraphQL has it, or a URL.
fn member(style: Style, column: &str) -> String {
    match style {
        Style::GraphQl => column.to_uppercase(),
        Style::Rest => column.to_owned(),
    }
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
