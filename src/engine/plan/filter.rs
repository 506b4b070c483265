//! Conditions and orders: every name in them becomes a column or a relation, and every value a slot of a type.
//!
//! In: a [`Filter`] or a list of [`Order`]. Out: a [`Predicate`] or a total order.

use super::{Planner, find_column, find_relation, limits};
use crate::{
    catalog::{
        Cardinality, Function, Operator, Resource,
        scalar::{Cast, Scalar, Style},
    },
    engine::{
        query::{Aggregate, Expression, ExpressionKind, Predicate, SlotKind, Sort},
        request::{Filter, Measure, Order, Term},
    },
    error::{Error, Result},
};

/// How many steps an order has at most, the key among them.
const MAX_ORDER: usize = 16;

impl Planner<'_> {
    /// A client's filter, counted among the conditions of its request.
    pub(super) fn filter(&mut self, resource: usize, filter: &Filter) -> Result<Predicate> {
        limits::check(filter, &mut self.conditions)?;
        self.predicate(resource, filter)
    }

    fn predicate(&mut self, resource: usize, filter: &Filter) -> Result<Predicate> {
        let of = |planner: &mut Self, filters: &[Filter]| {
            filters.iter().map(|filter| planner.predicate(resource, filter)).collect::<Result<Vec<_>>>()
        };
        Ok(match filter {
            Filter::And(filters) => Predicate::And(of(self, filters)?),
            Filter::Or(filters) => Predicate::Or(of(self, filters)?),
            Filter::Not(filter) => Predicate::Not(Box::new(self.predicate(resource, filter)?)),
            Filter::IsNull { term, null } => Predicate::IsNull { expression: self.term(resource, term)?, null: *null },
            Filter::Compare { term, operator, slot } => {
                let expression = self.term(resource, term)?;
                let kind = operand(&expression, *operator, self.style)?;
                Predicate::Compare { expression, operator: *operator, slot: self.slot(*slot, kind) }
            }
            Filter::Related { relation, quantifier, filter } => {
                let (index, target) = self.relation(resource, relation)?;
                let predicate = Box::new(self.predicate(target, filter)?);
                Predicate::Related { relation: index, quantifier: *quantifier, predicate }
            }
        })
    }

    /// A relation of any cardinality: its index, and its target's.
    fn relation(&self, resource: usize, name: &str) -> Result<(usize, usize)> {
        let of = self.catalog.at(resource);
        find_relation(of, name, Cardinality::One).or_else(|_| find_relation(of, name, Cardinality::Many))
    }

    /// What a row has one value of.
    pub(super) fn term(&mut self, resource: usize, term: &Term) -> Result<Expression> {
        let of = self.catalog.at(resource);
        Ok(match term {
            Term::Column(name) => column(of, find_column(of, name)?),
            Term::Json { column: name, path, kind } => {
                let index = find_column(of, name)?;
                let scalar = &of.columns[index].scalar;
                if *scalar != Scalar::Json {
                    let message =
                        format!("The column \"{name}\" is of type {}: no path leads into it", scalar.graphql());
                    return Err(Error::bad_request(message).code("42883"));
                }
                let path = self.slot(*path, SlotKind::Path { column: name.clone() });
                Expression {
                    kind: ExpressionKind::Json { column: index, path, kind: *kind },
                    scalar: kind.scalar(),
                    nullable: true,
                    name: name.clone(),
                }
            }
            Term::One(relation, term) => {
                let (index, target) = find_relation(of, relation, Cardinality::One)?;
                let inner = self.term(target, term)?;
                Expression {
                    scalar: inner.scalar.clone(),
                    nullable: true,
                    name: format!("{relation}.{}", inner.name),
                    kind: ExpressionKind::One(index, Box::new(inner)),
                }
            }
            Term::Many { relation, filter, measure } => {
                let (index, target) = find_relation(of, relation, Cardinality::Many)?;
                let filter = filter.as_ref().map(|filter| self.predicate(target, filter)).transpose()?.map(Box::new);
                let aggregate = self.measure(target, measure)?;
                Expression {
                    scalar: aggregate.scalar.clone(),
                    nullable: is_nullable(aggregate.function),
                    name: format!("{relation}.{}", measure_name(&aggregate)),
                    kind: ExpressionKind::Many { relation: index, filter, aggregate },
                }
            }
            Term::Cast(term, cast) => {
                let inner = self.term(resource, term)?;
                cast_of(inner, *cast)?
            }
            Term::Marked(term, mark) => {
                let inner = self.term(resource, term)?;
                Expression { name: format!("{}#{mark}", inner.name), ..inner }
            }
            Term::Present => Expression {
                kind: ExpressionKind::Present,
                scalar: Scalar::Boolean,
                nullable: false,
                name: of.name.clone(),
            },
            Term::Key(number) => self.group_key(*number)?,
            Term::Measure(measure) => {
                let (number, aggregate) = self.group_measure(resource, measure)?;
                Expression {
                    scalar: aggregate.scalar.clone(),
                    nullable: is_nullable(aggregate.function),
                    name: measure_name(&aggregate),
                    kind: ExpressionKind::Measure(number),
                }
            }
        })
    }

    /// An aggregate of rows of the resource.
    pub(super) fn measure(&mut self, resource: usize, measure: &Measure) -> Result<Aggregate> {
        let Some(value) = &measure.of else {
            return Ok(Aggregate { function: Function::Count, of: None, scalar: Scalar::Integer });
        };
        let value = self.term(resource, value)?;
        let (name, scalar) = (&value.name, &value.scalar);
        let result = measure.function.result(scalar).ok_or_else(|| {
            Error::bad_request(format!(
                "{} has no meaning for the column \"{name}\" of type {}",
                measure.function.graphql(),
                scalar.graphql()
            ))
            .code("42883")
            .field(name.clone())
        })?;
        Ok(Aggregate { function: measure.function, of: Some(Box::new(value)), scalar: result })
    }

    /// The order with the key behind it, which makes it total. The key runs the way of the column before it, so that
    /// one comparison of rows, and one index, can serve both.
    pub(super) fn order(&mut self, resource: usize, order: &[Order]) -> Result<Vec<Sort>> {
        let of = self.catalog.at(resource);
        let mut sorts: Vec<Sort> = Vec::with_capacity(order.len() + 2);
        if order.is_empty() {
            for (index, descending) in &of.default_order {
                push(&mut sorts, column(of, *index), *descending, None);
            }
        }
        for one in order {
            limits::check_order(&one.term, &mut self.conditions)?;
            let expression = self.term(resource, &one.term)?;
            push(&mut sorts, ordered(expression)?, one.descending, one.nulls_first);
        }
        let descending = sorts.last().is_some_and(|sort| sort.descending);
        push(&mut sorts, column(of, of.key), descending, None);
        if sorts.len() > MAX_ORDER {
            return Err(
                Error::bad_request(format!("A list is ordered by {} columns at most", MAX_ORDER - 1)).field("orderBy")
            );
        }
        Ok(sorts)
    }
}

