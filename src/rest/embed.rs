//! Related rows in a read: the relations that `select` embeds, and what the pairs of a query string say of each.
//!
//! In: the items of a `select`, whose relations have names alone, and pairs like `user.name=eq.x`, each for the level of
//! nesting that its path names. Out: the [`Field`]s of the rows, and the conditions that embedded rows make for the rows
//! around them: where `!inner`, `relation=is.null` or `relation=not.is.null` ask for some, or for none.

use super::{
    filter::Filters,
    order::{self, Step},
    query::conjunction,
    relation::resolve,
    select::{self, Item},
    value,
};
use crate::{
    catalog::{Cardinality, Catalog, Relation, Resource},
    engine::{
        bind::Argument,
        request::{Envelope, Field, Filter, Groups, List, Order, Page, Quantifier},
    },
    error::{Error, Kind, Result},
};

/// How many relations may be embedded one in another: as many as a filter may lead through.
const MAX_DEPTH: usize = 5;
/// How many relations a request may embed: SQLite joins 64 tables at most.
const MAX_EMBEDS: usize = 30;

/// What a request says of the rows of one resource: those that it is about, or those at the other end of a relation.
pub(super) struct Level<'r> {
    catalog: &'r Catalog,
    resource: &'r Resource,
    items: &'r [Item],
    /// One for each such item, in their order.
    embeds: Vec<Embed<'r>>,
    filters: Vec<(String, String)>,
    order: Option<String>,
    pub(super) limit: Option<u64>,
    pub(super) offset: Option<u64>,
}

/// An embedded relation.
pub(super) struct Embed<'r> {
    /// The name that the answer and the paths of other parameters have for it.
    name: String,
    item: &'r select::Embed,
    relation: &'r Relation,
    level: Level<'r>,
    /// What must hold of its rows, once that is known.
    condition: Option<Option<Filter>>,
}

/// What is told of the rows of a level.
pub(super) enum Told {
    /// These of each row.
    Rows(Vec<Field>),
    /// The groups of the rows.
    Groups(Groups),
}

impl<'r> Level<'r> {
    /// What `items` select of the rows of `resource`.
    ///
    /// # Errors
    /// `PGRST200` for a relation that there is not, `PGRST201` for one of several, and more than a request may ask for.
    pub(super) fn root(catalog: &'r Catalog, resource: &'r Resource, items: &'r [Item]) -> Result<Self> {
        let mut left = MAX_EMBEDS;
        Self::of(catalog, resource, items, 0, &mut left)
    }

    fn of(
        catalog: &'r Catalog,
        resource: &'r Resource,
        items: &'r [Item],
        depth: usize,
        left: &mut usize,
    ) -> Result<Self> {
        let mut embeds: Vec<Embed<'r>> = Vec::new();
        for item in items {
            let Item::Embed(item) = item else { continue };
            if depth == MAX_DEPTH {
                let message = format!("Relations are embedded one in another at most {MAX_DEPTH} times");
                return Err(Error::new(Kind::CostLimit, message).hint("Begin at a resource that is nearer to the rows"));
            }
            *left = left.checked_sub(1).ok_or_else(|| {
                Error::new(Kind::CostLimit, format!("A request embeds at most {MAX_EMBEDS} relations"))
                    .hint("Ask for some of them in a request of their own")
            })?;
            let relation = resolve(catalog, resource, item)?;
            let name = item.alias.as_ref().unwrap_or(&item.name);
            if embeds.iter().any(|other| other.name == *name) {
                return Err(Error::bad_request(format!("\"{name}\" is embedded twice"))
                    .code("42712")
                    .hint(format!("Give one of them a name of its own: other:{}(…)", item.name)));
            }
            let level = Self::of(catalog, catalog.at(relation.target), &item.items, depth + 1, left)?;
            embeds.push(Embed { name: name.clone(), item, relation, level, condition: None });
        }
        Ok(Self { catalog, resource, items, embeds, filters: Vec::new(), order: None, limit: None, offset: None })
    }

    /// The level that a path leads to.
    ///
    /// # Errors
    /// `PGRST108` for a step that is not embedded.
    pub(super) fn at(&mut self, path: &[String]) -> Result<&mut Self> {
        let Some((name, rest)) = path.split_first() else { return Ok(self) };
        match self.embeds.iter().position(|embed| embed.name == *name) {
            Some(index) => self.embeds[index].level.at(rest),
            None => Err(not_embedded(&self.embeds, name)),
        }
    }

    /// Adds a condition: `and`, `or`, `not.and`, `not.or` or the left side of a comparison, and its right side.
    pub(super) fn filter(&mut self, name: String, value: String) {
        self.filters.push((name, value));
    }

    /// The order of the rows, which the first to say it decides.
    pub(super) fn order_by(&mut self, order: String) {
        self.order.get_or_insert(order);
    }

