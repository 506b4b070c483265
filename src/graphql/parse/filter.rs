//! Conditions and orders in a document, of rows and of groups.
//!
//! In: coerced input objects. Out: [`Filter`]s and [`Order`]s in the catalogue's names.

use super::{
    super::{
        schema::SORT_ORDERS,
        tree::{Leaf, Tree},
    },
    Parser,
};
use crate::{
    catalog::{Cardinality, Function, Operator, Relation, Resource},
    engine::{
        bind::Argument,
        request::{Filter, Measure, Order, Quantifier, Term},
    },
    error::{Error, Result},
};

type Members = [(String, Tree)];
/// Adds what a member of a filter says, which is none of `and`, `or` and `not`.
type Own<'o, P> = dyn Fn(&mut P, &str, &Tree, &mut Vec<Filter>) -> Result<()> + 'o;

impl Parser<'_> {
    /// The condition of a resource's filter.
    pub(super) fn filter(&mut self, resource: &Resource, members: &Members) -> Result<Filter> {
        self.logic(members, &|parser, field, tree, all| {
            if let Some(column) = resource.columns.iter().find(|column| column.field == field) {
                return parser.comparisons(Term::column(&column.name), field, tree, all);
            }
            let relation = resource.relations.iter().find(|relation| relation.field == field);
            let relation = relation.ok_or_else(|| Error::internal(format!("{field} is no column")))?;
            let target = parser.context.catalog.at(relation.target);
            let Tree::Object(members) = tree else { return Err(null(field)) };
            match relation.cardinality {
                Cardinality::One => {
                    let filter = Box::new(parser.filter(target, members)?);
                    let relation = relation.name.clone();
                    all.push(Filter::Related { relation, quantifier: Quantifier::Some, filter });
                    Ok(())
                }
                Cardinality::Many => parser.list_filter(relation, target, members, all),
            }
        })
    }

    /// The condition of a filter of groups.
    pub(super) fn having(&mut self, resource: &Resource, members: &Members) -> Result<Filter> {
        self.logic(members, &|parser, field, tree, all| parser.measures(resource, field, tree, &Term::Measure, all))
    }

    /// `and`, `or` and `not`, and what `own` makes of the other members.
    fn logic(&mut self, members: &Members, own: &Own<'_, Self>) -> Result<Filter> {
        let mut all = Vec::with_capacity(members.len());
        for (name, tree) in members {
            match (name.as_str(), tree) {
                ("and" | "or" | "not", Tree::Null) => {}
                ("and" | "or", Tree::List(items)) => {
                    let mut filters = Vec::with_capacity(items.len());
                    for item in items {
                        if let Tree::Object(members) = item {
                            filters.push(self.logic(members, own)?);
                        }
                    }
                    all.push(if name == "and" { Filter::And(filters) } else { Filter::Or(filters) });
                }
                ("not", Tree::Object(members)) => all.push(Filter::Not(Box::new(self.logic(members, own)?))),
                (field, Tree::Null) => return Err(null(field)),
                (field, tree) => own(self, field, tree, &mut all)?,
            }
        }
        // One condition needs no conjunction: a URL that says the same makes the same request.
        Ok(if all.len() == 1 { all.remove(0) } else { Filter::And(all) })
    }

    /// What must hold of the rows of a relation to many.
    fn list_filter(
        &mut self,
        relation: &Relation,
        target: &Resource,
        members: &Members,
        all: &mut Vec<Filter>,
    ) -> Result<()> {
        let mut among = None;
        for (name, tree) in members {
            let quantifier = match name.as_str() {
                "some" => Quantifier::Some,
                "none" => Quantifier::None,
                "every" => Quantifier::Every,
                _ => {
                    if let ("filter", Tree::Object(members)) = (name.as_str(), tree) {
                        among = Some(Box::new(self.filter(target, members)?));
                    }
                    continue;
                }
            };
            let Tree::Object(members) = tree else { return Err(null(name)) };
            let filter = Box::new(self.filter(target, members)?);
            all.push(Filter::Related { relation: relation.name.clone(), quantifier, filter });
        }
        let term = |measure| Term::Many { relation: relation.name.clone(), filter: among.clone(), measure };
        for (name, tree) in members {
            if !matches!(name.as_str(), "some" | "none" | "every" | "filter") {
                self.measures(target, name, tree, &term, all)?;
            }
        }
        Ok(())
    }

    /// Comparisons of one aggregate function: `count: {…}`, or `sum: { amount: {…} }`.
    fn measures(
        &mut self,
        resource: &Resource,
        name: &str,
        tree: &Tree,
        term: &dyn Fn(Measure) -> Term,
        all: &mut Vec<Filter>,
    ) -> Result<()> {
        if name == Function::Count.graphql() {
            return self.comparisons(term(Measure::COUNT), name, tree, all);
        }
        let function = function(name)?;
        let Tree::Object(columns) = tree else { return Err(null(name)) };
        for (field, tree) in columns {
            let measure = Measure::of_column(function, column_name(resource, field)?);
            self.comparisons(term(measure), field, tree, all)?;
        }
        Ok(())
    }

    /// The operators of one term.
    pub(super) fn comparisons(&mut self, term: Term, field: &str, tree: &Tree, all: &mut Vec<Filter>) -> Result<()> {
        let Tree::Object(operators) = tree else { return Err(null(field)) };
        for (operator, tree) in operators {
            match &term {
                Term::Column(column) if operator == "at" => self.json(column, field, tree, all)?,
                _ => all.push(self.comparison(term.clone(), field, operator, tree)?),
            }
        }
        Ok(())
    }

    fn comparison(&mut self, term: Term, field: &str, operator: &str, tree: &Tree) -> Result<Filter> {
        let found = Operator::TEXT.iter().find(|candidate| candidate.graphql() == operator);
        let operator = *found.ok_or_else(|| Error::internal(format!("{operator} is no operator")))?;
        match (operator, tree) {
            (Operator::IsNull, Tree::Leaf(Leaf { value: Argument::Bool(null), .. })) => {
                Ok(Filter::IsNull { term, null: *null })
            }
            (_, Tree::Leaf(leaf)) => Ok(Filter::Compare { term, operator, slot: self.slot(leaf) }),
            _ => Err(Error::bad_value(format!("{field}.{} must not be null", operator.graphql()))
                .field(field)
                .hint("Nothing equals NULL: ask with isNull")),
        }
    }

    /// An element of an order of rows.
    pub(super) fn order(&self, resource: &Resource, item: &Tree) -> Result<Order> {
        let (field, tree) = only_member(item)?;
        if let Some(column) = resource.columns.iter().find(|column| column.field == field) {
            return direction(Term::column(&column.name), tree);
        }
        let relation = resource.relations.iter().find(|relation| relation.field == field);
        let relation = relation.ok_or_else(|| Error::internal(format!("{field} is no column")))?;
        let target = self.context.catalog.at(relation.target);
        match relation.cardinality {
            Cardinality::One => {
                let order = self.order(target, tree)?;
                Ok(Order { term: Term::One(relation.name.clone(), Box::new(order.term)), ..order })
            }
            Cardinality::Many => {
                let (name, tree) = only_member(tree)?;
                let term = |measure| Term::Many { relation: relation.name.clone(), filter: None, measure };
                measure_order(target, name, tree, &term)
            }
        }
    }
}