/// Adds a step to an order. What an earlier step has decided, a later mention of it cannot.
pub(super) fn push(sorts: &mut Vec<Sort>, expression: Expression, descending: bool, nulls_first: Option<bool>) {
    if !sorts.iter().any(|sort| sort.expression == expression) {
        sorts.push(Sort { expression, descending, nulls_first: nulls_first.unwrap_or(descending) });
    }
}

/// An expression by which rows can be ordered.
pub(super) fn ordered(expression: Expression) -> Result<Expression> {
    if expression.scalar == Scalar::Json {
        return Err(Error::bad_request(format!("The column \"{}\" has no order", expression.name)).code("42883"));
    }
    Ok(expression)
}

pub(super) fn column(resource: &Resource, index: usize) -> Expression {
    let column = &resource.columns[index];
    Expression {
        kind: ExpressionKind::Column(index),
        scalar: column.scalar.clone(),
        nullable: column.optional(),
        name: column.name.clone(),
    }
}

/// A value as one of another type.
pub(super) fn cast_of(inner: Expression, cast: Cast) -> Result<Expression> {
    let scalar = cast.result(&inner.scalar).ok_or_else(|| {
        let (from, to) = (inner.scalar.postgres_name(), cast.name());
        Error::bad_request(format!("cannot cast type {from} to {to}")).code("42846").field(inner.name.clone())
    })?;
    if cast.is_idle(&inner.scalar) {
        return Ok(inner);
    }
    Ok(Expression {
        scalar,
        nullable: inner.nullable,
        name: format!("{}::{}", inner.name, cast.name()),
        kind: ExpressionKind::Cast(Box::new(inner), cast),
    })
}

/// What the slot of a comparison must hold.
fn operand(expression: &Expression, operator: Operator, style: Style) -> Result<SlotKind> {
    let (column, scalar) = (expression.name.clone(), expression.scalar.clone());
    if !operator.is_among(scalar.operators()) {
        let spelt = |operator: &Operator| match style {
            Style::GraphQl => Some(operator.graphql()),
            Style::Rest => operator.rest(),
        };
        let can: Vec<_> = scalar.operators().iter().filter_map(spelt).collect();
        return Err(Error::bad_request(format!(
            "\"{}\" has no meaning for the column \"{column}\" of type {}",
            spelt(&operator).unwrap_or(operator.graphql()),
            scalar.graphql()
        ))
        .code("42883")
        .hint(format!("It can be filtered by {}", can.join(", "))));
    }
    Ok(match operator {
        Operator::In | Operator::NotIn => SlotKind::Operands { column, scalar },
        operator if operator.reads_text() => SlotKind::Text { column, operator },
        _ => SlotKind::Operand { column, scalar },
    })
}

/// Counts are numbers also of no rows; what else is told of none is NULL.
const fn is_nullable(function: Function) -> bool {
    !matches!(function, Function::Count | Function::CountDistinct)
}

fn measure_name(aggregate: &Aggregate) -> String {
    let function = aggregate.function.graphql();
    aggregate.of.as_ref().map_or_else(|| function.to_owned(), |value| format!("{function}.{}", value.name))
}