    /// What must hold of the rows: what the conditions say, and what `!inner` says of related rows.
    ///
    /// # Errors
    /// What is wrong with a condition.
    pub(super) fn conditions(&mut self, arguments: &mut Vec<Argument>) -> Result<(Vec<Filter>, Vec<Filter>)> {
        let mut filters = Filters::new(self.resource, std::mem::take(&mut self.embeds), std::mem::take(arguments));
        for (name, value) in std::mem::take(&mut self.filters) {
            filters.add(name, value);
        }
        let own;
        (own, self.embeds, *arguments) = filters.finish()?;
        let mut inner = Vec::new();
        for embed in self.embeds.iter_mut().filter(|embed| embed.item.inner) {
            inner.push(embed.related(Quantifier::Some, arguments)?);
        }
        Ok((own, inner))
    }

    /// In which order the rows are wanted.
    ///
    /// # Errors
    /// `PGRST100` for what the grammar does not have, `PGRST108` and `PGRST118` for rows by which none are ordered.
    pub(super) fn order(&self, arguments: &mut Vec<Argument>) -> Result<Vec<Order>> {
        let Some(text) = &self.order else { return Ok(Vec::new()) };
        let mut orders = Vec::new();
        for step in order::parse(text)? {
            orders.extend(self.step(&step, arguments)?);
        }
        Ok(orders)
    }

    fn step(&self, step: &Step, arguments: &mut Vec<Argument>) -> Result<Vec<Order>> {
        let Some(name) = &step.relation else {
            let step = step.clone().renamed(|name| self.aliased(name));
            return step.of(self.resource, None, arguments);
        };
        // A relation need not be embedded to be ordered by; one that is has the name that it is given there.
        let embedded = self.embeds.iter().find(|embed| embed.name == *name).map(|embed| embed.relation);
        match embedded.or_else(|| self.resource.relation(name)) {
            Some(Relation { cardinality: Cardinality::Many, .. }) => {
                let message = format!("A related order on '{name}' is not possible");
                Err(Error::bad_request(message).code("PGRST118").details(format!(
                    "'{}' and '{name}' do not form a many-to-one or one-to-one relationship",
                    self.resource.name
                )))
            }
            Some(relation) => step.of(self.catalog.at(relation.target), Some(relation), arguments),
            None => Err(not_embedded(&self.embeds, name)),
        }
    }

    /// The value that `select` tells under a name that is no column's.
    fn aliased(&self, name: &str) -> Option<&str> {
        if self.resource.column(name).is_some() {
            return None;
        }
        self.items.iter().find_map(|item| match item {
            Item::Value(value) if value.alias.as_deref() == Some(name) => {
                Some(value.column.as_str()).filter(|_| value.cast.is_none() && value.aggregate.is_none())
            }
            _ => None,
        })
    }

    /// What is told of the rows.
    ///
    /// # Errors
    /// What is wrong with an item, or with the conditions and the orders of embedded rows.
    pub(super) fn told(&mut self, arguments: &mut Vec<Argument>) -> Result<Told> {
        if value::has_aggregates(self.items) {
            self.embeds.iter_mut().try_for_each(|embed| embed.whole(arguments))?;
            let (catalog, resource) = (self.catalog, self.resource);
            let relation = |resource: &'r Resource, embed: &select::Embed| resolve(catalog, resource, embed);
            return value::groups(catalog, resource, self.items, &relation, arguments).map(Told::Groups);
        }
        let mut fields = Vec::with_capacity(self.items.len());
        let mut embeds = self.embeds.iter_mut();
        for item in self.items {
            match item {
                Item::Star => fields.extend(all_columns(self.resource)),
                Item::Value(value) => fields.push(value::field(self.resource, value, arguments)?),
                Item::Embed(_) => {
                    let Some(embed) = embeds.next() else { continue };
                    fields.extend(embed.field(arguments)?);
                }
            }
        }
        Ok(Told::Rows(fields))
    }
}