/// An element of an order by an aggregate: `count: ASC`, or `sum: { amount: DESC }`.
pub(super) fn measure_order(
    resource: &Resource,
    name: &str,
    tree: &Tree,
    term: &dyn Fn(Measure) -> Term,
) -> Result<Order> {
    if name == Function::Count.graphql() {
        return direction(term(Measure::COUNT), tree);
    }
    let function = function(name)?;
    let (field, tree) = only_member(tree)?;
    direction(term(Measure::of_column(function, column_name(resource, field)?)), tree)
}

/// A term and its `SortOrder`.
pub(super) fn direction(term: Term, tree: &Tree) -> Result<Order> {
    let Tree::Leaf(Leaf { value: Argument::String(direction), .. }) = tree else { return Err(one_member()) };
    let found = SORT_ORDERS.iter().find(|(name, ..)| name == direction);
    let (_, descending, nulls_first, _) = found.ok_or_else(|| Error::internal(format!("{direction} is no order")))?;
    Ok(Order { term, descending: *descending, nulls_first: *nulls_first })
}

/// The one member of an element of an order.
pub(super) fn only_member(item: &Tree) -> Result<(&str, &Tree)> {
    match item {
        Tree::Object(members) => match members.as_slice() {
            [(field, tree)] if *tree != Tree::Null => Ok((field, tree)),
            _ => Err(one_member()),
        },
        _ => Err(Error::bad_value("orderBy must not hold null").field("orderBy")),
    }
}

pub(super) fn function(name: &str) -> Result<Function> {
    let found = Function::OF_COLUMNS.into_iter().find(|function| function.graphql() == name);
    found.ok_or_else(|| Error::internal(format!("{name} is no aggregate function")))
}

pub(super) fn column_name(resource: &Resource, field: &str) -> Result<String> {
    let column = resource.columns.iter().find(|column| column.field == field);
    column.map(|column| column.name.clone()).ok_or_else(|| Error::internal(format!("{field} is no column")))
}

fn one_member() -> Error {
    Error::bad_value("An element of orderBy must have exactly one member").field("orderBy")
}

fn null(field: &str) -> Error {
    Error::bad_value(format!("{field} must not be null in a filter"))
        .field(field)
        .hint("A column that is NULL is asked for with isNull; what is left out asks for nothing")
}