impl Embed<'_> {
    /// What must hold of its rows.
    fn condition(&mut self, arguments: &mut Vec<Argument>) -> Result<Option<Filter>> {
        if let Some(known) = &self.condition {
            return Ok(known.clone());
        }
        let (mut all, inner) = self.level.conditions(arguments)?;
        all.extend(inner);
        let Level { limit, offset, .. } = self.level;
        if self.relation.cardinality == Cardinality::One && (limit == Some(0) || offset.is_some_and(|rows| rows > 0)) {
            // The part of one row that has none of it.
            all = vec![Filter::Or(Vec::new())];
        }
        let condition = (!all.is_empty()).then(|| conjunction(all));
        self.condition = Some(condition.clone());
        Ok(condition)
    }

    /// That there are such rows, or none.
    fn related(&mut self, quantifier: Quantifier, arguments: &mut Vec<Argument>) -> Result<Filter> {
        let filter = Box::new(self.condition(arguments)?.unwrap_or(Filter::And(Vec::new())));
        Ok(Filter::Related { relation: self.relation.name.clone(), quantifier, filter })
    }

    /// Whether anything is told of its rows, and they are not embedded for their conditions alone.
    fn is_told(&self) -> bool {
        let mut embeds = self.level.embeds.iter();
        embeds.any(Self::is_told) || self.level.items.iter().any(|item| !matches!(item, Item::Embed(_)))
    }

    /// Checks that groups can be made by its row, which has to be the whole related row then.
    fn whole(&mut self, arguments: &mut Vec<Argument>) -> Result<()> {
        if self.condition(arguments)?.is_some() && !self.item.inner && self.is_told() {
            return Err(Error::bad_request("Feature not implemented")
                .code("PGRST127")
                .details(format!("Rows are not grouped by some of the rows of \"{}\"", self.name))
                .hint(format!("Leave the others out: {}!inner(…)", self.item.name)));
        }
        self.level.embeds.iter_mut().try_for_each(|embed| embed.whole(arguments))
    }

    /// What is told of its rows; none where it is there for its conditions alone.
    fn field(&mut self, arguments: &mut Vec<Argument>) -> Result<Option<Field>> {
        let filter = self.condition(arguments)?;
        let order = self.level.order(arguments)?;
        if !self.is_told() {
            return Ok(None);
        }
        let spread = self.item.spread;
        let relation = self.relation.name.clone();
        let alias = Some(&self.name).filter(|name| **name != relation).cloned();
        if self.relation.cardinality == Cardinality::One {
            // What the row around it is already chosen by holds of the one that it has.
            let filter = filter.filter(|_| !self.item.inner);
            return Ok(match self.level.told(arguments)? {
                Told::Rows(select) => Some(Field::One { alias, relation, filter, spread, select }),
                Told::Groups(_) => {
                    return Err(Error::bad_request(format!(
                        "\"{}\" is at most one row, of which there is no aggregate",
                        self.name
                    )));
                }
            });
        }
        let (limit, offset) = (self.level.limit, slot_of(self.level.offset, arguments));
        let (list, select, envelope) = match self.level.told(arguments)? {
            Told::Rows(select) => {
                let page = Page { limit, offset, ..Page::default() };
                (List { filter, order, page }, select, Envelope::Array)
            }
            Told::Groups(groups) => {
                let order = value::group_order(&groups, order, arguments)?;
                let groups = Groups { order, limit, offset, ..groups };
                (List { filter, ..List::default() }, Vec::new(), Envelope::Groups(Box::new(groups)))
            }
        };
        Ok(Some(Field::Many { alias, relation, list: Box::new(list), select, envelope, spread }))
    }
}

impl Filters<'_> {
    /// A condition on a column, or on whether there are embedded rows.
    pub(super) fn condition(&mut self, name: &str, text: &str) -> Result<Filter> {
        let column = name.split("->").next().unwrap_or_default();
        let embedded = self.embeds.iter().position(|embed| embed.name == name);
        match embedded {
            Some(index) if self.resource.column(column).is_none() => {
                let lower = text.to_ascii_lowercase();
                let quantifier = match lower.as_str() {
                    "is.null" | "not.is.not_null" => Quantifier::None,
                    "not.is.null" | "is.not_null" => Quantifier::Some,
                    _ => {
                        let message = format!("Bad operator on the '{name}' embedded resource");
                        return Err(Error::bad_request(message)
                            .code("PGRST120")
                            .details("Only is null or not is null filters are allowed on embedded resources"));
                    }
                };
                self.embeds[index].related(quantifier, &mut self.arguments)
            }
            _ => self.comparison(name, text),
        }
    }
}

/// All columns, in the order of the table.
pub(super) fn all_columns(resource: &Resource) -> Vec<Field> {
    resource.column_names().map(|name| Field::Column { alias: None, name: name.to_owned() }).collect()
}

/// How many rows to leave out, in a slot, if any.
pub(super) fn slot_of(offset: Option<u64>, arguments: &mut Vec<Argument>) -> Option<usize> {
    offset.filter(|offset| *offset > 0).map(|offset| {
        arguments.push(Argument::Number(offset.to_string()));
        arguments.len() - 1
    })
}

/// A path or an order that names what `select` does not embed, or not by that name.
fn not_embedded(embeds: &[Embed<'_>], name: &str) -> Error {
    let error = Error::bad_request(format!("'{name}' is not an embedded resource in this request")).code("PGRST108");
    match embeds.iter().find(|embed| embed.item.name == name) {
        Some(aliased) => error
            .details("Target names are not allowed in filters if they have an alias")
            .hint(format!("Change '{name}' to '{}' in filters, orders or limits.", aliased.name)),
        None => error.hint(format!("Verify that '{name}' is included in the 'select' query parameter.")),
    }
}
